//! What could not be done, in variants that every API can express in its dialect.

use std::fmt;

use tenterhook_engine::{Digest, OverCeiling, Refusal};
use tenterhook_ledger::Shortage;

use crate::id::Number;
use crate::tenancy::disclosure::Withheld;
use crate::tenancy::role::Role;
use crate::unavailable::Unavailable;

/// A cause of which only the text matters.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The nouns that an [`Error`] can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Noun {
    /// An [`Account`](crate::Account).
    Account,
    /// A [`Principal`](crate::Principal).
    Principal,
    /// A [`Token`](crate::Token).
    Token,
    /// A [`Source`](crate::Source).
    Source,
    /// A [`Hook`](crate::Hook).
    Hook,
    /// A [`HookOverride`](crate::HookOverride).
    Override,
    /// An [`App`](crate::App).
    App,
    /// A [`Server`](crate::Server).
    Server,
    /// A [`Task`](crate::Task).
    Task,
    /// An [`Execution`](crate::Execution).
    Execution,
    /// An attempt of an execution: an [`AttemptRecord`](crate::AttemptRecord).
    Attempt,
}

impl fmt::Display for Noun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Account => "account",
            Self::Principal => "principal",
            Self::Token => "token",
            Self::Source => "source",
            Self::Hook => "hook",
            Self::Override => "override",
            Self::App => "app",
            Self::Server => "server",
            Self::Task => "task",
            Self::Execution => "execution",
            Self::Attempt => "attempt",
        })
    }
}

/// What could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing has this name or id in the account.
    #[error("there is no {what} `{id}`")]
    NotFound {
        /// What was looked for.
        what: Noun,
        /// By which name, number or id.
        id: String,
    },
    /// The name or id belongs to another one.
    #[error("a {what} named `{name}` already exists")]
    NameTaken {
        /// What there is already.
        what: Noun,
        /// The name, or the id where the caller chose it.
        name: String,
    },
    /// It cannot be removed while hooks refer to it.
    #[error("the {what} `{id}` is in use by {} of the account's hooks", by.len())]
    InUse {
        /// What was to be removed.
        what: Noun,
        /// Its name.
        id: String,
        /// The numbers of the hooks that refer to it.
        by: Vec<Number>,
    },
    /// It came with the account, or the operator keeps it, and cannot be changed.
    #[error("the {what} `{id}` is read-only")]
    ReadOnly {
        /// What was to be changed.
        what: Noun,
        /// Its name or id.
        id: String,
    },
    /// Hooks on applications are switched off for the account.
    #[error("execution hooks are switched off for this account")]
    HooksDisabled,
    /// A hook was to run after a failover that this application cannot make.
    #[error("the app `{app}` is not replicated, so it cannot fail over")]
    NotReplicated {
        /// Its name.
        app: String,
    },
    /// A field does not follow its rules.
    #[error("`{field}` {reason}")]
    Invalid {
        /// The field, as a path such as `limits.fuel`.
        field: String,
        /// What is wrong and what to send instead.
        reason: String,
    },
    /// A limit was asked for that the operator does not allow.
    #[error(transparent)]
    OverCeiling(#[from] OverCeiling),
    /// The bytes are not acceptable as a program.
    #[error("cannot accept the program")]
    Refused {
        /// Why not, for the sender.
        #[source]
        refusal: Refusal,
    },
    /// The caller may not read it.
    #[error("the text of the {what} `{id}` is withheld: {why}")]
    Withheld {
        /// Of what.
        what: Noun,
        /// Its name.
        id: String,
        /// Why.
        why: Withheld,
    },
    /// The hook would pass what others have set to a program of the caller's choice.
    #[error(
        "the hook `{hook}` passes arguments or variables to its program that others have set: changing the program \
         needs the role `{needs}`, or new `args` and `env` of the hook in the same request or before"
    )]
    ForeignValues {
        /// The hook's name, or its number.
        hook: String,
        /// The lowest role that may.
        needs: Role,
    },
    /// The account would be left without an owner, and no member could restore one.
    #[error(
        "cannot {doing} the principal `{name}`: it is the last owner of its account; make another owner first"
    )]
    LastOwner {
        /// What was to be done.
        doing: &'static str,
        /// The principal's name.
        name: String,
    },
    /// An event has the source and id of one that was accepted before, and other content.
    #[error(
        "{} has the source and id of an event that was accepted before, but different content; give it a new id",
        match index {
            Some(index) => format!("the event at index {index}"),
            None => "the event".to_owned(),
        }
    )]
    EventConflict {
        /// Which of several it is.
        index: Option<usize>,
    },
    /// It is no longer in the state that the caller expects.
    #[error("the {what} `{id}` was changed by someone else")]
    ChangedMeanwhile {
        /// What was to be changed.
        what: Noun,
        /// Its name.
        id: String,
    },
    /// It cannot be done in the state that the object is in.
    #[error("cannot {doing} {what} `{id}` while it is {state}")]
    WrongState {
        /// What was to be done.
        doing: &'static str,
        /// To what sort of thing.
        what: Noun,
        /// To which.
        id: String,
        /// The state that forbids it.
        state: String,
    },
    /// There is no room for more work just now; trying again later may succeed.
    #[error("too busy: {what}")]
    Busy {
        /// What there is too much of.
        what: &'static str,
    },
    /// A program is not what was stored any more, and is not run.
    #[error(
        "the program {digest} is damaged: its bytes in the database have the digest {found}; upload it again"
    )]
    DamagedProgram {
        /// What it was stored under.
        digest: Digest,
        /// What its bytes have.
        found: Digest,
    },
    /// There is not enough room on the disk, for the account or for all.
    #[error("{shortage}")]
    DiskFull {
        /// Whose share is used up, and what is left of it.
        shortage: Shortage,
    },
    /// There was not enough of something that tenants share, nor was any given back in
    /// time.
    #[error("{shortage}")]
    Shortage {
        /// Of what, whose share is used up, and what is left of it.
        shortage: Shortage,
    },
    /// The dispatcher is being shut down.
    #[error("the server is shutting down")]
    Stopping,
    /// The engine could not do its part.
    #[error("cannot run the sandbox")]
    Engine {
        /// What went wrong.
        source: tenterhook_engine::Error,
    },
    /// The store cannot do its part at the moment; trying again later may succeed.
    #[error("cannot {doing}: {why}")]
    Unavailable {
        /// What was to be done.
        doing: &'static str,
        /// Why not.
        why: Unavailable,
        /// The store's own description.
        source: Cause,
    },
    /// The store could not do its part.
    #[error("cannot {doing}")]
    Store {
        /// What was to be done.
        doing: &'static str,
        /// What went wrong.
        source: Cause,
    },
}

impl Error {
    /// A field does not follow its rules.
    pub fn invalid(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid {
            field: field.into(),
            reason: reason.into(),
        }
    }

    /// Nothing has this name, number or id.
    pub fn not_found(what: Noun, id: impl fmt::Display) -> Self {
        Self::NotFound {
            what,
            id: id.to_string(),
        }
    }

    /// The store could not do its part.
    pub fn store(doing: &'static str, source: impl Into<Cause>) -> Self {
        Self::Store {
            doing,
            source: source.into(),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { refusal }
    }
}

impl From<tenterhook_engine::Error> for Error {
    fn from(source: tenterhook_engine::Error) -> Self {
        match source {
            tenterhook_engine::Error::Refused { refusal } => Self::Refused { refusal },
            source => Self::Engine { source },
        }
    }
}

impl From<tenterhook_sdk::EventFault> for Error {
    fn from(fault: tenterhook_sdk::EventFault) -> Self {
        Self::Invalid {
            field: if fault.attribute.is_empty() {
                "event".into()
            } else {
                fault.attribute.into()
            },
            reason: fault.detail,
        }
    }
}
