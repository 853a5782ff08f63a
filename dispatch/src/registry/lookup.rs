//! Which items of a long list a caller wants, as far as an index can find them.
//!
//! They are looked up, not searched for: a lookup costs what it finds. Whatever
//! else a caller wants of them is a predicate over those.

use std::ops::Bound;

use time::OffsetDateTime;
use uuid::Uuid;

/// Which items of a list are wanted. They come oldest first, those of one
/// instant by id, whatever was requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// All.
    All,
    /// Those with these ids; unknown ones are left out.
    Ids(Vec<Uuid>),
    /// Those with these names; unknown ones are left out.
    Names(Vec<String>),
    /// Those whose names, by their bytes, lie between these two.
    NameRange(Bound<String>, Bound<String>),
    /// Those made between these two times.
    CreatedRange(Bound<OffsetDateTime>, Bound<OffsetDateTime>),
}
