//! The Fenix API: maintenance sessions under `/v1`, as OpenStack Fenix documents them.
//! Hosts are emptied, maintained and given back, and the projects on them are asked.
//!
//! Admins create and control sessions; projects reply to notices and set constraints
//! for their instances. What a session does is not decided here but in
//! [`tenterhook_maintenance`].

mod answer;
mod ask;
mod constraints;
mod detail;
mod dialect;
mod error;
mod fields;
mod new_session;
mod projects;
mod sessions;
mod shapes;
mod version;

pub(crate) use self::dialect::Fenix;
use crate::endpoint::Endpoint;

/// Every call of this API. All are served with and without a slash at the end.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    [
        version::endpoints(),
        sessions::endpoints(),
        projects::endpoints(),
        constraints::endpoints(),
    ]
    .into_iter()
    .flatten()
    .map(Endpoint::slash_or_not)
    .collect()
}
