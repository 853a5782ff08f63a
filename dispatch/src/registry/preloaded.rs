//! The built-in sources of every account: examples that can be bound unchanged.
//!
//! They print the commands for a database before and after a snapshot. The sandbox
//! reaches no database: the sender of the event carries out what the hook prints.

use bytes::Bytes;
use tenterhook_engine::{Digest, Kind};
use uuid::Uuid;

use crate::id::{Number, PrincipalId, SourceId};
use crate::registry::source::{Source, Visibility, checksum};
use crate::tenancy::account::Account;

/// A built-in source of every account.
pub(crate) struct Preloaded {
    name: &'static str,
    description: &'static str,
    script: &'static [u8],
}

macro_rules! preloaded {
    ($file:literal, $description:literal) => {
        Preloaded {
            name: $file,
            description: $description,
            script: include_bytes!(concat!("preloaded/", $file, ".sh")),
        }
    };
}

/// All of them. The order gives them their numbers: add at the end.
pub(crate) static PRELOADED: &[Preloaded] = &[
    preloaded!(
        "postgresql-quiesce",
        "Prints the commands that put PostgreSQL into a state fit for a snapshot."
    ),
    preloaded!(
        "postgresql-resume",
        "Prints the commands that end what postgresql-quiesce began."
    ),
    preloaded!(
        "mysql-quiesce",
        "Prints the commands that make MySQL or MariaDB flush its tables and refuse writes."
    ),
    preloaded!(
        "mysql-resume",
        "Prints the commands that end what mysql-quiesce began."
    ),
    preloaded!(
        "mongodb-quiesce",
        "Prints the commands that make MongoDB flush its files and block writes."
    ),
    preloaded!(
        "mongodb-resume",
        "Prints the commands that end what mongodb-quiesce began."
    ),
    preloaded!(
        "redis-quiesce",
        "Prints the commands that make Redis write its data set to disk and pause writes."
    ),
    preloaded!(
        "redis-resume",
        "Prints the commands that end what redis-quiesce began."
    ),
];

impl Preloaded {
    pub(crate) fn bytes(&self) -> Bytes {
        Bytes::from_static(self.script)
    }

    /// The source as it stands in an account. Its id is always the same there, and
    /// its number counts down from the last one, out of the way of the tenant's own.
    pub(crate) fn source(&self, account: &Account) -> Source {
        let place = PRELOADED
            .iter()
            .position(|other| other.name == self.name)
            .and_then(|place| i32::try_from(place).ok())
            .expect("it is one of a few");
        Source {
            id: id(account, self.name),
            number: Number::new(i32::MAX - place),
            name: self.name.to_owned(),
            kind: Kind::Script,
            digest: Digest::of(self.script),
            size_bytes: self.script.len() as u64,
            revision: 1,
            description: self.description.to_owned(),
            checksum: checksum(self.script),
            visibility: Visibility::Readable,
            preloaded: true,
            labels: Vec::new(),
            created_by: PrincipalId::SYSTEM,
            modified_by: None,
            created_at: account.created_at,
            modified_at: account.created_at,
        }
    }
}

/// An identifier derived from account and name: a UUID of version 5, which Astra's clients
/// accept in a body beside version 4.
fn id(account: &Account, name: &str) -> SourceId {
    SourceId::from_uuid(Uuid::new_v5(&account.id.as_uuid(), name.as_bytes()))
}
