//! A part of the disk that is kept for what frees some of it, or takes away an authority.
//!
//! It is a file beside the database that holds nothing. On a disk that is nearly full it is
//! given up before such a change is written, and until there is room for it again nothing
//! else is written. It has room to copy a whole log into the database: the log begins again
//! then, and takes no more of the disk however many such changes follow. How much an account
//! may have is not its matter.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate, fstatvfs};

/// The size of the reserve: what the database grows by when it checkpoints a log of 16 MiB, which is as
/// long as it becomes if no reader stays long, and 4 MiB for the log to become longer.
pub(super) const BYTES: u64 = 20 << 20;

/// With less than this free, the next change may find no room.
const LOW: u64 = 4 << 20;

/// What is left for the log when it is copied into the database.
const LEFT: u64 = 2 << 20;

/// How much of the disk a file lies on is free.
type Free = Box<dyn Fn(&File) -> io::Result<u64> + Send>;

/// The part that is kept.
pub(super) struct Reserve {
    database: PathBuf,
    /// `None` where there can be none.
    file: Option<File>,
    is_held: bool,
    free: Free,
}

impl Reserve {
    /// Releases the reserve of an earlier run if there is no room for opening the database.
    pub(super) fn make_room(database: &Path) {
        if let Ok(file) = File::options().write(true).open(path(database))
            && free(&file).is_ok_and(|free| free < LOW)
        {
            let _full = file.set_len(0);
        }
    }

    /// The reserve of a database.
    pub(super) fn beside(database: &Path) -> Self {
        Self::with(database, Box::new(free))
    }

    pub(super) fn with(database: &Path, free: Free) -> Self {
        let file = File::options()
            .create(true)
            .write(true)
            .truncate(false)
            .open(path(database));
        let was_held = |file: &File| file.metadata().is_ok_and(|kept| kept.len() >= BYTES);
        let mut reserve = Self {
            database: database.into(),
            is_held: file.as_ref().is_ok_and(was_held),
            file: file.ok(),
            free,
        };
        if !reserve.take() {
            tracing::error!(
                free_at_least = LOW + BYTES,
                "the disk is nearly full: only writes that free space are accepted until there is more"
            );
        }
        reserve
    }

    /// Whether the next change may find no room.
    pub(super) fn is_low(&self) -> bool {
        let Some(file) = &self.file else {
            return false;
        };
        (self.free)(file).is_ok_and(|free| free < LOW)
    }

    /// Whether the database may grow to so many bytes, and there is something left.
    pub(super) fn has_room_for(&self, size: u64) -> bool {
        let growth = fs::metadata(&self.database).map(|file| size.saturating_sub(file.len()));
        let free = self.file.as_ref().map(|file| (self.free)(file));
        match (growth, free) {
            (Ok(growth), Some(Ok(free))) => growth.saturating_add(LEFT) <= free,
            _ => false,
        }
    }

    /// Gives it up.
    pub(super) fn give_up(&mut self) {
        if let Some(file) = &self.file
            && file.set_len(0).is_ok()
        {
            self.is_held = false;
        }
    }

    /// Whether it is held, or can be taken again, or never could.
    pub(super) fn take(&mut self) -> bool {
        let Some(file) = &self.file else {
            return true;
        };
        if self.is_held {
            return true;
        }
        if (self.free)(file).is_ok_and(|free| free < LOW + BYTES) {
            return false;
        }
        match fallocate(file, FallocateFlags::empty(), 0, BYTES) {
            Ok(()) => self.is_held = true,
            Err(rustix::io::Errno::NOSPC) => return false,
            // The file system knows nothing of the kind.
            Err(_) => self.file = None,
        }
        true
    }
}

fn path(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push("-reserve");
    path.into()
}

fn free(file: &File) -> io::Result<u64> {
    let found = fstatvfs(file)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(free: u64) -> Free {
        Box::new(move |_| Ok(free))
    }

    #[test]
    fn the_reserve_is_released_and_taken_again_once_there_is_enough_space() {
        let folder = tempfile::tempdir().unwrap();
        let taken = || {
            let file = folder.path().join("test.db-reserve");
            fs::metadata(file).unwrap().len()
        };
        let mut reserve = Reserve::with(&folder.path().join("test.db"), has(u64::MAX));
        assert_eq!(taken(), BYTES);
        assert!(!reserve.is_low());

        reserve.give_up();
        reserve.free = has(LOW - 1);
        assert_eq!(taken(), 0);
        assert!(reserve.is_low());
        reserve.free = has(LOW + BYTES - 1);
        assert!(!reserve.take(), "there would be less than enough");

        reserve.free = has(LOW + BYTES);
        assert!(reserve.take());
        assert_eq!(taken(), BYTES);
    }

    #[test]
    fn the_reserve_is_taken_once_however_often_the_database_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("test.db");
        assert!(Reserve::beside(&database).is_held);
        assert!(Reserve::with(&database, has(0)).is_held);
    }

    #[test]
    fn the_database_grows_by_no_more_than_the_free_space() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("test.db");
        fs::write(&database, [0; 4_096]).unwrap();
        let reserve = Reserve::with(&database, has(BYTES));
        assert!(reserve.has_room_for(4_096 + BYTES - LEFT));
        assert!(!reserve.has_room_for(4_097 + BYTES - LEFT));
    }
}
