//! The disk: space for pending webhooks, which counts for their accounts, and the remedy if
//! there is none left for the server itself.

use std::path::Path;

use tenterhook_delivery::Disk;
use tenterhook_dispatch::{AccountId, Dispatcher, Error};
use uuid::Uuid;

/// Reserves disk space of accounts for webhooks.
pub(super) struct AccountDisk(pub(super) Dispatcher);

impl Disk for AccountDisk {
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

/// With less than this no database can work: its log alone takes more.
const MIN_FREE_BYTES: u64 = 1 << 20;

/// Adds a remedy to the error if the disk is full.
pub(super) fn explain(error: anyhow::Error, data: &Path) -> anyhow::Error {
    let is_reported = error.chain().any(|cause| {
        let io = cause.downcast_ref::<std::io::Error>();
        let kind = io.map(std::io::Error::kind);
        matches!(
            kind,
            Some(std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
        ) || cause.to_string().contains("database or disk is full")
    });
    // The database does not always report it as such.
    let is_observed = || {
        let found = rustix::fs::statvfs(data);
        found.is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) < MIN_FREE_BYTES)
    };
    if !is_reported && !is_observed() {
        return error;
    }
    error.context(format!(
        "the disk of the data folder {} is full: free some space there, or name a folder on another disk (--data-dir); \
         stored data is not lost, and the next start resumes",
        data.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_reported_with_a_remedy() {
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
