//! Files that are no store of bytes.

/// A file that is no store of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Device {
    /// Takes everything and has nothing: `/dev/null`.
    Null,
    /// Takes everything and has zeros: `/dev/zero`.
    Zero,
    /// Takes nothing, for lack of room, and has zeros: `/dev/full`.
    Full,
    /// Has random bytes: `/dev/random` and `/dev/urandom`.
    Random,
}
