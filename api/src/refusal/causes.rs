//! Converts the errors of the crates beneath.

use tenterhook_dispatch::{Error, Withheld};
use tenterhook_ledger::{Scope, Shortage};

use super::{Refusal, log};

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound { what, id } => Self::NotFound {
                noun: what.to_string(),
                id,
            },
            Error::NameTaken { name, .. } => Self::NameTaken { name },
            Error::InUse { what, id, by } => {
                let by: Vec<String> = by.iter().map(ToString::to_string).collect();
                Self::Conflict(format!(
                    "the {what} `{id}` is in use by the hooks {}; remove them first",
                    by.join(", ")
                ))
            }
            Error::ReadOnly { what, id } => Self::ReadOnly {
                noun: what.to_string(),
                id,
            },
            Error::Withheld { what, id, why } => match why {
                Withheld::Role { needs } => Self::Forbidden {
                    needs: needs.as_str(),
                },
                Withheld::Private => Self::Withheld {
                    noun: what.to_string(),
                    id,
                },
            },
            Error::ForeignValues { needs, .. } => Self::ForeignValues {
                needs: needs.as_str(),
                detail: error.to_string(),
            },
            error @ (Error::LastOwner { .. } | Error::EventConflict { .. }) => {
                Self::Conflict(error.to_string())
            }
            Error::HooksDisabled => Self::HooksDisabled,
            error @ Error::NotReplicated { .. } => Self::Conflict(error.to_string()),
            Error::Invalid { field, reason } => Self::invalid(pointer(&field), reason),
            Error::OverCeiling(over) => Self::invalid(
                format!("/limits/{}", over.field),
                format!("must be from 1 to {}, not {}", over.ceiling, over.asked),
            ),
            Error::Refused { refusal } => refusal.into(),
            Error::ChangedMeanwhile { what, id } => Self::ChangedMeanwhile {
                noun: what.to_string(),
                id,
            },
            error @ Error::WrongState { .. } => Self::Conflict(error.to_string()),
            Error::Busy { .. } | Error::Stopping => Self::TooBusy,
            Error::DiskFull { shortage } => Self::DiskFull(disk_full(&shortage)),
            Error::Shortage { shortage } => Self::Shortage(shortage),
            ref unavailable @ Error::Unavailable { why, .. } => {
                log(unavailable);
                Self::Unavailable(why)
            }
            error @ (Error::Engine { .. } | Error::Store { .. } | Error::DamagedProgram { .. }) => {
                Self::internal(&error)
            }
        }
    }
}

impl From<Shortage> for Refusal {
    fn from(shortage: Shortage) -> Self {
        Self::Shortage(shortage)
    }
}

impl From<tenterhook_engine::Refusal> for Refusal {
    fn from(refusal: tenterhook_engine::Refusal) -> Self {
        match refusal {
            tenterhook_engine::Refusal::TooLarge { limit, size, .. } => Self::TooLarge {
                limit_bytes: limit,
                size_bytes: Some(size),
            },
            refusal => Self::InvalidProgram {
                digest: None,
                reason: refusal.to_string(),
            },
        }
    }
}

/// What there is too little of, and who can do what about it.
fn disk_full(shortage: &Shortage) -> String {
    let remedy = match shortage.scope {
        Scope::Holder => {
            "delete sources, hooks or servers that are not needed, cancel tasks that wait, or try again when the \
             oldest finished tasks have been removed"
        }
        Scope::Strangers | Scope::Host => {
            "the operator can give the server more (`--max-disk`) or keep less (`--keep`, `--keep-tasks`, \
             `--keep-bytes`)"
        }
    };
    format!("{shortage}; {remedy}")
}

/// Turns `events[3].type` into `/events/3/type`.
fn pointer(field: &str) -> String {
    let parts: String = field
        .chars()
        .filter(|c| *c != ']')
        .map(|c| if matches!(c, '.' | '[') { '/' } else { c })
        .collect();
    format!("/{parts}")
}
