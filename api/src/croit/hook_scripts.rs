//! `/events/hook-scripts`: scripts together with their hooks, all or nothing.

use std::collections::HashMap;

use axum::extract::State;
use axum::response::Response;
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use tenterhook_dispatch::{Hook, Key, NewHook, Number, PrincipalId, Role, SourceId};
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::{Access, Caller};
use crate::croit::hooks::{print_targets, read_targets, refers_to_missing};
use crate::croit::list::Paged;
use crate::croit::scripts::{GeneratedId, new_source, source_change};
use crate::endpoint::Endpoint;
use crate::extract::{Json, Path, Query};
use crate::refusal::Refusal;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let admin = Access::Role(Role::Admin);
    vec![
        Endpoint::new(
            Method::GET,
            "/api/events/hook-scripts",
            admin,
            "list_hook_scripts",
            list_hook_scripts,
        )
        .summary("Lists the scripts with their hooks")
        .answers_page::<ScriptInfo>(),
        Endpoint::new(
            Method::POST,
            "/api/events/hook-scripts",
            admin,
            "create_hook_script",
            create_hook_script,
        )
        .summary("Creates a script with its hooks")
        .reads::<HookScriptRequest>()
        .answers::<GeneratedId>(200),
        Endpoint::new(
            Method::PATCH,
            "/api/events/hook-scripts/{id}",
            admin,
            "replace_hook_script",
            replace_hook_script,
        )
        .summary("Changes a script, and replaces all its hooks if some are sent")
        .reads::<HookScriptRequest>()
        .answers_empty(204),
    ]
}

/// A script with its hooks.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ScriptInfo {
    id: i32,
    name: String,
    hooks: Vec<SimpleHookInfo>,
    /// The events, joined for display and sorting.
    hook_names: String,
}

/// A hook without its script.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SimpleHookInfo {
    event: String,
    #[serde(default)]
    all_servers: Option<bool>,
    #[serde(default)]
    server_ids: Option<Vec<i32>>,
}

impl SimpleHookInfo {
    fn new(hook: &Hook) -> Self {
        let (all_servers, server_ids) = print_targets(&hook.targets);
        Self {
            event: hook.event.to_string(),
            all_servers: Some(all_servers),
            server_ids: Some(server_ids),
        }
    }

    fn read(self, created_by: PrincipalId) -> NewHook {
        let targets = read_targets(
            self.all_servers.unwrap_or(false),
            self.server_ids.unwrap_or_default(),
        );
        NewHook {
            targets: Some(targets),
            created_by,
            // The script that the hook arrives with takes this place.
            ..NewHook::new(Number::UNASSIGNED, self.event)
        }
    }
}

fn read_hooks(hooks: Vec<SimpleHookInfo>, created_by: PrincipalId) -> Vec<NewHook> {
    hooks
        .into_iter()
        .map(|hook| hook.read(created_by))
        .collect()
}

/// A script with its hooks; on a change, what is null or absent stays.
#[derive(Debug, Deserialize, ToSchema)]
struct HookScriptRequest {
    name: Option<String>,
    contents: Option<String>,
    hooks: Option<Vec<SimpleHookInfo>>,
}

async fn list_hook_scripts(
    State(app): State<App>,
    caller: Caller,
    Query(paged): Query<Paged>,
) -> Result<Response, Refusal> {
    let sources = app.dispatcher().sources().list(caller.account()).await?;
    let mut by_source: HashMap<SourceId, Vec<SimpleHookInfo>> = HashMap::new();
    for hook in app.dispatcher().hooks().list(caller.account()).await? {
        by_source
            .entry(hook.source)
            .or_default()
            .push(SimpleHookInfo::new(&hook));
    }
    let rows = sources
        .into_iter()
        .filter(|source| !source.preloaded)
        .map(|source| {
            let hooks = by_source.remove(&source.id).unwrap_or_default();
            let names: Vec<&str> = hooks.iter().map(|hook| hook.event.as_str()).collect();
            ScriptInfo {
                id: source.number.get(),
                name: source.name,
                hook_names: names.join(", "),
                hooks,
            }
        })
        .collect();
    paged.page(rows).await
}

async fn create_hook_script(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<HookScriptRequest>,
) -> Result<Json<GeneratedId>, Refusal> {
    let new = new_source(body.name, body.contents, caller.principal())?;
    let hooks = read_hooks(body.hooks.unwrap_or_default(), caller.principal());
    let (source, _) = app
        .dispatcher()
        .sources()
        .create(caller.account(), new, hooks)
        .await
        .map_err(refers_to_missing)?;
    Ok(Json(GeneratedId {
        id: source.number.get(),
    }))
}

async fn replace_hook_script(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<Key<SourceId>>,
    Json(body): Json<HookScriptRequest>,
) -> Result<StatusCode, Refusal> {
    // First the script in the path: an unknown one is 404, whatever the body says.
    app.dispatcher()
        .sources()
        .get(caller.account(), key)
        .await?;
    let change = source_change(body.name, body.contents, &caller);
    let hooks = body
        .hooks
        .map(|hooks| read_hooks(hooks, caller.principal()));
    app.dispatcher()
        .sources()
        .change(caller.account(), key, change, hooks)
        .await
        .map_err(refers_to_missing)?;
    Ok(StatusCode::NO_CONTENT)
}
