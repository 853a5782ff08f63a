//! Why a call failed, by the names of POSIX.

/// Why a call failed. The names are those of POSIX without the `E`, as in WASI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Errno {
    /// The descriptor is not open, or not for this.
    #[error("bad file descriptor")]
    Badf,
    /// It is in use by the system.
    #[error("device or resource busy")]
    Busy,
    /// Something of that name exists.
    #[error("file exists")]
    Exist,
    /// The file would become too large.
    #[error("file too large")]
    Fbig,
    /// An argument makes no sense.
    #[error("invalid argument")]
    Inval,
    /// It is a folder.
    #[error("is a directory")]
    Isdir,
    /// There are too many symbolic links on the way.
    #[error("too many levels of symbolic links")]
    Loop,
    /// Too many descriptors are open.
    #[error("too many open files")]
    Mfile,
    /// The file has too many names.
    #[error("too many links")]
    Mlink,
    /// A name or a path is too long.
    #[error("file name too long")]
    Nametoolong,
    /// There is no such thing.
    #[error("no such file or directory")]
    Noent,
    /// The quota is used up.
    #[error("no space left on device")]
    Nospc,
    /// It is not a folder.
    #[error("not a directory")]
    Notdir,
    /// The folder has entries.
    #[error("directory not empty")]
    Notempty,
    /// The call does not fit this kind of file.
    #[error("operation not supported")]
    Notsup,
    /// A number does not fit.
    #[error("value too large for defined data type")]
    Overflow,
    /// It is not allowed.
    #[error("operation not permitted")]
    Perm,
    /// It cannot seek.
    #[error("illegal seek")]
    Spipe,
}
