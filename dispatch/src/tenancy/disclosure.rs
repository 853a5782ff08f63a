//! Which roles may read what can carry secrets: the text of sources, the arguments and
//! environment variables of hooks. Every API asks here.
//!
//! Who may not read them may not have them passed to a program of their choice either,
//! which could print them. It does not decide who else may change what, nor does it cover
//! what a hook prints.

use std::fmt;

use crate::error::{Error, Noun};
use crate::id::PrincipalId;
use crate::registry::hook::Hook;
use crate::registry::source::{Source, Visibility};
use crate::tenancy::role::Role;

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
            Self::Private => f.write_str("it is private, and never shown"),
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

impl Hook {
    /// Checks that this caller may change the program that the hook passes its arguments
    /// and variables to, by binding another source or by replacing the program of the one
    /// that is bound. Admins and owners may; everybody may where there are none, or where
    /// they have set all of them.
    ///
    /// # Errors
    ///
    /// [`Error::ForeignValues`].
    pub fn check_program_change(
        &self,
        caller: Option<PrincipalId>,
        role: Role,
    ) -> Result<(), Error> {
        let has_values = !self.args.is_empty() || !self.env.is_empty();
        let are_own = self.values_by.is_some() && self.values_by == caller;
        if role.reads_secrets() || !has_values || are_own {
            return Ok(());
        }
        Err(Error::ForeignValues {
            hook: self.name.clone().unwrap_or(self.number.to_string()),
            needs: Role::READS_SECRETS,
        })
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
        let why = if self.visibility == Visibility::Private {
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
