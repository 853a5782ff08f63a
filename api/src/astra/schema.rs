//! What Astra's objects look like: one table each, from which bodies are checked and the
//! OpenAPI document is generated.
//!
//! A table holds shapes and lengths alone. What needs a decoder, a regular expression or
//! the account's other objects is the matter of each resource.

mod check;
mod document;
#[cfg(test)]
mod tests;

pub(super) use self::check::check;
pub(super) use self::document::describe;

/// One member of an object.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// In the body of a POST, in that of a PUT, and in a reply.
    pub(super) there: [Presence; 3],
}

/// Whether a member may or has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Never,
    May,
    Must,
}

/// What an object is for, as an index into [`Member::there`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Create = 0,
    Replace = 1,
    Reply = 2,
}

/// What a member's value is.
#[derive(Debug)]
pub(super) enum Kind {
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A text of so many characters. Replies may hold longer ones, which were
    /// given over another interface.
    Text { min: usize, max: usize },
    /// A UUID of version 4 or 5, or all zeros.
    Identifier,
    /// Base64 of so many characters at most. Whether it is base64 is checked later.
    Base64 { max: usize },
    /// 32 hexadecimal digits.
    Checksum,
    /// A timestamp in UTC.
    Timestamp,
    /// An object of these members and no other.
    Object(&'static [Member]),
    /// A list of so many at most.
    List {
        of: &'static Kind,
        max: usize,
        unique: bool,
    },
}

/// Declares a table: name, kind, and whether it is there in a POST, a PUT and a reply.
macro_rules! members {
    ($($name:literal : $kind:expr, $create:ident $replace:ident $reply:ident;)*) => {
        &[$(crate::astra::schema::Member {
            name: $name,
            kind: $kind,
            there: [
                crate::astra::schema::Presence::$create,
                crate::astra::schema::Presence::$replace,
                crate::astra::schema::Presence::$reply,
            ],
        }),*]
    };
}

pub(super) use members;

/// A boolean, which is a text here.
pub(super) const BOOLEAN: Kind = Kind::OneOf(&["true", "false"]);

/// A free-form pair of name and value.
pub(super) const LABEL: Kind = Kind::Object(members! {
    "name": Kind::Text { min: 0, max: usize::MAX }, Must Must Must;
    "value": Kind::Text { min: 0, max: usize::MAX }, Must Must Must;
});

/// The metadata of every object: who created it, and when.
pub(super) const METADATA: Kind = Kind::Object(members! {
    "labels": Kind::List { of: &LABEL, max: usize::MAX, unique: true }, May May Must;
    "creationTimestamp": Kind::Timestamp, May May Must;
    "modificationTimestamp": Kind::Timestamp, May May Must;
    "createdBy": Kind::Identifier, May May Must;
    "modifiedBy": Kind::Identifier, May May May;
});

impl Member {
    fn presence(&self, purpose: Purpose) -> Presence {
        self.there[purpose as usize]
    }
}
