//! A member of a change that can be null, which is not the same as left out.

use serde::{Deserialize, Deserializer};

/// Reads a member that is there, be it null. One that is left out is `None`, by default.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
