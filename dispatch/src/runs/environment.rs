//! What a hook sees of its event and of itself: the contract with its author.
//!
//! Everything that the executions of one task share is made once, in a
//! [`Context`]; an [`Invocation`] adds what differs.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use tenterhook_engine::{Invocation, Limits, OutputSink};
use tenterhook_sdk::params::Params;
use tenterhook_sdk::{Event, contract};
use tokio_util::sync::CancellationToken;

use crate::id::AccountId;
use crate::registry::app::{App, Container};
use crate::registry::hook_point::HookPointName;
use crate::runs::event::ReceivedEvent;
use crate::runs::work::{ClaimedExecution, NewExecution};
use crate::settings::Settings;

/// What the executions of one task share.
#[derive(Debug, Default)]
pub(crate) struct Context {
    /// The type and id of the event, unless it is ad hoc.
    event: Option<(String, String)>,
    params: Params,
    stdin: Bytes,
    json: Bytes,
}

impl Context {
    /// Takes from an event what its hooks will see. `json` is its whole text.
    pub(crate) fn of(event: &ReceivedEvent, name: &HookPointName, json: Bytes) -> Self {
        let mut params = event.params(name.point());
        let (stdin, event) = (event.stdin(), event.attributes());
        if name.is_astra() {
            for (attribute, name) in [(APP_ID, "APP_ID"), (APP_NAME, "APP_NAME")] {
                if let Some(Value::String(value)) = event.extensions.get(attribute) {
                    params.named.retain(|(known, _)| known != name);
                    params.named.push((name.to_owned(), value.clone()));
                }
            }
        }
        Self {
            event: Some((event.kind.clone(), event.id.clone())),
            params,
            stdin,
            json,
        }
    }

    /// Reads an event back that was stored; one that cannot be read any more
    /// leaves its hooks with its text alone.
    pub(crate) fn stored(json: Bytes) -> Self {
        let event = ReceivedEvent::stored(&json).ok();
        let named = event
            .as_ref()
            .and_then(|event| Some((event, HookPointName::parse(&event.attributes().kind).ok()?)));
        match named {
            Some((event, name)) => Self::of(event, &name, json),
            None => Self {
                json,
                ..Self::default()
            },
        }
    }

    /// What hooks are not given of the event: see
    /// [`Execution::warnings`](crate::Execution::warnings).
    pub(crate) fn warnings(&self) -> &[String] {
        &self.params.warnings
    }

    /// Bytes that it holds in memory, together with so many executions that share it.
    pub(crate) fn size_with(&self, executions: usize) -> usize {
        self.json.len() + self.stdin.len() + executions * size_of::<ClaimedExecution>()
    }

    /// Completes what one attempt of one execution is given.
    pub(crate) fn invocation(
        &self,
        account: AccountId,
        execution: &NewExecution,
        attempt: u32,
        limits: Limits,
        cancel: CancellationToken,
        output: Option<Arc<dyn OutputSink>>,
    ) -> Invocation {
        let recipe = &execution.recipe.content;
        let mut args = recipe.args.clone();
        args.extend(self.params.positional.iter().cloned());
        Invocation {
            name: recipe.name.clone(),
            args,
            env: self.env(account, execution, attempt, &limits),
            stdin: self.stdin.clone(),
            event: self.json.clone(),
            limits,
            cancel,
            output,
            ..Invocation::default()
        }
    }

    fn env(
        &self,
        account: AccountId,
        execution: &NewExecution,
        attempt: u32,
        limits: &Limits,
    ) -> Vec<(String, String)> {
        use contract::env as names;
        let own = &execution.recipe.content.env;
        let mut env = Vec::with_capacity(13 + own.len() + 2 * self.params.named.len());
        let mut set = |name: &str, value: String| env.push((name.to_owned(), value));
        if let Some((kind, id)) = &self.event {
            set(names::EVENT, kind.clone());
            set(names::EVENT_ID, id.clone());
        }
        set(names::EXECUTION_ID, execution.id.to_string());
        set(names::ATTEMPT, attempt.to_string());
        set(names::ACCOUNT_ID, account.to_string());
        set(names::LIMIT_FUEL, limits.fuel.to_string());
        set(names::LIMIT_MEMORY, limits.memory.to_string());
        set(names::LIMIT_WALL, limits.wall.as_millis().to_string());
        set(names::LIMIT_OUTPUT, limits.output.to_string());
        set(names::LIMIT_FILES, limits.files.to_string());
        if let Some(server) = &execution.server {
            set(names::SERVER_ID, server.number.to_string());
            set(names::SERVER_NAME, server.name.clone());
        }
        let pairs: Vec<_> = execution.container.iter().flat_map(env_pairs).collect();
        for (name, value) in &pairs {
            set(&format!("{}{name}", names::PARAM_PREFIX), value.clone());
        }
        for (name, value) in &self.params.named {
            // What we know of the container counts, not what the event says of one.
            if !pairs.iter().any(|(known, _)| known == name) {
                set(&format!("{}{name}", names::PARAM_PREFIX), value.clone());
            }
        }
        if let Some((kind, _)) = self.event.as_ref().filter(|_| self.params.croit) {
            for (name, value) in &self.params.named {
                set(&format!("{}{name}", names::CROIT_PREFIX), value.clone());
            }
            set(&format!("{}EVENT", names::CROIT_PREFIX), kind.clone());
        }
        for (name, value) in own {
            set(name, value.clone());
        }
        env
    }
}

/// Extension attributes by which an event carries the application that its subject
/// names, as it was when the event arrived.
const APP_ID: &str = "appid";
const APP_NAME: &str = "appname";

/// Writes into an event which application it is about. What the sender wrote
/// there is not trusted.
pub(crate) fn name_app(event: &mut Event, app: Option<&App>) {
    event.extensions.remove(APP_ID);
    event.extensions.remove(APP_NAME);
    if let Some(app) = app {
        let app_id = app.id.to_string();
        event.extensions.insert(APP_ID.into(), app_id.into());
        event
            .extensions
            .insert(APP_NAME.into(), app.name.clone().into());
    }
}

/// What a hook gets to know of the container that it runs for.
fn env_pairs(container: &Container) -> [(&'static str, String); 5] {
    let labels: serde_json::Map<_, _> = container
        .pod_labels
        .iter()
        .map(|label| (label.name.clone(), Value::from(label.value.clone())))
        .collect();
    [
        ("POD_NAME", container.pod_name.clone()),
        ("CONTAINER_NAME", container.container_name.clone()),
        ("CONTAINER_IMAGE", container.container_image.clone()),
        ("NAMESPACE_NAME", container.namespace_name.clone()),
        ("POD_LABELS", Value::Object(labels).to_string()),
    ]
}

/// The limits of a hook: what it asked for, capped at what is currently allowed.
pub(crate) fn limits(settings: &Settings, execution: &NewExecution) -> Limits {
    let asked = &execution.recipe.content.limits;
    asked
        .resolve(&settings.default_limits, &settings.ceiling)
        // It was checked against a ceiling that has been lowered since.
        .or_else(|_| asked.resolve(&settings.default_limits, &Limits::ceiling()))
        .unwrap_or_else(|_| settings.default_limits.clone())
        .within(&settings.ceiling)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;
    use tenterhook_engine::{AskedLimits, Digest, Kind};

    use super::*;
    use crate::id::{ExecutionId, Number};
    use crate::registry::hook::FailurePolicy;
    use crate::registry::recipe::{Recipe, RecipeContent};
    use crate::runs::execution::ServerRef;
    use crate::runs::retry::RetryPolicy;

    fn execution() -> NewExecution {
        NewExecution {
            id: ExecutionId::generate(),
            hook: None,
            recipe: Arc::new(Recipe::new(
                Digest::of(b""),
                RecipeContent {
                    kind: Kind::Script,
                    name: "a.sh".into(),
                    args: vec!["own".into()],
                    env: BTreeMap::from([("MINE".into(), "1".into())]),
                    limits: AskedLimits::default(),
                    failure_policy: FailurePolicy::Open,
                    retry: RetryPolicy::default(),
                },
            )),
            server: Some(ServerRef {
                number: Number::new(3),
                name: "node-3".into(),
            }),
            container: None,
            lane: 0,
        }
    }

    fn context(event: &Event) -> Context {
        Context::of(
            &event.clone().try_into().unwrap(),
            &HookPointName::parse(&event.kind).unwrap(),
            Bytes::new(),
        )
    }

    #[test]
    fn a_croit_hook_gets_every_variable_of_the_contract() {
        let event = Event::new(
            "e-1",
            "/t",
            "OnAudit",
            Some(json!({"id": "7", "queryParams": {}})),
        );
        let (account, execution) = (AccountId::generate(), execution());
        let env: BTreeMap<_, _> = context(&event)
            .env(account, &execution, 2, &Limits::default())
            .into_iter()
            .collect();
        let expected = [
            ("HOOK_EVENT", "OnAudit".to_owned()),
            ("HOOK_EVENT_ID", "e-1".into()),
            ("HOOK_EXECUTION_ID", execution.id.to_string()),
            ("HOOK_ATTEMPT", "2".into()),
            ("HOOK_ACCOUNT_ID", account.to_string()),
            ("HOOK_LIMIT_FUEL", "10000000000".into()),
            ("HOOK_LIMIT_MEMORY_BYTES", "67108864".into()),
            ("HOOK_LIMIT_WALL_MS", "30000".into()),
            ("HOOK_LIMIT_OUTPUT_BYTES", "1048576".into()),
            ("HOOK_LIMIT_FILES_BYTES", "67108864".into()),
            ("HOOK_SERVER_ID", "3".into()),
            ("HOOK_SERVER_NAME", "node-3".into()),
            ("HOOK_PARAM_ID", "7".into()),
            ("HOOK_PARAM_QUERY_PARAMS", "{}".into()),
            ("CROIT_ID", "7".into()),
            ("CROIT_QUERY_PARAMS", "{}".into()),
            ("CROIT_EVENT", "OnAudit".into()),
            ("MINE", "1".into()),
        ];
        assert_eq!(
            env,
            expected
                .map(|(name, value)| (name.to_owned(), value))
                .into()
        );
    }

    #[test]
    fn arguments_of_the_hook_precede_those_of_the_event() {
        let event = Event::new(
            "1",
            "/t",
            "OnHealthRecover",
            Some(json!({"newStatus": "HEALTH_OK"})),
        );
        let invocation = context(&event).invocation(
            AccountId::generate(),
            &execution(),
            1,
            Limits::default(),
            CancellationToken::new(),
            None,
        );
        assert_eq!(invocation.args, ["own", "", "HEALTH_OK", ""]);
        assert_eq!(invocation.name, "a.sh");
    }

    #[test]
    fn a_lowered_ceiling_applies_to_existing_hooks() {
        let mut settings = Settings::default();
        let mut execution = execution();
        let recipe = Arc::make_mut(&mut execution.recipe);
        recipe.content.limits.fuel = Some(50_000_000_000);
        settings.ceiling.fuel = 1_000;
        assert_eq!(limits(&settings, &execution).fuel, 1_000);
    }
}
