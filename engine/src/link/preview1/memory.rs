//! A guest's memory: every address is checked, and none is trusted.

use super::errno::{FAULT, Fault, INVAL};

/// The most buffers that one read or write may have.
pub(super) const PIECES_MAX: u32 = 1024;

/// The most bytes that one read or write moves; the rest is left to the next call.
const MOVED_MAX_BYTES: usize = 4 << 20;

/// A guest's memory.
pub(super) struct Memory<'a>(pub(super) &'a mut [u8]);

/// A part of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) at: u32,
    pub(super) len: u32,
}

impl Memory<'_> {
    /// Returns the bytes of a part.
    pub(super) fn bytes(&self, at: u32, len: u32) -> Result<&[u8], Fault> {
        let end = at as usize + len as usize;
        self.0.get(at as usize..end).ok_or(FAULT)
    }

    /// Returns the bytes of a part, to be overwritten.
    pub(super) fn bytes_mut(&mut self, at: u32, len: u32) -> Result<&mut [u8], Fault> {
        let end = at as usize + len as usize;
        self.0.get_mut(at as usize..end).ok_or(FAULT)
    }

    pub(super) fn put(&mut self, at: u32, bytes: &[u8]) -> Result<(), Fault> {
        let len = u32::try_from(bytes.len()).map_err(|_| FAULT)?;
        self.bytes_mut(at, len)?.copy_from_slice(bytes);
        Ok(())
    }

    pub(super) fn put_u32(&mut self, at: u32, value: u32) -> Result<(), Fault> {
        self.put(at, &value.to_le_bytes())
    }

    pub(super) fn put_u64(&mut self, at: u32, value: u64) -> Result<(), Fault> {
        self.put(at, &value.to_le_bytes())
    }

    /// Stores a size or a count. A guest's memory is smaller than 4 GiB, and so is what
    /// fits into it.
    pub(super) fn put_len(&mut self, at: u32, len: usize) -> Result<(), Fault> {
        self.put_u32(at, u32::try_from(len).map_err(|_| INVAL)?)
    }

    fn u32(&self, at: u32) -> Result<u32, Fault> {
        let bytes = self.bytes(at, 4)?;
        Ok(u32::from_le_bytes(bytes.try_into().expect("four bytes")))
    }

    /// Reads a list of buffers; together they are as long as one call moves at most.
    ///
    /// They are read before any is written to: a guest may let them overlap the list.
    pub(super) fn pieces(&self, at: u32, count: u32) -> Result<Vec<Piece>, Fault> {
        if count > PIECES_MAX {
            return Err(INVAL);
        }
        let mut room = MOVED_MAX_BYTES;
        let mut pieces = Vec::with_capacity(count as usize);
        for index in 0..count {
            let at = at.checked_add(index * 8).ok_or(FAULT)?;
            let piece = Piece {
                at: self.u32(at)?,
                len: self.u32(at.checked_add(4).ok_or(FAULT)?)?,
            };
            // The whole buffer has to be there, even where a part of it is used.
            let len = self.bytes(piece.at, piece.len)?.len().min(room);
            room -= len;
            if len > 0 {
                let len = u32::try_from(len).expect("it is no longer than it was");
                pieces.push(Piece { len, ..piece });
            }
        }
        Ok(pieces)
    }
}

/// Returns how long these buffers are together.
pub(super) fn total(pieces: &[Piece]) -> usize {
    pieces.iter().map(|piece| piece.len as usize).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_fault<T>(result: Result<T, Fault>) -> bool {
        matches!(result, Err(Fault::Number(21)))
    }

    #[test]
    fn no_address_reaches_beyond_the_memory() {
        let mut bytes = [0; 16];
        let mut memory = Memory(&mut bytes);
        memory.put_u64(8, u64::MAX).unwrap();
        assert!(is_fault(memory.put_u64(9, 0)));
        assert!(is_fault(memory.put_u32(u32::MAX, 0)));
        assert!(is_fault(memory.bytes(u32::MAX, u32::MAX).map(<[u8]>::len)));
        assert!(memory.bytes(16, 0).unwrap().is_empty());
        assert!(is_fault(memory.bytes(17, 0).map(<[u8]>::len)));
    }

    #[test]
    fn a_list_of_buffers_is_as_long_as_one_call_moves() {
        let mut bytes = vec![0; 8 << 20];
        let mut memory = Memory(&mut bytes);
        for (index, (at, len)) in [(64, 0), (64, 3 << 20), (64, 3 << 20), (64, 1)]
            .into_iter()
            .enumerate()
        {
            let place = u32::try_from(index * 8).unwrap();
            memory.put_u32(place, at).unwrap();
            memory.put_u32(place + 4, len).unwrap();
        }
        let pieces = memory.pieces(0, 4).unwrap();
        let lens: Vec<u32> = pieces.iter().map(|piece| piece.len).collect();
        assert_eq!(lens, [3 << 20, 1 << 20]);
        assert!(matches!(memory.pieces(0, 1025), Err(Fault::Number(28))));
        assert!(is_fault(memory.pieces((8 << 20) - 4, 1).map(|_| ())));
    }
}
