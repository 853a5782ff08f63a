//! What this server allows: the limits of runs and uploads, and the hook points.

use axum::extract::State;
use http::Method;
use serde::Serialize;
use serde_json::Value;
use tenterhook_dispatch::{HookPoint as Point, Role, SCRIPT_MAX_BYTES};
use tenterhook_engine as engine;
use utoipa::ToSchema;

use crate::app::App;
use crate::auth::Access;
use crate::endpoint::Endpoint;
use crate::extract::Json;
use crate::native::cloudevents;
use crate::native::page::List;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let read = Access::Role(Role::Viewer);
    vec![
        Endpoint::new(
            Method::GET,
            "/api/v1/limits",
            read,
            "get_limits",
            get_limits,
        )
        .summary("Returns the limits that a hook has, and those that it may ask for")
        .answers::<AllLimits>(200),
        Endpoint::new(
            Method::GET,
            "/api/v1/hook-points",
            read,
            "list_hook_points",
            list_hook_points,
        )
        .summary("Lists the events that hooks can wait for; `custom.<name>` needs no entry")
        .answers_items::<HookPoint>(),
    ]
}

/// The limits of this server.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AllLimits {
    /// Of a hook that asks for none.
    default: RunLimits,
    /// The most that a hook may ask for.
    ceiling: RunLimits,
    script_bytes: u64,
    module_bytes: u64,
    event_bytes: u64,
    batch_bytes: u64,
    batch_events: usize,
    /// Executions that one event may cause.
    event_executions: usize,
    /// Executions that one request may cause in all.
    request_executions: usize,
    wait_seconds: u64,
}

/// The limits of one run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunLimits {
    fuel: u64,
    memory_bytes: u64,
    wall_ms: u64,
    output_bytes: u64,
    files_bytes: u64,
    inodes: u32,
    descriptors: u32,
}

impl From<&engine::Limits> for RunLimits {
    fn from(own: &engine::Limits) -> Self {
        Self {
            fuel: own.fuel,
            memory_bytes: own.memory,
            wall_ms: u64::try_from(own.wall.as_millis()).unwrap_or(u64::MAX),
            output_bytes: own.output,
            files_bytes: own.files,
            inodes: own.inodes,
            descriptors: own.descriptors,
        }
    }
}

async fn get_limits(State(app): State<App>) -> Json<AllLimits> {
    let settings = app.dispatcher().settings();
    Json(AllLimits {
        default: (&settings.default_limits).into(),
        ceiling: (&settings.ceiling_here()).into(),
        script_bytes: SCRIPT_MAX_BYTES,
        module_bytes: settings.module_bytes,
        event_bytes: cloudevents::EVENT_MAX_BYTES,
        batch_bytes: cloudevents::BATCH_MAX_BYTES,
        batch_events: cloudevents::BATCH_MAX_EVENTS,
        event_executions: settings.executions_per_event,
        request_executions: settings.executions_per_request,
        wait_seconds: app.longest_wait().as_secs(),
    })
}

/// An event that hooks can wait for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HookPoint {
    name: &'static str,
    /// The interface that documents it: `croit`, `astra`, `nova` or `fenix`.
    #[schema(value_type = String)]
    face: tenterhook_dispatch::Face,
    can_choose_server: bool,
    description: &'static str,
    /// Members of the event's `data`; each becomes `HOOK_PARAM_<NAME>`.
    parameters: Vec<Parameter>,
}

/// One member of an event's data.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Parameter {
    name: &'static str,
    description: &'static str,
    /// `text`, `number` (whole, from 0), `boolean` or `json`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    kind: tenterhook_dispatch::ParameterType,
    /// Whether every event has it.
    required: bool,
    /// What it may look like.
    sample: Value,
}

async fn list_hook_points() -> Json<List<HookPoint>> {
    let show = |point: &'static Point| HookPoint {
        name: point.name,
        face: point.face,
        can_choose_server: point.can_choose_server,
        description: point.description,
        parameters: point
            .parameters
            .iter()
            .map(|parameter| Parameter {
                name: parameter.name,
                description: parameter.description,
                kind: parameter.kind,
                required: parameter.required,
                sample: parameter.sample_value(),
            })
            .collect(),
    };
    Json(List {
        items: Point::catalog().map(show).collect(),
        next: None,
    })
}
