//! Which roles may read what can carry secrets: the text of sources, the arguments and
//! environment variables of hooks. Every face asks here.
//!
//! It does not decide who may change them, nor does it cover what a hook prints.

use std::fmt;

use crate::error::{Error, Noun};
use crate::role::Role;
use crate::source::Source;

/// Why something is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Withheld {
    /// The reader's role is too low.
    Role {
        /// The lowest role that may read it.
        needs: Role,
    },
    /// It is private: no role may read it.
    Private,
}

impl fmt::Display for Withheld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role { needs } => write!(f, "reading it needs the role `{needs}`"),
            Self::Private => f.write_str("it is private, and shown to nobody"),
        }
    }
}

impl Role {
    /// The lowest role that may read what can carry secrets.
    pub const READS_SECRETS: Self = Self::Admin;

    /// Whether this role may read what can carry secrets: the arguments and variables
    /// of hooks, and the text of sources that are not private.
    #[must_use]
    pub fn reads_secrets(self) -> bool {
        self >= Self::READS_SECRETS
    }
}

impl Source {
    /// Checks that a reader with this role may read the source's text: admins and
    /// owners may, unless it is private. A private one can still be bound and run.
    ///
    /// # Errors
    ///
    /// [`Error::Withheld`].
    pub fn check_readable(&self, reader: Role) -> Result<(), Error> {
        let why = if self.private {
            Withheld::Private
        } else if !reader.reads_secrets() {
            Withheld::Role {
                needs: Role::READS_SECRETS,
            }
        } else {
            return Ok(());
        };
        Err(Error::Withheld {
            what: Noun::Source,
            id: self.name.clone(),
            why,
        })
    }
}
