//! The folder that one run may write into, and that is gone afterwards.
//!
//! Where the kernel lets us, it is a memory file system of its own with a bound
//! on bytes and inodes, mounted where nobody else sees it. Otherwise it is a plain
//! folder whose quota the host counts.

mod berths;
mod pool;
mod tree;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use tempfile::TempDir;

use self::pool::{NoPool, Pool};
pub(crate) use self::tree::{Tree, Writers};
use super::quota::FolderQuota;
use crate::error::Error;
use crate::limits::Limits;
use crate::lockdown::Lockdown;

/// How scratch folders are made on this machine.
pub(crate) enum Scratches {
    /// Each on a file system of its own.
    Mounted(Arc<Pool>),
    /// Each a folder in this one, which holds nothing else.
    Folders { parent: TempDir, open: File },
}

/// A scratch folder in the hands of one run.
pub(crate) struct Scratch {
    tree: Option<Tree>,
    /// Bytes that the file system held when the run got it.
    held_before: u64,
    taken_at: Instant,
    /// What the run may still have under way; `None` unless it has ended by itself.
    ended: Option<Writers>,
    pool: Option<Arc<Pool>>,
}

impl Scratches {
    /// Finds out which way this machine allows; plain folders are made in `parent`.
    pub(crate) fn probe(parent: &Path, lockdown: Lockdown) -> Result<Self, Error> {
        match Pool::start(lockdown) {
            Ok(pool) => Ok(Self::Mounted(Arc::new(pool))),
            Err(NoPool::NotHeld(error)) => Err(error),
            Err(NoPool::CannotMount(error)) => {
                tracing::warn!(
                    %error,
                    "cannot mount scratch file systems; files of modules are counted instead, \
                     and components get theirs read-only"
                );
                Self::folders(parent).map_err(|source| Error::Scratch {
                    path: parent.to_owned(),
                    source,
                })
            }
        }
    }

    fn folders(parent: &Path) -> io::Result<Self> {
        let parent = tempfile::Builder::new()
            .prefix("tenterhook-")
            .tempdir_in(parent)?;
        let open = File::open(parent.path())?;
        Ok(Self::Folders { parent, open })
    }

    /// The folder beneath which all scratch folders lie, and nothing else.
    pub(crate) fn parent(&self) -> BorrowedFd<'_> {
        match self {
            Self::Mounted(pool) => pool.parent(),
            Self::Folders { open, .. } => open.as_fd(),
        }
    }

    /// Whether the kernel holds the quota.
    pub(crate) fn are_mounted(&self) -> bool {
        matches!(self, Self::Mounted(_))
    }

    /// What the host has to count for a run with these limits.
    pub(crate) fn quota(&self, limits: &Limits) -> Option<FolderQuota> {
        (!self.are_mounted()).then_some(FolderQuota {
            bytes: limits.files,
            inodes: limits.inodes,
            file_bytes: limits.files,
        })
    }

    /// Gives a run a clean scratch folder with its event in it.
    pub(crate) fn open(&self, limits: &Limits, event: &[u8]) -> Result<Scratch, Error> {
        let parent = match self {
            Self::Mounted(_) => Path::new("tmpfs"),
            Self::Folders { parent, .. } => parent.path(),
        };
        self.try_open(limits, event)
            .map_err(|source| Error::Scratch {
                path: parent.to_owned(),
                source,
            })
    }

    fn try_open(&self, limits: &Limits, event: &[u8]) -> io::Result<Scratch> {
        let (mut tree, pool) = match self {
            Self::Mounted(pool) => (pool.take(limits)?, Some(Arc::clone(pool))),
            Self::Folders { parent, .. } => (Tree::folder(parent.path())?, None),
        };
        tree.place_event(event)?;
        Ok(Scratch {
            taken_at: Instant::now(),
            held_before: tree.held(),
            tree: Some(tree),
            ended: None,
            pool,
        })
    }
}

impl Scratch {
    /// The folder itself.
    pub(crate) fn tree(&self) -> &Tree {
        self.tree
            .as_ref()
            .expect("the folder is there until the drop")
    }

    /// Notes that the run has ended by itself. Whatever was cut short may go on to
    /// write, so nobody gets its folder.
    pub(crate) fn note_end(&mut self, writers: Writers) {
        self.ended = Some(writers);
    }

    /// Takes a plain folder out, to be removed elsewhere. Mounted ones have a thread
    /// that takes them apart.
    pub(crate) fn take_plain(&mut self) -> Option<Tree> {
        match self.pool {
            Some(_) => None,
            None => self.tree.take(),
        }
    }

    /// Bytes that the run's files take, where the kernel counts them.
    pub(crate) fn used(&self) -> u64 {
        self.tree().held().saturating_sub(self.held_before)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let (Some(pool), Some(tree)) = (self.pool.take(), self.tree.take()) else {
            return;
        };
        match self.ended {
            Some(writers) => pool.give_back(tree, self.taken_at, writers),
            None => pool.throw_away(tree),
        }
    }
}
