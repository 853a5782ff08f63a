//! Who reads what may hold secrets: the text of sources, the arguments and variables
//! of hooks. All faces ask here.
//!
//! It is not about what may be changed, nor about what a hook prints: that is its
//! author's doing.

use std::fmt;

use crate::error::{Error, Noun};
use crate::role::Role;
use crate::source::Source;

/// Why something is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Withheld {
    /// The reader's role is not enough.
    Role {
        /// The least role that would do.
        needs: Role,
    },
    /// It is private: it is shown to nobody.
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
    /// The least role that reads what may hold secrets.
    pub const READS_SECRETS: Self = Self::Admin;

    /// Whether it reads what may hold secrets: the arguments and variables of hooks,
    /// and the text of sources that are not private.
    #[must_use]
    pub fn reads_secrets(self) -> bool {
        self >= Self::READS_SECRETS
    }
}

impl Source {
    /// Whether whoever has this role reads the source's text: admins and owners do,
    /// unless it is private, which nobody reads. Everybody who may run it still may.
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
