//! The interface between the engine and the shell guest.
//!
//! The shell is a module that imports the functions below from [`MODULE`] and
//! exports its memory and [`RUN`]. The rest of what it imports is WASI preview 1.
//! A guest that a tenant wrote is never linked against any of this.
//!
//! | function | meaning |
//! |---|---|
//! | [`INPUT_LEN`]`(input: i32) -> i32` | the length of an [`Input`] in bytes, [`ABSENT`] without one |
//! | [`INPUT_READ`]`(input: i32, ptr: i32)` | copies the whole input to `ptr` |
//! | [`LIMIT`]`(limit: i32) -> i64` | a [`Limit`] of the run |
//! | [`VERDICT`]`(ptr: i32, len: i32)` | hands over the verdict file; `len` may be [`NOT_REGULAR`] |

/// The module that the shell imports the functions from.
pub const MODULE: &str = "tenterhook_shell";

/// The function that returns an input's length.
pub const INPUT_LEN: &str = "input_len";
/// The function that copies an input into the shell's memory.
pub const INPUT_READ: &str = "input_read";
/// The function that returns a limit of the run.
pub const LIMIT: &str = "limit";
/// The function that takes the bytes of the verdict file.
pub const VERDICT: &str = "verdict";

/// All functions of [`MODULE`]: the engine defines each, and the shell imports each.
pub const FUNCTIONS: [&str; 4] = [INPUT_LEN, INPUT_READ, LIMIT, VERDICT];

/// The export that runs one script: `run() -> i32`, the exit status, 0 to 255.
pub const RUN: &str = "run";

/// The length of an input that the run does not have.
pub const ABSENT: i32 = -1;

/// The length of a verdict file that exists, but is not a regular file.
pub const NOT_REGULAR: i32 = -1;

/// A byte string that the engine has ready for a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Input {
    /// The script.
    Script = 0,
    /// The whole event as JSON; absent when the run has no event.
    Event = 1,
    /// The bytes of standard input.
    Stdin = 2,
}

impl Input {
    /// Returns the input with this number, if there is one.
    #[must_use]
    pub const fn from_number(number: i32) -> Option<Self> {
        match number {
            0 => Some(Self::Script),
            1 => Some(Self::Event),
            2 => Some(Self::Stdin),
            _ => None,
        }
    }
}

/// A limit of the run that the shell enforces itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Limit {
    /// The bytes that all files may hold.
    FileBytes = 0,
    /// The number of inodes.
    Inodes = 1,
}

impl Limit {
    /// Returns the limit with this number, if there is one.
    #[must_use]
    pub const fn from_number(number: i32) -> Option<Self> {
        match number {
            0 => Some(Self::FileBytes),
            1 => Some(Self::Inodes),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_parsed_back_to_its_variant() {
        for input in [Input::Script, Input::Event, Input::Stdin] {
            assert_eq!(Input::from_number(input as i32), Some(input));
        }
        for limit in [Limit::FileBytes, Limit::Inodes] {
            assert_eq!(Limit::from_number(limit as i32), Some(limit));
        }
        assert_eq!((Input::from_number(3), Limit::from_number(2)), (None, None));
    }
}
