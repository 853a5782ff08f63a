//! Why events cannot be accepted at the moment, in words for a readiness probe.
//!
//! They name no file and no tenant: a probe needs no token.

/// Why events cannot be accepted just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// The server was asked to end.
    #[error("the server is shutting down")]
    Stopping,
    /// There is no space left for the database.
    #[error("the disk is full")]
    DiskFull,
    /// Another process holds the lock of the database.
    #[error("another process holds the lock of the database")]
    Locked,
    /// The file system or the file does not allow writing.
    #[error("the database is read-only")]
    ReadOnly,
    /// The disk does not take or give what it should.
    #[error("the disk reports errors")]
    Disk,
    /// The database is damaged where it has to be written.
    #[error("the database is damaged")]
    Damaged,
    /// The disk did not complete a write in time.
    #[error("the disk does not complete a write in time")]
    Slow,
    /// The probe's turn to write did not come in time, and not for the disk's sake.
    #[error("more is being written than can be written in time")]
    Behind,
    /// The part of the server that writes has ended.
    #[error("the database writer has ended")]
    WriterGone,
    /// Something else; the log has it.
    #[error("the database cannot be written")]
    Other,
}
