//! `/events/hooks`: scripts bound to events, for all or some servers.

use axum::extract::State;
use axum::response::Response;
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use tenterhook_dispatch::{
    Error, Hook, HookChange, HookId, Key, NewHook, Noun, Number, PrincipalId, Role, Server, Source,
    Targets,
};
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::{Access, Caller};
use crate::croit::list::Paged;
use crate::endpoint::Endpoint;
use crate::extract::{Json, Path, Query};
use crate::refusal::Refusal;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let admin = Access::Role(Role::Admin);
    vec![
        Endpoint::new(
            Method::GET,
            "/api/events/hooks",
            Access::Role(Role::Viewer),
            "list_hooks",
            list_hooks,
        )
        .summary("Lists the hooks")
        .answers_list_or_page::<HookInfo>(),
        Endpoint::new(
            Method::POST,
            "/api/events/hooks",
            admin,
            "create_hook",
            create_hook,
        )
        .summary("Binds a script to an event")
        .reads::<HookRequest>()
        .answers_empty(201),
        Endpoint::new(
            Method::PATCH,
            "/api/events/hooks/{id}",
            admin,
            "change_hook",
            change_hook,
        )
        .summary("Changes the given members of a hook")
        .reads::<HookUpdateRequest>()
        .answers_empty(204),
        Endpoint::new(
            Method::DELETE,
            "/api/events/hooks/{id}",
            admin,
            "delete_hook",
            delete_hook,
        )
        .summary("Removes a hook")
        .answers_empty(204),
    ]
}

/// A hook with the names of what it refers to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct HookInfo {
    id: i32,
    script_id: i32,
    script_name: String,
    event: String,
    all_servers: bool,
    server_ids: Vec<i32>,
    server_names: Vec<String>,
}

impl HookInfo {
    fn new(hook: &Hook, sources: &[Source], servers: &[Server]) -> Self {
        let source = sources.iter().find(|source| source.id == hook.source);
        let (all_servers, server_ids) = print_targets(&hook.targets);
        let server_names = servers
            .iter()
            .filter(|server| all_servers || server_ids.contains(&server.number.get()))
            .map(|server| server.name.clone())
            .collect();
        Self {
            id: hook.number.get(),
            script_id: source.map_or(0, |source| source.number.get()),
            script_name: source.map(|source| source.name.clone()).unwrap_or_default(),
            event: hook.event.to_string(),
            all_servers,
            server_ids,
            server_names,
        }
    }
}

/// `allServers` and `serverIds`.
pub(super) fn print_targets(targets: &Targets) -> (bool, Vec<i32>) {
    match targets {
        Targets::Once | Targets::Containers { .. } => (false, Vec::new()),
        Targets::All => (true, Vec::new()),
        Targets::These(numbers) => (false, numbers.iter().map(|number| number.get()).collect()),
    }
}

/// With `allServers`, the ids do not count; without, an empty list never fires.
pub(super) fn read_targets(all_servers: bool, server_ids: Vec<i32>) -> Targets {
    if all_servers {
        Targets::All
    } else {
        Targets::These(server_ids.into_iter().map(Number::new).collect())
    }
}

/// A hook to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct HookRequest {
    script_id: i32,
    event: String,
    all_servers: Option<bool>,
    server_ids: Option<Vec<i32>>,
}

impl HookRequest {
    fn read(self, created_by: PrincipalId) -> NewHook {
        let targets = read_targets(
            self.all_servers.unwrap_or(false),
            self.server_ids.unwrap_or_default(),
        );
        NewHook {
            targets: Some(targets),
            created_by,
            ..NewHook::new(Number::new(self.script_id), self.event)
        }
    }
}

/// What to change of a hook; what is null or absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct HookUpdateRequest {
    script_id: Option<i32>,
    event: Option<String>,
    all_servers: Option<bool>,
    server_ids: Option<Vec<i32>>,
}

impl HookUpdateRequest {
    /// Ids that are sent alone end `allServers`: a client that names servers means them.
    fn targets(&mut self, current: &Targets) -> Option<Targets> {
        match (self.all_servers, self.server_ids.take()) {
            (None, None) => None,
            (Some(true), _) => Some(Targets::All),
            (_, Some(ids)) => Some(read_targets(false, ids)),
            (Some(false), None) => match current {
                Targets::These(_) | Targets::Containers { .. } => None,
                Targets::Once | Targets::All => Some(Targets::These(Vec::new())),
            },
        }
    }
}

async fn list_hooks(
    State(app): State<App>,
    caller: Caller,
    Query(paged): Query<Paged>,
) -> Result<Response, Refusal> {
    let account = caller.account();
    let sources = app.dispatcher().sources().list(account).await?;
    let servers = app.dispatcher().servers().list(account).await?;
    let hooks = app.dispatcher().hooks().list(account).await?;
    let rows = hooks
        .iter()
        .map(|hook| HookInfo::new(hook, &sources, &servers))
        .collect();
    paged.list(rows).await
}

async fn create_hook(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<HookRequest>,
) -> Result<StatusCode, Refusal> {
    app.dispatcher()
        .hooks()
        .create(caller.account(), body.read(caller.principal()))
        .await
        .map_err(refers_to_missing)?;
    Ok(StatusCode::CREATED)
}

async fn change_hook(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<Key<HookId>>,
    Json(mut body): Json<HookUpdateRequest>,
) -> Result<StatusCode, Refusal> {
    let current = app.dispatcher().hooks().get(caller.account(), key).await?;
    let change = HookChange {
        targets: body.targets(&current.targets),
        source: body
            .script_id
            .map(|number| Key::Number(Number::new(number))),
        event: body.event,
        modified_by: Some(caller.principal()),
        modified_as: caller.0.role,
        ..HookChange::default()
    };
    app.dispatcher()
        .hooks()
        .change(caller.account(), key, change)
        .await
        .map_err(refers_to_missing)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_hook(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<Key<HookId>>,
) -> Result<StatusCode, Refusal> {
    app.dispatcher()
        .hooks()
        .delete(caller.account(), key)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The refusal of a body that refers to what does not exist: an invalid body, not an
/// unknown path.
pub(super) fn refers_to_missing(error: Error) -> Refusal {
    match error {
        Error::NotFound { what, id } => {
            let field = match what {
                Noun::Source => "/scriptId",
                Noun::Server => "/serverIds",
                _ => "",
            };
            Refusal::invalid(
                field,
                format!("names the {what} `{id}`, which does not exist"),
            )
        }
        error => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(
        all_servers: Option<bool>,
        server_ids: Option<Vec<i32>>,
        current: Targets,
    ) -> Option<Targets> {
        let mut update = HookUpdateRequest {
            script_id: None,
            event: None,
            all_servers,
            server_ids,
        };
        update.targets(&current)
    }

    #[test]
    fn members_that_a_change_omits_are_kept() {
        let these = |ids: &[i32]| read_targets(false, ids.to_vec());
        assert_eq!(change(None, None, Targets::All), None);
        assert_eq!(
            change(Some(true), Some(vec![1]), these(&[2])),
            Some(Targets::All)
        );
        assert_eq!(change(None, Some(vec![1]), Targets::All), Some(these(&[1])));
        assert_eq!(change(Some(false), None, these(&[2])), None);
        assert_eq!(change(Some(false), None, Targets::All), Some(these(&[])));
    }
}
