//! How much one run may store: bytes of content and number of inodes.
//!
//! What the guest itself put there before the run (folders, devices) is free.

use super::error::no_space;

/// Upper bounds on what a script may store, both counted over all files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Bytes that the contents of all files may have together.
    pub bytes: u64,
    /// Files, folders and links that may exist at one time.
    pub inodes: u64,
}

impl Quota {
    /// No bound that a test could reach by accident: 64 MiB, 1,024 inodes.
    pub const DEFAULT: Self = Self {
        bytes: 64 << 20,
        inodes: 1024,
    };
}

/// What is in use at the moment, and what may be.
#[derive(Debug)]
pub(super) struct Ledger {
    quota: Quota,
    bytes: u64,
    inodes: u64,
}

impl Ledger {
    pub(super) const fn new(quota: Quota) -> Self {
        Self {
            quota,
            bytes: 0,
            inodes: 0,
        }
    }

    pub(super) const fn quota(&self) -> Quota {
        self.quota
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Forgets what is in use so far and sets new bounds for what follows.
    pub(super) fn restart(&mut self, quota: Quota) {
        *self = Self::new(quota);
    }

    /// Checks that a file may change its length from `old` to `new` bytes.
    pub(super) fn check_bytes(&self, old: usize, new: usize) -> bashkit::Result<()> {
        let after = self.bytes.saturating_sub(old as u64) + new as u64;
        if new > old && after > self.quota.bytes {
            return Err(no_space());
        }
        Ok(())
    }

    /// Records that a file changed its length from `old` to `new` bytes.
    pub(super) fn move_bytes(&mut self, old: usize, new: usize) {
        self.bytes = self.bytes.saturating_sub(old as u64) + new as u64;
    }

    /// Checks that `count` more inodes may be made.
    pub(super) fn check_inodes(&self, count: u64) -> bashkit::Result<()> {
        if self.inodes.saturating_add(count) > self.quota.inodes {
            return Err(no_space());
        }
        Ok(())
    }

    pub(super) fn add_inode(&mut self) {
        self.inodes += 1;
    }

    pub(super) fn drop_inode(&mut self) {
        self.inodes = self.inodes.saturating_sub(1);
    }
}
