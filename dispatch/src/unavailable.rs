//! Why a store cannot do its part at the moment, where that is known and has a remedy.
//!
//! Whatever else goes wrong in a store is [`Error::Store`](crate::Error::Store).

/// Why a store cannot do its part at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// Nothing more can be written before the operator has made room.
    #[error("there is no space on the server's disk")]
    DiskFull,
    /// Another process holds the lock of the database.
    #[error("another process holds the lock of the database")]
    Locked,
    /// A read was ended because it took too long.
    #[error("reading takes longer than one reader may")]
    TooLong,
}
