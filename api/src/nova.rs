//! Nova's external events: something outside tells that it has happened to an
//! instance, and the hooks for it run.

pub(crate) mod fault;

use crate::endpoint::Endpoint;

/// Every call of this face.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    Vec::new()
}
