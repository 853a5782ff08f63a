//! How much the files of a run may hold.

use super::content::BLOCK_BYTES;
use crate::errno::Errno;

/// How much the files of a run may hold.
///
/// Bytes are counted in blocks, holes are not; every name counts as an inode, as does a
/// file that is open without any name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    blocks: u64,
    inodes: u64,
    blocks_used: u64,
    inodes_used: u64,
    /// What was in use before the run, and is allowed on top.
    own_blocks: u64,
    own_inodes: u64,
}

impl Quota {
    /// Allows so many bytes, rounded down to whole blocks, and so many inodes.
    #[must_use]
    pub fn new(bytes: u64, inodes: u64) -> Self {
        Self {
            blocks: bytes / BLOCK_BYTES as u64,
            inodes,
            blocks_used: 0,
            inodes_used: 0,
            own_blocks: 0,
            own_inodes: 0,
        }
    }

    /// Returns the bytes of the blocks that are in use beyond the host's own.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.blocks_used.saturating_sub(self.own_blocks) * BLOCK_BYTES as u64
    }

    /// Returns the inodes that are in use beyond the host's own.
    #[must_use]
    pub fn used_inodes(&self) -> u64 {
        self.inodes_used.saturating_sub(self.own_inodes)
    }

    /// Returns this quota beside what is in use already, which is the host's own.
    pub(super) fn beside(self, own: &Self) -> Self {
        Self {
            blocks: self.blocks + own.blocks_used,
            inodes: self.inodes + own.inodes_used,
            own_blocks: own.blocks_used,
            own_inodes: own.inodes_used,
            ..*own
        }
    }

    pub(super) fn free_blocks(&self) -> u64 {
        self.blocks.saturating_sub(self.blocks_used)
    }

    pub(super) fn take_block(&mut self) -> Result<(), Errno> {
        if self.blocks_used >= self.blocks {
            return Err(Errno::Nospc);
        }
        self.blocks_used += 1;
        Ok(())
    }

    pub(super) fn give_blocks(&mut self, count: u64) {
        self.blocks_used = self.blocks_used.saturating_sub(count);
    }

    pub(super) fn take_inode(&mut self) -> Result<(), Errno> {
        if self.inodes_used >= self.inodes {
            return Err(Errno::Nospc);
        }
        self.inodes_used += 1;
        Ok(())
    }

    pub(super) fn give_inode(&mut self) {
        self.inodes_used = self.inodes_used.saturating_sub(1);
    }
}
