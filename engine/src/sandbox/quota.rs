//! Quotas for a guest's files, where the kernel does not enforce them.
//!
//! On a scratch file system of its own the kernel bounds bytes and inodes; only
//! descriptors are counted here. In a plain folder everything is.

use std::collections::BTreeSet;
use std::fs::File;
use std::sync::{Arc, Weak};

/// The block in which files take up space.
pub(crate) const BLOCK_BYTES: u64 = 4096;

/// What is left for one guest.
pub(crate) struct Quota {
    descriptors: u32,
    /// The descriptors of the files and folders that a module has opened.
    open: BTreeSet<u32>,
    /// What a component has open, as long as anything holds it.
    held: Vec<Weak<File>>,
    /// The most entries that its folders may currently have, including the host's own.
    entries: u64,
    entries_most: u64,
    folder: Option<FolderQuota>,
}

/// What is left for a guest whose files are in a plain folder.
pub(crate) struct FolderQuota {
    pub(crate) bytes: u64,
    pub(crate) inodes: u32,
    pub(crate) file_bytes: u64,
}

/// Which quota a guest has exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exceeded {
    /// Too many descriptors are open.
    Descriptors,
    /// No more files may be created.
    Inodes,
    /// No more may be written.
    Space,
    /// The file would become too large.
    FileSize,
}

impl Quota {
    pub(crate) fn new(descriptors: u32, inodes: u32, folder: Option<FolderQuota>) -> Self {
        /// `work`, `tmp`, the event and the like.
        const OURS: u64 = 8;
        Self {
            descriptors,
            open: BTreeSet::new(),
            held: Vec::new(),
            entries: OURS,
            entries_most: OURS + u64::from(inodes),
            folder,
        }
    }

    /// Returns the bytes of `limit` that were charged to the folder.
    pub(crate) fn folder_used(&self, limit: u64) -> u64 {
        self.folder
            .as_ref()
            .map_or(0, |folder| limit.saturating_sub(folder.bytes))
    }

    /// Checks that one more descriptor may be opened.
    pub(crate) fn may_open(&self) -> Result<(), Exceeded> {
        match self.open.len() < self.descriptors as usize {
            true => Ok(()),
            false => Err(Exceeded::Descriptors),
        }
    }

    /// Records that a descriptor was opened.
    pub(crate) fn opened(&mut self, fd: u32) {
        self.open.insert(fd);
    }

    /// Records that a descriptor was closed. Those that a module starts with were never
    /// counted.
    pub(crate) fn closed(&mut self, fd: u32) {
        self.open.remove(&fd);
    }

    /// Records that a descriptor has replaced another, which that has closed.
    pub(crate) fn renumbered(&mut self, from: u32, to: u32) {
        if from == to {
            return;
        }
        self.open.remove(&to);
        if self.open.remove(&from) {
            self.open.insert(to);
        }
    }

    /// Returns whether a module has opened this descriptor, even in place of a standard
    /// stream.
    pub(crate) fn is_file(&self, fd: u32) -> bool {
        self.open.contains(&fd)
    }

    /// Makes room for one more open file, after forgetting those that nothing holds open
    /// any more.
    pub(crate) fn reserve(&mut self) -> Result<(), Exceeded> {
        self.held.retain(|file| file.strong_count() > 0);
        match self.held.len() < self.descriptors as usize {
            true => Ok(()),
            false => Err(Exceeded::Descriptors),
        }
    }

    /// Counts an open file until nothing holds it any more.
    pub(crate) fn track(&mut self, file: &Arc<File>) {
        self.held.push(Arc::downgrade(file));
    }

    /// Counts an entry that a call may be about to create. Removing one does not count: the
    /// price of a folder must never be too low.
    pub(crate) fn count_entry(&mut self) {
        self.entries = (self.entries + 1).min(self.entries_most);
    }

    /// Returns the most entries that reading a folder may find.
    pub(crate) fn entries(&self) -> u64 {
        self.entries
    }

    /// Takes one inode, before the call that may create a file.
    pub(crate) fn take_inode(&mut self) -> Result<(), Exceeded> {
        self.count_entry();
        let Some(folder) = &mut self.folder else {
            return Ok(());
        };
        folder.inodes = folder.inodes.checked_sub(1).ok_or(Exceeded::Inodes)?;
        Ok(())
    }

    /// Takes the blocks that a write of `bytes` at an unknown offset may need.
    ///
    /// Never returned: a guest that rewrites one file over and over pays each time.
    /// Counting bytes alone could be defeated by writing one to each block.
    pub(crate) fn take_bytes(&mut self, bytes: u64) -> Result<(), Exceeded> {
        let Some(folder) = &mut self.folder else {
            return Ok(());
        };
        let blocks = bytes.div_ceil(BLOCK_BYTES).saturating_mul(BLOCK_BYTES);
        folder.bytes = folder.bytes.checked_sub(blocks).ok_or(Exceeded::Space)?;
        Ok(())
    }

    /// Checks the size that a file is about to have.
    pub(crate) fn may_reach(&self, size: u64) -> Result<(), Exceeded> {
        match &self.folder {
            Some(folder) if size > folder.file_bytes => Err(Exceeded::FileSize),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_byte_costs_a_whole_block() {
        let folder = FolderQuota {
            bytes: 2 * BLOCK_BYTES,
            inodes: 1,
            file_bytes: BLOCK_BYTES,
        };
        let mut quota = Quota::new(1, 1, Some(folder));
        quota.take_bytes(1).unwrap();
        quota.take_bytes(1).unwrap();
        assert_eq!(quota.take_bytes(1), Err(Exceeded::Space));
        quota.take_inode().unwrap();
        assert_eq!(quota.take_inode(), Err(Exceeded::Inodes));
        assert_eq!(quota.may_reach(BLOCK_BYTES + 1), Err(Exceeded::FileSize));
    }

    #[test]
    fn a_file_counts_as_long_as_anything_holds_it() {
        let file = Arc::new(File::open("/dev/null").unwrap());
        let stream = Arc::clone(&file);
        let mut quota = Quota::new(1, 1, None);
        quota.reserve().unwrap();
        quota.track(&file);
        assert_eq!(quota.reserve(), Err(Exceeded::Descriptors));
        drop(file);
        assert_eq!(quota.reserve(), Err(Exceeded::Descriptors));
        drop(stream);
        quota.reserve().unwrap();
    }

    #[test]
    fn a_descriptor_that_is_closed_can_be_opened_again() {
        let mut quota = Quota::new(1, 1, None);
        quota.may_open().unwrap();
        quota.opened(4);
        assert_eq!(quota.may_open(), Err(Exceeded::Descriptors));
        quota.closed(3);
        assert_eq!(quota.may_open(), Err(Exceeded::Descriptors));
        quota.closed(4);
        quota.may_open().unwrap();
    }

    #[test]
    fn a_descriptor_that_replaces_another_counts_once() {
        let mut quota = Quota::new(2, 1, None);
        quota.opened(4);
        quota.opened(5);
        quota.renumbered(5, 4);
        quota.may_open().unwrap();
        assert!(quota.is_file(4) && !quota.is_file(5));
        quota.renumbered(4, 1);
        assert!(quota.is_file(1) && !quota.is_file(4));
        quota.renumbered(1, 1);
        assert!(quota.is_file(1));
        // A standard stream in place of a file is not a file.
        quota.renumbered(2, 1);
        assert!(!quota.is_file(1));
    }
}
