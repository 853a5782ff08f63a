//! What runs, noted in a file beside the database for the next run of the server.
//!
//! It is not the database: a note is one write into the page cache, which outlives
//! the process that wrote it and not the machine. So no run pays for a commit, and
//! after `kill -9` it is known exactly which attempts had begun.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tenterhook_dispatch::{ExecutionId, NodeId};
use uuid::Uuid;

/// What the file begins with; the last letter is its version.
const MAGIC: [u8; 8] = *b"THRUNS01";

/// Magic, node, boot, and whether the process ended because it was asked to.
const HEADER: usize = 64;
const NODE: usize = 8;
const BOOT: usize = 24;
const LEAVING: usize = 40;

/// Account, execution, attempt, status; the rest is zero.
const SLOT: usize = 32;

/// Slots that have their place on the disk before they are used, so that a full disk
/// does not matter: as many as run by default, and as many whose end is being stored.
const SLOTS: usize = 126;

/// Where a slot's attempt stands.
const FREE: u8 = 0;
const RUNNING: u8 = 1;
const ENDED: u8 = 2;

/// Changes with each start of the machine.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// What an earlier run of the server has left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Left {
    /// That run, if its notes can be trusted; there are none otherwise.
    pub(super) node: Option<NodeId>,
    /// What it had begun and not stored the outcome of.
    pub(super) begun: Vec<Begun>,
}

/// An attempt that had begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Begun {
    pub(super) account: i64,
    pub(super) execution: ExecutionId,
    pub(super) attempt: u32,
    /// Whether it was running when the process ended without having been asked to.
    pub(super) was_running: bool,
}

/// The notes of this run of the server.
#[derive(Debug)]
pub(super) struct Running {
    path: PathBuf,
    file: Mutex<Option<Notes>>,
    /// Whether it was logged that notes cannot be written.
    said: AtomicBool,
}

#[derive(Debug)]
struct Notes {
    file: File,
    slots: HashMap<(ExecutionId, u32), Slot>,
    free: Vec<usize>,
    count: usize,
}

/// Where an attempt is noted.
#[derive(Clone, Copy, Debug)]
struct Slot {
    at: usize,
    status: u8,
}

impl Running {
    /// The notes beside a database. Nothing is written before [`begin`](Self::begin).
    pub(super) fn beside(database: &Path) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push("-running");
        Self {
            path: path.into(),
            file: Mutex::new(None),
            said: AtomicBool::new(false),
        }
    }

    /// Reads what an earlier run has left, if it can be trusted.
    pub(super) fn left(&self) -> Left {
        match fs::read(&self.path) {
            Ok(bytes) => parse(&bytes, boot_id()),
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    self.say(&error);
                }
                Left::default()
            }
        }
    }

    /// Begins notes of this run in place of the earlier one's.
    pub(super) fn begin(&self, node: NodeId) {
        match self.create(node) {
            Ok(file) => {
                *self.file.lock() = Some(Notes {
                    file,
                    slots: HashMap::new(),
                    free: (0..SLOTS).rev().collect(),
                    count: SLOTS,
                });
            }
            Err(error) => {
                // Those of an earlier run would be taken for ours.
                let _ = fs::remove_file(&self.path);
                self.say(&error);
            }
        }
    }

    fn create(&self, node: NodeId) -> io::Result<File> {
        let mut bytes = vec![0; HEADER + SLOTS * SLOT];
        bytes[..NODE].copy_from_slice(&MAGIC);
        bytes[NODE..BOOT].copy_from_slice(node.as_uuid().as_bytes());
        let boot = boot_id().unwrap_or_default();
        bytes[BOOT..LEAVING].copy_from_slice(boot.as_bytes());
        // Another file takes the place of the old one: a process that still writes
        // there, though it should be gone, writes into nothing.
        let mut part = self.path.clone().into_os_string();
        part.push(".part");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&part)?;
        file.write_all_at(&bytes, 0)?;
        fs::rename(part, &self.path)?;
        Ok(file)
    }

    pub(super) fn note_begun(&self, account: i64, execution: ExecutionId, attempt: u32) {
        let mut slot = [0; SLOT];
        slot[..8].copy_from_slice(&account.to_le_bytes());
        slot[8..24].copy_from_slice(execution.as_uuid().as_bytes());
        slot[24..28].copy_from_slice(&attempt.to_le_bytes());
        slot[28] = RUNNING;
        self.write(|notes| {
            let at = notes.free.pop().unwrap_or_else(|| {
                notes.count += 1;
                notes.count - 1
            });
            let slot_of = Slot {
                at,
                status: RUNNING,
            };
            notes.slots.insert((execution, attempt), slot_of);
            notes.file.write_all_at(&slot, (HEADER + at * SLOT) as u64)
        });
    }

    pub(super) fn note_ended(&self, execution: ExecutionId, attempt: u32) {
        self.write(|notes| match notes.slots.get_mut(&(execution, attempt)) {
            Some(slot) => {
                slot.status = ENDED;
                let at = slot.at;
                notes.mark(at, ENDED)
            }
            None => Ok(()),
        });
    }

    pub(super) fn note_settled(&self, execution: ExecutionId, attempt: u32) {
        self.write(|notes| match notes.slots.remove(&(execution, attempt)) {
            Some(slot) => {
                notes.free.push(slot.at);
                // One that has ended says nothing that the database does not say now,
                // and is overwritten by the next: a write less for each run.
                if slot.status == ENDED {
                    return Ok(());
                }
                notes.mark(slot.at, FREE)
            }
            None => Ok(()),
        });
    }

    pub(super) fn note_leaving(&self) {
        self.write(|notes| notes.file.write_all_at(&[1], LEAVING as u64));
    }

    fn write(&self, change: impl FnOnce(&mut Notes) -> io::Result<()>) {
        if let Some(notes) = &mut *self.file.lock()
            && let Err(error) = change(notes)
        {
            self.say(&error);
        }
    }

    fn say(&self, error: &io::Error) {
        if !self.said.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                %error,
                file = %self.path.display(),
                "cannot note running attempts: after a crash they are not known"
            );
        }
    }
}

impl Notes {
    fn mark(&self, at: usize, status: u8) -> io::Result<()> {
        self.file
            .write_all_at(&[status], (HEADER + at * SLOT + 28) as u64)
    }
}

/// Reads notes. Those of before a restart of the machine may be incomplete.
fn parse(bytes: &[u8], boot: Option<Uuid>) -> Left {
    let Some((header, slots)) = bytes.split_at_checked(HEADER) else {
        return Left::default();
    };
    let uuid = |at: usize| Uuid::from_slice(&header[at..at + 16]).unwrap_or_default();
    if header[..NODE] != MAGIC || boot.is_none_or(|boot| boot.is_nil() || boot != uuid(BOOT)) {
        return Left::default();
    }
    let was_asked_to_end = header[LEAVING] != 0;
    let begun = slots.chunks_exact(SLOT).filter_map(|slot| {
        let status = slot[28];
        (status != FREE).then(|| Begun {
            account: i64::from_le_bytes(slot[..8].try_into().expect("eight bytes")),
            execution: ExecutionId::from_uuid(
                Uuid::from_slice(&slot[8..24]).expect("sixteen bytes"),
            ),
            attempt: u32::from_le_bytes(slot[24..28].try_into().expect("four bytes")),
            was_running: status == RUNNING && !was_asked_to_end,
        })
    });
    Left {
        node: Some(NodeId::from_uuid(uuid(NODE))),
        begun: begun.collect(),
    }
}

fn boot_id() -> Option<Uuid> {
    fs::read_to_string(BOOT_ID).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes() -> (tempfile::TempDir, Running, NodeId) {
        let folder = tempfile::tempdir().unwrap();
        let running = Running::beside(&folder.path().join("test.db"));
        let node = NodeId::generate();
        assert_eq!(running.left(), Left::default());
        running.begin(node);
        (folder, running, node)
    }

    #[test]
    fn started_attempts_are_left_for_the_next_run() {
        let (_folder, running, node) = notes();
        let ids: Vec<_> = (0..200).map(|_| ExecutionId::generate()).collect();
        for (attempt, id) in (1..).zip(&ids) {
            running.note_begun(7, *id, attempt);
        }
        for (attempt, id) in (1..).zip(&ids).skip(2) {
            running.note_settled(*id, attempt);
        }
        running.note_ended(ids[1], 2);

        let left = running.left();

        let begun = |place: usize, was_running| Begun {
            account: 7,
            execution: ids[place],
            attempt: u32::try_from(place).unwrap() + 1,
            was_running,
        };
        assert_eq!(left.node, Some(node));
        assert_eq!(left.begun, [begun(0, true), begun(1, false)]);
        running.note_leaving();
        assert_eq!(running.left().begun, [begun(0, false), begun(1, false)]);
    }

    #[test]
    fn notes_from_before_the_last_boot_are_ignored() {
        let (_folder, running, _) = notes();
        running.note_begun(1, ExecutionId::generate(), 1);
        let bytes = fs::read(&running.path).unwrap();
        assert_eq!(parse(&bytes, boot_id()).begun.len(), 1);
        for boot in [None, Some(Uuid::nil()), Some(Uuid::from_u128(9))] {
            assert_eq!(parse(&bytes, boot), Left::default());
        }
        for length in 0..HEADER {
            assert_eq!(parse(&bytes[..length], boot_id()), Left::default());
        }
    }

    #[test]
    fn a_process_that_still_writes_to_older_notes_changes_nothing() {
        let (folder, old, _) = notes();
        let new = Running::beside(&folder.path().join("test.db"));
        let node = NodeId::generate();
        new.begin(node);
        old.note_begun(1, ExecutionId::generate(), 1);
        old.note_leaving();
        let left = new.left();
        assert_eq!((left.node, left.begun), (Some(node), Vec::new()));
    }
}
