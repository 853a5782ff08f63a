//! What this server allows: the limits of runs and uploads, and the hook points.

use axum::extract::State;
use http::Method;
use tenterhook_dispatch as dispatch;
use tenterhook_dispatch::{Role, SCRIPT_MAX_BYTES};
use tenterhook_engine as engine;
use tenterhook_wire::{AllLimits, HookPoint, List, Parameter, RunLimits};

use crate::app::App;
use crate::auth::Access;
use crate::endpoint::Endpoint;
use crate::extract::Json;
use crate::native::cloudevents;

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
        .summary("Returns the default limits of a hook, and the most that it may ask for")
        .answers::<AllLimits>(200),
        Endpoint::new(
            Method::GET,
            "/api/v1/hook-points",
            read,
            "list_hook_points",
            list_hook_points,
        )
        .summary("Lists the events that hooks can be bound to; `custom.<name>` needs no entry")
        .answers_items::<HookPoint>(),
    ]
}

fn run_limits(own: &engine::Limits) -> RunLimits {
    RunLimits {
        fuel: own.fuel,
        memory_bytes: own.memory,
        wall_ms: u64::try_from(own.wall.as_millis()).unwrap_or(u64::MAX),
        output_bytes: own.output,
        files_bytes: own.files,
        inodes: own.inodes,
        descriptors: own.descriptors,
    }
}

async fn get_limits(State(app): State<App>) -> Json<AllLimits> {
    let settings = app.dispatcher().settings();
    Json(AllLimits {
        default: run_limits(&settings.default_limits),
        ceiling: run_limits(&settings.ceiling_here()),
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

async fn list_hook_points() -> Json<List<HookPoint>> {
    let show = |point: &'static dispatch::HookPoint| HookPoint {
        name: point.name.to_owned(),
        face: face(point.face).to_owned(),
        can_choose_server: point.can_choose_server,
        description: point.description.to_owned(),
        parameters: point
            .parameters
            .iter()
            .map(|parameter| Parameter {
                name: parameter.name.to_owned(),
                description: parameter.description.to_owned(),
                kind: parameter_type(parameter.kind).to_owned(),
                required: parameter.required,
                sample: parameter.sample_value(),
            })
            .collect(),
    };
    Json(List {
        items: dispatch::HookPoint::catalog().map(show).collect(),
        next: None,
    })
}

fn face(own: dispatch::Face) -> &'static str {
    match own {
        dispatch::Face::Croit => "croit",
        dispatch::Face::Astra => "astra",
        dispatch::Face::Nova => "nova",
        dispatch::Face::Fenix => "fenix",
    }
}

fn parameter_type(own: dispatch::ParameterType) -> &'static str {
    match own {
        dispatch::ParameterType::Text => "text",
        dispatch::ParameterType::Number => "number",
        dispatch::ParameterType::Boolean => "boolean",
        dispatch::ParameterType::Json => "json",
    }
}
