//! The native face: what none of the documented APIs offers, under `/api/v1`.
//!
//! Also at the root: the OpenAPI document, health, readiness and metrics. Lists
//! answer `{items, next?}`; errors are problem documents.

mod accounts;
mod apps;
mod binary;
mod cloudevents;
mod events;
mod executions;
mod hooks;
mod limits;
mod page;
mod principals;
pub(crate) mod problem;
mod root;
mod servers;
mod sources;
mod tasks;
mod tokens;
mod uploads;
mod webhooks;

use http::{HeaderName, HeaderValue, StatusCode, header};
use tenterhook_dispatch::{
    AccountId, AppId, ExecutionId, HookId, Key, Noun, PrincipalId, ServerId, SourceId, TaskId,
    TokenId,
};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub(crate) use self::root::{Probes, probes};
pub(crate) use self::tokens::read_expiry;
use crate::endpoint::Endpoint;
use crate::extract::PathId;

/// Every call of this face.
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

/// A time as RFC 3339 text.
pub(crate) fn time_text(time: OffsetDateTime) -> String {
    time.format(&Rfc3339)
        .expect("our times lie in the years that RFC 3339 can say")
}

/// `201 Created` and where the new thing is.
type Created<T> = (
    StatusCode,
    [(HeaderName, HeaderValue); 1],
    crate::extract::Json<T>,
);

fn created<T>(path: &str, id: &str, body: T) -> Created<T> {
    let location =
        HeaderValue::from_str(&format!("{path}/{id}")).expect("our ids and paths are plain text");
    (
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        crate::extract::Json(body),
    )
}

/// Makes a key usable in a path.
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
