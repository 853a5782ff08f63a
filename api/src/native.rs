//! The native API: what none of the documented APIs offers, under `/api/v1`.
//!
//! Also at the root: the OpenAPI document, health, readiness and metrics. Lists
//! answer `{items, next?}`; errors are problem documents.

mod accounts;
mod apps;
mod binary;
mod cloudevents;
mod created;
mod dialect;
mod event_fault;
mod events;
mod executions;
mod hooks;
mod limits;
mod page;
mod principals;
mod problem;
mod root;
mod servers;
mod sources;
mod tasks;
mod tokens;
mod uploads;
mod webhooks;
mod words;

use tenterhook_dispatch::{
    AccountId, AppId, ExecutionId, HookId, Key, Noun, PrincipalId, ServerId, SourceId, TaskId,
    TokenId,
};

pub(crate) use self::dialect::Native;
pub(crate) use self::root::probes;
use crate::endpoint::Endpoint;
use crate::extract::PathId;

/// Every call of this API.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    [
        root::endpoints(),
        sources::endpoints(),
        uploads::endpoints(),
        hooks::endpoints(),
        events::endpoints(),
        tasks::endpoints(),
        executions::endpoints(),
        servers::endpoints(),
        apps::endpoints(),
        accounts::endpoints(),
        principals::endpoints(),
        tokens::endpoints(),
        webhooks::endpoints(),
        limits::endpoints(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Lets a key be a path parameter.
macro_rules! path_id {
    ($($id:ty => $noun:ident),* $(,)?) => {
        $(impl PathId for $id {
            fn noun() -> String {
                Noun::$noun.to_string()
            }

            fn parse(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        })*
    };
}

path_id! {
    Key<AccountId> => Account,
    Key<AppId> => App,
    Key<SourceId> => Source,
    Key<HookId> => Hook,
    Key<ServerId> => Server,
    Key<TaskId> => Task,
    ExecutionId => Execution,
    PrincipalId => Principal,
    TokenId => Token,
}
