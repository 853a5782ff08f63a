//! What can go wrong while a database is being opened.
//!
//! What goes wrong later is dispatch's own error, since it is the answer to a
//! call of its trait.

use std::path::PathBuf;

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be opened or made.
    #[error("cannot open the database {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: sqlx::Error,
    },
    /// The schema could not be brought up to date.
    #[error("cannot migrate the database {}", path.display())]
    Migrate {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: sqlx::migrate::MigrateError,
    },
    /// Checksums that an older version had not kept could not be filled in.
    #[error("cannot fill in checksums in the database {}", path.display())]
    Checksums {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: sqlx::Error,
    },
}
