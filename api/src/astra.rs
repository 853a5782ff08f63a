//! The Astra API: hook sources, execution hooks and their overrides, under
//! `/accounts/{account_id}`, as NetApp Astra Control documents them.
//!
//! Booleans and statuses are strings here, PUT merges and returns no body, and every
//! error has a number. Each object has one table ([`schema`]); the order in which a
//! request is checked is in [`ask`].

mod apps;
mod ask;
mod dialect;
mod document;
mod entity_tag;
mod execution_hooks;
mod gate;
mod hook_sources;
pub(crate) mod hook_state;
mod identifier;
mod lookup;
mod media;
mod metadata;
mod overrides;
mod problem;
mod reply;
mod row;
mod schema;
mod strict_json;

pub(crate) use self::dialect::Astra;
use crate::endpoint::Endpoint;

/// Every call of this API.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    [
        hook_sources::endpoints(),
        execution_hooks::endpoints(),
        overrides::endpoints(),
        apps::endpoints(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
