//! What a run's random bytes are made from.

use std::fmt;
use std::str::FromStr;

use rand::Rng as _;
use serde::{Deserialize, Serialize};

/// Bytes of a seed: nobody guesses what a hook drew from it.
const SEED_BYTES: usize = 16;

/// What a run's random bytes are made from: the same ones from equal seeds. As text, 32
/// hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Seed([u8; SEED_BYTES]);

/// The text is not a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a seed is 32 hexadecimal digits")]
pub struct NotASeed;

impl Seed {
    /// Draws one that nobody can predict.
    #[must_use]
    pub fn draw() -> Self {
        let mut bytes = [0; SEED_BYTES];
        rand::rng().fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// Returns the seed of a generator: another one for each `salt`, even from one seed.
    pub(crate) fn salted(self, salt: u8) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..SEED_BYTES].copy_from_slice(&self.0);
        bytes[SEED_BYTES] = salt;
        bytes
    }
}

impl From<u64> for Seed {
    fn from(number: u64) -> Self {
        let mut bytes = [0; SEED_BYTES];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        Self(bytes)
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Not the bytes: whoever knows them knows every secret that the run drew.
impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(…)")
    }
}

impl FromStr for Seed {
    type Err = NotASeed;

    fn from_str(text: &str) -> Result<Self, NotASeed> {
        let mut bytes = [0; SEED_BYTES];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != SEED_BYTES || !rest.is_empty() {
            return Err(NotASeed);
        }
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            let digit = |digit: u8| char::from(digit).to_digit(16).ok_or(NotASeed);
            let value = digit(pair[0])? * 16 + digit(pair[1])?;
            *byte = u8::try_from(value).expect("two digits make one byte");
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Seed {
    type Error = NotASeed;

    fn try_from(text: String) -> Result<Self, NotASeed> {
        text.parse()
    }
}

impl From<Seed> for String {
    fn from(seed: Seed) -> Self {
        seed.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_the_same_after_it_was_written_and_read() {
        let seed = Seed::draw();
        assert_eq!(seed.to_string().parse(), Ok(seed));
        assert_eq!(
            Seed::from(0x0102).to_string(),
            "02010000000000000000000000000000"
        );
        let long = "0".repeat(33);
        for text in ["", "0", "zz010000000000000000000000000000", &long] {
            assert_eq!(text.parse::<Seed>(), Err(NotASeed), "{text}");
        }
    }

    #[test]
    fn no_two_drawn_seeds_are_equal() {
        assert_ne!(Seed::draw(), Seed::draw());
    }
}
