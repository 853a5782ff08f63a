//! The four device files that scripts know: null, zero, full and urandom.
//!
//! The interpreter reads a file as a whole, so an endless device hands out a
//! bounded piece at each opening.

/// One kind of device file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Device {
    /// Swallows what is written, reads as empty.
    Null,
    /// Swallows what is written, reads as zero bytes.
    Zero,
    /// Refuses what is written, reads as zero bytes.
    Full,
    /// Swallows what is written, reads as random bytes.
    Random,
}

/// Zero bytes that one reading gives. `dd` makes its own and is not bounded.
const ZEROS: usize = 1 << 20;
/// Random bytes that one reading gives.
const RANDOM: usize = 64 << 10;

impl Device {
    /// The bytes of one reading.
    pub(super) fn read(self) -> bashkit::Result<Vec<u8>> {
        match self {
            Self::Null => Ok(Vec::new()),
            Self::Zero | Self::Full => Ok(vec![0; ZEROS]),
            Self::Random => {
                let mut bytes = vec![0; RANDOM];
                getrandom::fill(&mut bytes).map_err(|_| super::error::invalid())?;
                Ok(bytes)
            }
        }
    }

    /// Takes what is written, or refuses it.
    pub(super) fn write(self, content: &[u8]) -> bashkit::Result<()> {
        if self == Self::Full && !content.is_empty() {
            return Err(super::error::no_space());
        }
        Ok(())
    }
}
