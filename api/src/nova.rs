//! Nova's external events: something outside tells that it has happened to an
//! instance, and the hooks for it run.
//!
//! An event is checked in Nova's words ([`schema`]), becomes one of ours, and what
//! became of each is told in the order of the request ([`external_events`]). Which
//! names there are depends on the version that the client speaks ([`microversion`]).

mod dialect;
mod event_name;
mod external_events;
mod fault;
mod heading;
mod json;
mod microversion;
mod python;
mod schema;
mod server_uuid;
mod shapes;
mod verdict;
mod versions;

pub(crate) use self::dialect::Nova;
use crate::endpoint::Endpoint;

/// Every call of this face.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let mut all = external_events::endpoints();
    all.extend(versions::endpoints());
    all
}
