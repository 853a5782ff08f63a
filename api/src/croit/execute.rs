//! `/events/scripts/execute`: runs a script at once, for some servers.

use axum::extract::State;
use bytes::Bytes;
use http::Method;
use serde::Deserialize;
use tenterhook_dispatch::{Error, Key, NewExecute, Noun, Number, Program, Role};
use tenterhook_engine::AskedLimits;
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::{Access, Caller};
use crate::croit::tasks::ManagedTask;
use crate::endpoint::Endpoint;
use crate::extract::Json;
use crate::refusal::Refusal;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::POST,
            "/api/events/scripts/execute",
            Access::Role(Role::Admin),
            "execute_script",
            execute_script,
        )
        .summary("Runs a stored or an inline script for servers; returns the task at once")
        .reads::<RunScriptRequest>()
        .answers::<ManagedTask>(200),
    ]
}

/// What to run: either `scriptId` or `script`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RunScriptRequest {
    script_id: Option<i32>,
    script: Option<String>,
    args: Option<Vec<String>>,
    servers: Option<Vec<i32>>,
}

impl RunScriptRequest {
    fn read(self, started_by: String) -> Result<NewExecute, Refusal> {
        let program = match (self.script_id, self.script) {
            (Some(number), None) => Program::Source(Key::Number(Number::new(number))),
            (None, Some(text)) => Program::Inline(Bytes::from(text)),
            (Some(_), Some(_)) => {
                return Err(Refusal::invalid(
                    "/script",
                    "cannot stand beside `scriptId`; send one of them",
                ));
            }
            (None, None) => return Err(Refusal::invalid("/scriptId", "is required, or `script`")),
        };
        let servers = self.servers.unwrap_or_default();
        if servers.is_empty() {
            return Err(Refusal::invalid(
                "/servers",
                "must name at least one server",
            ));
        }
        Ok(NewExecute {
            program,
            args: self.args.unwrap_or_default(),
            servers: servers.into_iter().map(Number::new).collect(),
            limits: AskedLimits::default(),
            started_by,
        })
    }
}

async fn execute_script(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<RunScriptRequest>,
) -> Result<Json<ManagedTask>, Refusal> {
    let new = body.read(caller.0.name.clone())?;
    let detail = app
        .dispatcher()
        .tasks()
        .execute(caller.account(), new)
        .await
        .map_err(|error| match error {
            Error::NotFound {
                what: Noun::Server,
                id,
            } => Refusal::invalid(
                "/servers",
                format!("names the server `{id}`, which does not exist"),
            ),
            error => error.into(),
        })?;
    Ok(Json(ManagedTask::new(&detail, app.croit_times())))
}
