//! The disk: room for what webhooks are owed, which is that of their accounts, and what to
//! do where there is none for the server itself.

use std::path::Path;

use tenterhook_delivery::Disk;
use tenterhook_dispatch::{AccountId, Dispatcher, Error};
use uuid::Uuid;

/// The room that accounts have.
pub(super) struct Room(pub(super) Dispatcher);

impl Disk for Room {
    fn take(&self, account: Uuid, bytes: u64) -> Result<(), String> {
        let account = AccountId::from_uuid(account);
        match self.0.reserve_disk(account, bytes) {
            Ok(reserved) => {
                self.0.disk_written(account, reserved);
                Ok(())
            }
            Err(Error::DiskFull { shortage }) => Err(shortage.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Less than this is no room for a database: its log alone takes more.
const NEXT_TO_NOTHING: u64 = 1 << 20;

/// Adds to what has gone wrong what can be done about it, if the disk is full.
pub(super) fn explain(error: anyhow::Error, data: &Path) -> anyhow::Error {
    let says_so = error.chain().any(|cause| {
        let io = cause.downcast_ref::<std::io::Error>();
        let kind = io.map(std::io::Error::kind);
        matches!(
            kind,
            Some(std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
        ) || cause.to_string().contains("database or disk is full")
    });
    // What the database says of it is not always that.
    let is_so = || {
        let found = rustix::fs::statvfs(data);
        found.is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) < NEXT_TO_NOTHING)
    };
    if !says_so && !is_so() {
        return error;
    }
    error.context(format!(
        "the disk of the data folder {} is full: free some space there, or name a folder on another disk (--data-dir); \
         what is stored is not lost, and the next start goes on with it",
        data.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let error = explain(
            anyhow::Error::new(full).context("cannot write"),
            folder.path(),
        );
        let text = format!("{error:#}");
        assert!(
            text.contains("free some space") && text.contains("cannot write"),
            "{text}"
        );
        let other = explain(anyhow::anyhow!("something else"), folder.path());
        assert_eq!(other.to_string(), "something else");
    }
}
