//! Nova's external events: another service reports what has happened to an instance, and
//! the hooks for it run.
//!
//! An event is checked as Nova checks it ([`schema`]) and becomes one of ours; the
//! outcome of each is reported in the order of the request ([`external_events`]). Which
//! names exist depends on the client's version ([`microversion`]).

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

/// Every call of this API.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    let mut all = external_events::endpoints();
    all.extend(versions::endpoints());
    all
}
