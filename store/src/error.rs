//! What can go wrong while a database is being opened, copied or checked.
//!
//! What goes wrong later is dispatch's own error, since it is the answer to a
//! call of its trait.

use std::path::{Path, PathBuf};

use tenterhook_dispatch::Cause;

/// Why a database could not be opened, copied or checked.
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
    /// Rows that are damaged could not be looked for.
    #[error("cannot look for damage in the database {}", path.display())]
    Look {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: tenterhook_dispatch::Error,
    },
    /// A file that was to be created already exists.
    #[error("{} already exists", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a database that can be read.
    #[error("cannot use the database {}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Cause,
    },
    /// A copy could not be written.
    #[error("cannot write {}", path.display())]
    Copy {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
}

impl Error {
    pub(crate) fn newer(path: &Path) -> Self {
        Self::unusable(
            path,
            "a newer version of Tenterhook has written it; use that one",
        )
    }

    pub(crate) fn no_schema(path: &Path) -> Self {
        Self::unusable(
            path,
            "its schema is none of Tenterhook's, or it is damaged; if it was Tenterhook's, restore a backup \
             (`tenterhook restore`), else name another file",
        )
    }

    pub(crate) fn unusable(path: &Path, source: impl Into<Cause>) -> Self {
        Self::Unusable {
            path: path.into(),
            source: source.into(),
        }
    }
}
