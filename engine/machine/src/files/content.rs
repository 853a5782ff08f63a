//! The bytes of a regular file: blocks, and holes that read as zeros.

use std::collections::BTreeMap;

use super::quota::Quota;
use crate::errno::Errno;

/// The unit in which files take up space, in bytes.
pub const BLOCK_BYTES: usize = 4096;

const BLOCK: u64 = BLOCK_BYTES as u64;

/// The largest size of a file: an offset is a signed number of 64 bits.
const SIZE_MAX: u64 = i64::MAX as u64;

/// A block; `None` if it takes its place, but was never written.
type Block = Option<Box<[u8; BLOCK_BYTES]>>;

/// The bytes of one file.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    len: u64,
    /// By the offset divided by the size of a block. None lies wholly behind the end.
    blocks: BTreeMap<u64, Block>,
}

impl Content {
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Returns how many blocks it takes.
    pub(super) fn blocks(&self) -> u64 {
        self.blocks.len() as u64
    }

    /// Returns the blocks that were written, each with its place among all.
    pub(super) fn written(&self) -> impl Iterator<Item = (u64, &[u8; BLOCK_BYTES])> {
        let blocks = self.blocks.iter();
        blocks.filter_map(|(place, block)| Some((*place, &**block.as_ref()?)))
    }

    /// Copies what there is from `at` on; returns how much, zero at the end.
    pub(super) fn read(&self, at: u64, out: &mut [u8]) -> usize {
        let there = usize::try_from(self.len.saturating_sub(at)).unwrap_or(usize::MAX);
        let count = out.len().min(there);
        let mut done = 0;
        while done < count {
            let from = at + done as u64;
            let within = within(from);
            let piece = &mut out[done..count.min(done + BLOCK_BYTES - within)];
            match self.blocks.get(&(from / BLOCK)) {
                Some(Some(block)) => piece.copy_from_slice(&block[within..within + piece.len()]),
                Some(None) | None => piece.fill(0),
            }
            done += piece.len();
        }
        count
    }

    /// Writes as much as there is room for; returns how much.
    ///
    /// # Errors
    ///
    /// [`Errno::Fbig`] behind the largest offset, [`Errno::Nospc`] if there is room for
    /// nothing at all.
    pub(super) fn write(
        &mut self,
        at: u64,
        bytes: &[u8],
        quota: &mut Quota,
    ) -> Result<usize, Errno> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let room = SIZE_MAX.saturating_sub(at);
        if room == 0 {
            return Err(Errno::Fbig);
        }
        let count = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        let mut done = 0;
        while done < count {
            let from = at + done as u64;
            let within = within(from);
            let piece = &bytes[done..count.min(done + BLOCK_BYTES - within)];
            match self.block(from / BLOCK, quota) {
                Ok(block) => {
                    let block = block.get_or_insert_with(|| Box::new([0; BLOCK_BYTES]));
                    block[within..within + piece.len()].copy_from_slice(piece);
                }
                Err(error) if done == 0 => return Err(error),
                Err(_) => break,
            }
            done += piece.len();
        }
        self.len = self.len.max(at + done as u64);
        Ok(done)
    }

    /// Cuts the file, or makes it longer by a hole.
    pub(super) fn resize(&mut self, len: u64, quota: &mut Quota) -> Result<(), Errno> {
        if len > SIZE_MAX {
            return Err(Errno::Fbig);
        }
        if len < self.len {
            let gone = self.blocks.split_off(&len.div_ceil(BLOCK));
            quota.give_blocks(gone.len() as u64);
            if let Some(Some(last)) = self.blocks.get_mut(&(len / BLOCK)) {
                last[within(len)..].fill(0);
            }
        }
        self.len = len;
        Ok(())
    }

    /// Fills the holes of a range, and makes the file reach to its end, or does nothing.
    ///
    /// # Errors
    ///
    /// [`Errno::Fbig`] or [`Errno::Nospc`].
    pub(super) fn allocate(&mut self, at: u64, len: u64, quota: &mut Quota) -> Result<(), Errno> {
        let end = at.checked_add(len).filter(|end| *end <= SIZE_MAX);
        let end = end.ok_or(Errno::Fbig)?;
        let range = at / BLOCK..end.div_ceil(BLOCK);
        let there = self.blocks.range(range.clone()).count() as u64;
        if range.end - range.start - there > quota.free_blocks() {
            return Err(Errno::Nospc);
        }
        for number in range {
            self.block(number, quota)?;
        }
        self.len = self.len.max(end);
        Ok(())
    }

    /// Gives all blocks back.
    pub(super) fn clear(&mut self, quota: &mut Quota) {
        quota.give_blocks(self.blocks());
        *self = Self::default();
    }

    fn block(&mut self, number: u64, quota: &mut Quota) -> Result<&mut Block, Errno> {
        use std::collections::btree_map::Entry;
        match self.blocks.entry(number) {
            Entry::Occupied(block) => Ok(block.into_mut()),
            Entry::Vacant(place) => {
                quota.take_block()?;
                Ok(place.insert(None))
            }
        }
    }
}

/// Returns the offset within a block.
fn within(at: u64) -> usize {
    usize::try_from(at % BLOCK).expect("a block is small")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(blocks: u64) -> Quota {
        Quota::new(blocks * BLOCK, 0)
    }

    #[test]
    fn a_write_stops_where_the_quota_ends() {
        let (mut content, mut quota) = (Content::default(), quota(2));
        let bytes = vec![7; 3 * BLOCK_BYTES];
        assert_eq!(
            content.write(1, &bytes, &mut quota),
            Ok(2 * BLOCK_BYTES - 1)
        );
        assert_eq!(content.len(), 2 * BLOCK);
        let more = content.write(2 * BLOCK, b"x", &mut quota);
        assert_eq!(more, Err(Errno::Nospc));
        content.resize(0, &mut quota).unwrap();
        assert_eq!(quota.used_bytes(), 0);
    }

    #[test]
    fn what_was_cut_off_reads_as_zeros_afterwards() {
        let (mut content, mut quota) = (Content::default(), quota(1));
        content.write(0, b"abcdef", &mut quota).unwrap();
        content.resize(2, &mut quota).unwrap();
        content.resize(6, &mut quota).unwrap();
        let mut read = [1; 8];
        assert_eq!(content.read(0, &mut read), 6);
        assert_eq!(&read, b"ab\0\0\0\0\x01\x01");
    }

    #[test]
    fn no_file_reaches_beyond_the_largest_offset() {
        let (mut content, mut quota) = (Content::default(), quota(4));
        assert_eq!(content.write(SIZE_MAX - 1, b"ab", &mut quota), Ok(1));
        assert_eq!(content.write(SIZE_MAX, b"a", &mut quota), Err(Errno::Fbig));
        assert_eq!(content.write(u64::MAX, b"a", &mut quota), Err(Errno::Fbig));
        assert_eq!(content.resize(1 << 63, &mut quota), Err(Errno::Fbig));
        assert_eq!(content.allocate(u64::MAX, 1, &mut quota), Err(Errno::Fbig));
        assert_eq!(content.read(u64::MAX, &mut [0; 4]), 0);
        assert_eq!(quota.used_bytes(), BLOCK);
    }

    #[test]
    fn holes_take_nothing_until_they_are_filled() {
        let (mut content, mut quota) = (Content::default(), quota(3));
        content.resize(1 << 40, &mut quota).unwrap();
        assert_eq!(content.blocks(), 0);
        content.allocate(BLOCK - 1, 2, &mut quota).unwrap();
        assert_eq!((content.blocks(), content.len()), (2, 1 << 40));
        assert_eq!(
            content.allocate(0, 4 * BLOCK, &mut quota),
            Err(Errno::Nospc)
        );
    }
}
