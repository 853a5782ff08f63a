//! Which hooks an event owes, for which servers or containers, and in which order.
//!
//! Pure: it sees the account's hooks, servers and the application that the event is
//! about, and picks one server at random where the hook point requires it.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::{Rng, RngExt as _};
use serde_json::Value;
use tenterhook_engine::AskedLimits;

use crate::error::{Error, Noun};
use crate::id::{ExecutionId, Number};
use crate::registry::app::{App, Container};
use crate::registry::directory::BoundHook;
use crate::registry::hook::{FailurePolicy, Targets};
use crate::registry::hook_point::HookPointName;
use crate::registry::recipe::{Recipe, RecipeContent};
use crate::registry::reference;
use crate::registry::server::Server;
use crate::registry::source::Source;
use crate::runs::execution::{HookRef, ServerRef};
use crate::runs::retry::RetryPolicy;
use crate::runs::work::NewExecution;

/// The servers of an account, by number.
pub(crate) type Servers = BTreeMap<Number, Server>;

/// There are more executions than may be planned.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

/// Plans what an event owes: `hooks` are the enabled ones that wait for it, in
/// their order; `named` is the server that it names. [`TooMany`] if that is more than
/// `most`, which is noticed before it is made.
///
/// Executions for one server form a lane and stand in hook order; the lanes
/// stand by server number, the one for no server first.
pub(crate) fn plan(
    name: &HookPointName,
    hooks: &[Arc<BoundHook>],
    servers: &Servers,
    named: Option<&ServerRef>,
    most: usize,
    rng: &mut impl Rng,
) -> Result<Vec<NewExecution>, TooMany> {
    let mut planned = 0;
    let mut lanes: BTreeMap<Option<Number>, (Option<ServerRef>, Vec<&BoundHook>)> = BTreeMap::new();
    let by_lot = name.point().is_some_and(|point| point.one_random_server);
    for bound in hooks {
        let mut targets = targets(name, &bound.hook.targets, servers, named);
        if by_lot && targets.len() > 1 {
            let drawn = rng.random_range(0..targets.len());
            targets = vec![targets.swap_remove(drawn)];
        }
        planned += targets.len();
        if planned > most {
            return Err(TooMany);
        }
        for server in targets {
            let number = server.as_ref().map(|server| server.number);
            lanes
                .entry(number)
                .or_insert((server, Vec::new()))
                .1
                .push(bound);
        }
    }
    let executions = (0..)
        .zip(lanes.into_values())
        .flat_map(|(lane, (server, hooks))| {
            hooks
                .into_iter()
                .map(move |bound| execution(bound, server.clone(), None, lane))
        })
        .collect();
    Ok(executions)
}

/// Plans what an event about an application owes besides: `hooks` are those for
/// containers that are on for it, in their order. [`TooMany`] as for [`plan`].
///
/// Each runs once for each container that it matches. Executions for one container
/// form a lane and stand in hook order; the lanes stand as the containers do, and
/// are counted from `first_lane`.
pub(crate) fn plan_containers(
    hooks: &[Arc<BoundHook>],
    app: &Arc<App>,
    first_lane: u32,
    most: usize,
) -> Result<Vec<NewExecution>, TooMany> {
    let mut planned = 0;
    let mut lanes: BTreeMap<usize, Vec<&BoundHook>> = BTreeMap::new();
    for bound in hooks {
        let places = bound.places_in(app);
        planned += places.len();
        if planned > most {
            return Err(TooMany);
        }
        for place in places.iter() {
            lanes.entry(*place).or_default().push(bound);
        }
    }
    let executions = (first_lane..)
        .zip(lanes)
        .flat_map(|(lane, (place, hooks))| {
            let container = &app.containers[place];
            hooks
                .into_iter()
                .map(move |bound| execution(bound, None, Some(container.clone()), lane))
        })
        .collect();
    Ok(executions)
}

/// The run of a source that an event's sender has chosen.
pub(crate) fn chosen(source: &Source, lane: u32) -> NewExecution {
    let content = RecipeContent {
        kind: source.kind,
        name: source.name.clone(),
        args: Vec::new(),
        env: BTreeMap::new(),
        limits: AskedLimits::default(),
        failure_policy: FailurePolicy::Closed,
        retry: RetryPolicy::default(),
    };
    NewExecution {
        id: ExecutionId::generate(),
        hook: None,
        recipe: Arc::new(Recipe::new(source.digest, content)),
        server: None,
        container: None,
        lane,
    }
}

fn execution(
    bound: &BoundHook,
    server: Option<ServerRef>,
    container: Option<Container>,
    lane: u32,
) -> NewExecution {
    NewExecution {
        id: ExecutionId::generate(),
        hook: Some(HookRef {
            id: bound.hook.id,
            number: bound.hook.number,
        }),
        recipe: Arc::clone(&bound.recipe),
        server,
        container,
        lane,
    }
}

/// For which servers one hook runs; `None` is for no server in particular.
fn targets(
    name: &HookPointName,
    targets: &Targets,
    servers: &Servers,
    named: Option<&ServerRef>,
) -> Vec<Option<ServerRef>> {
    if let Some(server) = named {
        let covered = !name.can_choose_server() || targets.cover(server.number);
        return if covered {
            vec![Some(server.clone())]
        } else {
            Vec::new()
        };
    }
    match targets {
        Targets::Containers { .. } => Vec::new(),
        _ if !name.can_choose_server() => vec![None],
        Targets::Once => vec![None],
        Targets::All if servers.is_empty() => vec![None],
        Targets::All => servers
            .values()
            .map(|server| Some(server_ref(server)))
            .collect(),
        Targets::These(chosen) => servers
            .values()
            .filter(|server| chosen.contains(&server.number))
            .map(|server| Some(server_ref(server)))
            .collect(),
    }
}

/// What an execution keeps of its server.
pub(crate) fn server_ref(server: &Server) -> ServerRef {
    ServerRef {
        number: server.number,
        name: server.name.clone(),
    }
}

/// Finds the server that an event names by id, number or name. A JSON number is a number.
pub(crate) fn named(servers: &Servers, wanted: Option<&Value>) -> Result<Option<ServerRef>, Error> {
    const FIELD: &str = "serverid";
    let found = match wanted {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number
            .as_i64()
            .and_then(|number| servers.get(&Number::new(i32::try_from(number).ok()?))),
        Some(Value::String(text)) => Some(reference::resolve(servers, FIELD, text)?),
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => None,
    };
    let found = found.ok_or_else(|| reference::missing(Noun::Server, FIELD))?;
    Ok(Some(server_ref(found)))
}

#[cfg(test)]
#[path = "plan/tests.rs"]
mod tests;
