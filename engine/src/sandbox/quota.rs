//! What a guest's files may take where the kernel does not count them.
//!
//! On a scratch file system of its own the kernel holds bytes and inodes; only
//! descriptors are counted here. In a plain folder everything is.

use std::collections::BTreeSet;
use std::fs::File;
use std::sync::{Arc, Weak};

/// The block in which files take up space.
pub(crate) const BLOCK_BYTES: u64 = 4096;

/// What is left to one guest.
pub(crate) struct Quota {
    descriptors: u32,
    /// The numbers under which a module has files and folders open that it has opened.
    open: BTreeSet<u32>,
    /// What a component has open, as long as anything holds it.
    held: Vec<Weak<File>>,
    /// Entries that its folders may have by now, the host's own among them.
    entries: u64,
    entries_most: u64,
    folder: Option<FolderQuota>,
}

/// What is left to a guest whose files lie in a plain folder.
pub(crate) struct FolderQuota {
    pub(crate) bytes: u64,
    pub(crate) inodes: u32,
    pub(crate) file_bytes: u64,
}

/// What a guest does not have enough of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Short {
    /// Too many descriptors are open.
    Descriptors,
    /// No more files may be made.
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

    /// Bytes that were charged to the folder, of `limit`.
    pub(crate) fn folder_used(&self, limit: u64) -> u64 {
        self.folder
            .as_ref()
            .map_or(0, |folder| limit.saturating_sub(folder.bytes))
    }

    /// Whether one more descriptor may be opened.
    pub(crate) fn may_open(&self) -> Result<(), Short> {
        match self.open.len() < self.descriptors as usize {
            true => Ok(()),
            false => Err(Short::Descriptors),
        }
    }

    /// Counts a descriptor that was opened, under its number.
    pub(crate) fn opened(&mut self, fd: u32) {
        self.open.insert(fd);
    }

    /// Counts a descriptor that was closed. Those that a module begins with were
    /// never counted.
    pub(crate) fn closed(&mut self, fd: u32) {
        self.open.remove(&fd);
    }

    /// Follows a descriptor that has taken the number of another, which was closed
    /// by that.
    pub(crate) fn renumbered(&mut self, from: u32, to: u32) {
        if from == to {
            return;
        }
        self.open.remove(&to);
        if self.open.remove(&from) {
            self.open.insert(to);
        }
    }

    /// Whether a module has opened this descriptor: it may stand where a standard
    /// stream was.
    pub(crate) fn is_file(&self, fd: u32) -> bool {
        self.open.contains(&fd)
    }

    /// Whether one more file may be held open.
    pub(crate) fn may_hold(&mut self) -> Result<(), Short> {
        self.held.retain(|file| file.strong_count() > 0);
        match self.held.len() < self.descriptors as usize {
            true => Ok(()),
            false => Err(Short::Descriptors),
        }
    }

    /// Counts a file that is held open from now on, until nothing holds it.
    pub(crate) fn holds(&mut self, file: &Arc<File>) {
        self.held.push(Arc::downgrade(file));
    }

    /// Counts an entry that a call may be about to make. Removing one does not
    /// count: what a folder is priced by is never too little.
    pub(crate) fn made_entry(&mut self) {
        self.entries = (self.entries + 1).min(self.entries_most);
    }

    /// The most entries that reading a folder may find.
    pub(crate) fn entries(&self) -> u64 {
        self.entries
    }

    /// Takes one inode, before the call that may make a file.
    pub(crate) fn take_inode(&mut self) -> Result<(), Short> {
        self.made_entry();
        let Some(folder) = &mut self.folder else {
            return Ok(());
        };
        folder.inodes = folder.inodes.checked_sub(1).ok_or(Short::Inodes)?;
        Ok(())
    }

    /// Takes the blocks that a write of `bytes` at an unknown place may need.
    ///
    /// Never given back: a guest that rewrites one file over and over pays for
    /// each time. Counting bytes alone is beatable by writing one to each block.
    pub(crate) fn take_bytes(&mut self, bytes: u64) -> Result<(), Short> {
        let Some(folder) = &mut self.folder else {
            return Ok(());
        };
        let blocks = bytes.div_ceil(BLOCK_BYTES).saturating_mul(BLOCK_BYTES);
        folder.bytes = folder.bytes.checked_sub(blocks).ok_or(Short::Space)?;
        Ok(())
    }

    /// Checks the size that a file is about to have.
    pub(crate) fn may_reach(&self, size: u64) -> Result<(), Short> {
        match &self.folder {
            Some(folder) if size > folder.file_bytes => Err(Short::FileSize),
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
        assert_eq!(quota.take_bytes(1), Err(Short::Space));
        quota.take_inode().unwrap();
        assert_eq!(quota.take_inode(), Err(Short::Inodes));
        assert_eq!(quota.may_reach(BLOCK_BYTES + 1), Err(Short::FileSize));
    }

    #[test]
    fn a_file_is_held_as_long_as_anything_holds_it() {
        let file = Arc::new(File::open("/dev/null").unwrap());
        let stream = Arc::clone(&file);
        let mut quota = Quota::new(1, 1, None);
        quota.may_hold().unwrap();
        quota.holds(&file);
        assert_eq!(quota.may_hold(), Err(Short::Descriptors));
        drop(file);
        assert_eq!(quota.may_hold(), Err(Short::Descriptors));
        drop(stream);
        quota.may_hold().unwrap();
    }

    #[test]
    fn a_descriptor_that_is_closed_can_be_opened_again() {
        let mut quota = Quota::new(1, 1, None);
        quota.may_open().unwrap();
        quota.opened(4);
        assert_eq!(quota.may_open(), Err(Short::Descriptors));
        quota.closed(3);
        assert_eq!(quota.may_open(), Err(Short::Descriptors));
        quota.closed(4);
        quota.may_open().unwrap();
    }

    #[test]
    fn a_descriptor_that_takes_the_place_of_another_counts_once() {
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
        // A standard stream in the place of a file is none.
        quota.renumbered(2, 1);
        assert!(!quota.is_file(1));
    }
}
