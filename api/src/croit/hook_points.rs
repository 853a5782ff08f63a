//! `/events/hooks/hook-points`: the twenty events and their arguments.

use http::Method;
use serde::Serialize;
use tenterhook_dispatch::{HookPoint, Role};
use utoipa::ToSchema;

use crate::auth::Access;
use crate::endpoint::Endpoint;
use crate::extract::Json;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::new(
            Method::GET,
            "/api/events/hooks/hook-points",
            Access::Role(Role::Viewer),
            "list_hook_points",
            list_hook_points,
        )
        .summary("Lists the events that a script can be bound to")
        .answers_list::<HookPointInfo>(),
    ]
}

/// An event that a script can be bound to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct HookPointInfo {
    name: &'static str,
    can_choose_server: bool,
    description: &'static str,
    parameters: Vec<HookPointParameter>,
}

/// One argument of the scripts of an event, in order.
#[derive(Debug, Serialize, ToSchema)]
struct HookPointParameter {
    name: &'static str,
    description: &'static str,
}

async fn list_hook_points() -> Json<Vec<HookPointInfo>> {
    let show = |point: &HookPoint| HookPointInfo {
        name: point.name,
        can_choose_server: point.can_choose_server,
        description: point.description,
        parameters: point
            .parameters
            .iter()
            .map(|parameter| HookPointParameter {
                name: parameter.name,
                description: parameter.description,
            })
            .collect(),
    };
    Json(HookPoint::croit().map(show).collect())
}
