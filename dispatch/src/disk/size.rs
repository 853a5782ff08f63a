//! What rows have on the disk at most. Stores charge no more for one.

use serde::Serialize;

use crate::registry::app::App;
use crate::registry::hook::{Hook, Targets};
use crate::registry::server::Server;
use crate::runs::work::NewTask;

/// What a row takes beside its contents: what stores charge for one, and some more.
pub(crate) const ROW: u64 = 640;

/// What a task has on the disk at most, before anything of it has run.
pub(crate) fn of_task(task: &NewTask) -> u64 {
    let event = task.event.as_ref().map_or(0, |event| {
        let key = &event.key;
        event.json.len() + 2 * (key.source.len() + key.id.len()) + key.kind.len()
    });
    let program = task.program.as_ref().map_or(0, bytes::Bytes::len);
    let object = task.object.as_ref().map_or(0, String::len);
    let own = event + program + object + task.name.len() + task.started_by.len();
    let containers: u64 = task
        .executions
        .iter()
        .filter_map(|execution| execution.container.as_ref())
        .map(json)
        .sum();
    own as u64 + containers + ROW * (1 + task.executions.len() as u64)
}

/// What a program has on the disk at most.
pub(crate) fn of_program(bytes: &bytes::Bytes) -> u64 {
    bytes.len() as u64 + ROW
}

/// What a hook has on the disk at most.
pub(crate) fn of_hook(hook: &Hook) -> u64 {
    let targets = match &hook.targets {
        Targets::Once | Targets::All => 0,
        Targets::These(servers) => json(servers),
        Targets::Containers { criteria, .. } => json(criteria),
    };
    let texts = 2 * hook.name.as_ref().map_or(0, String::len)
        + hook.description.len()
        + hook.event.as_str().len();
    let rest = json(&hook.args) + json(&hook.env) + json(&hook.limits) + json(&hook.retry);
    // Two empty lists beside the targets.
    ROW + 4 + targets + texts as u64 + rest + json(&hook.labels)
}

/// What a server has on the disk at most.
pub(crate) fn of_server(server: &Server) -> u64 {
    let texts = [&server.host, &server.project, &server.group];
    let texts: usize = texts.into_iter().flatten().map(String::len).sum();
    ROW + (2 * server.name.len() + texts) as u64 + json(&server.labels)
}

/// What an application has on the disk at most.
pub(crate) fn of_app(app: &App) -> u64 {
    ROW + 2 * app.name.len() as u64 + json(&app.containers)
}

fn json(value: &impl Serialize) -> u64 {
    let text = serde_json::to_string(value).expect("it holds nothing that JSON cannot say");
    text.len() as u64
}
