//! The folder that one run may write to, and that is removed afterwards.
//!
//! Where the kernel allows it, this is a tmpfs of its own with a bound on bytes and inodes,
//! mounted where no other process sees it. Otherwise it is a plain folder whose quota the
//! host counts.

mod mount_namespace;
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

/// How scratch folders are created on this machine.
pub(crate) enum Scratches {
    /// Each is a file system of its own.
    Mounted(Arc<Pool>),
    /// Each is a folder in this one, which contains nothing else.
    Folders { parent: TempDir, open: File },
}

/// The scratch folder of one run.
pub(crate) struct Scratch {
    tree: Option<Tree>,
    /// Bytes that the file system contained when the run got it.
    held_before: u64,
    taken_at: Instant,
    /// Whether the run may still be writing; `None` unless it has ended by itself.
    ended: Option<Writers>,
    pool: Option<Arc<Pool>>,
}

impl Scratches {
    /// Detects which way this machine supports; plain folders are created in `parent`.
    pub(crate) fn probe(parent: &Path, lockdown: Lockdown) -> Result<Self, Error> {
        match Pool::start(lockdown) {
            Ok(pool) => Ok(Self::Mounted(Arc::new(pool))),
            Err(NoPool::Lockdown(error)) => Err(error),
            Err(NoPool::CannotMount(error)) => {
                tracing::warn!(
                    %error,
                    "cannot mount scratch file systems; the files of modules are counted \
                     instead, and components get theirs read-only"
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

    /// Returns the folder that contains all scratch folders, and nothing else.
    pub(crate) fn parent(&self) -> BorrowedFd<'_> {
        match self {
            Self::Mounted(pool) => pool.parent(),
            Self::Folders { open, .. } => open.as_fd(),
        }
    }

    /// Returns whether the kernel enforces the quota.
    pub(crate) fn are_mounted(&self) -> bool {
        matches!(self, Self::Mounted(_))
    }

    /// Returns what the host has to count for a run with these limits.
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
    /// Returns the folder itself.
    pub(crate) fn tree(&self) -> &Tree {
        self.tree
            .as_ref()
            .expect("the folder is there until the drop")
    }

    /// Records that the run has ended by itself. An interrupted run may still be writing,
    /// so its folder is not reused.
    pub(crate) fn note_end(&mut self, writers: Writers) {
        self.ended = Some(writers);
    }

    /// Takes a plain folder, to be removed by the caller. Mounted ones are unmounted by a
    /// thread of their own.
    pub(crate) fn take_plain(&mut self) -> Option<Tree> {
        match self.pool {
            Some(_) => None,
            None => self.tree.take(),
        }
    }

    /// Returns the bytes that the run's files take, where the kernel counts them.
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
            None => pool.discard(tree),
        }
    }
}
