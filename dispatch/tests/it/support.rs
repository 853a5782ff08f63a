//! One dispatcher on a fresh database; three lines to the first assertion.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tenterhook_dispatch::{
    AccountId, App, Container, Criterion, Dispatcher, Error, Execution, ExecutionId, Hook, Key,
    Label, NewApp, NewHook, NewSource, Number, PrincipalId, Replay, Settings, Source, SteppedClock,
    Store, Subject, Targets, TaskDetail, Visibility,
};
use tenterhook_engine::{Engine, Limits};
use tenterhook_ledger::{Capacities, Ledger};
use tenterhook_sdk::Event;
use tenterhook_store::Sqlite;

/// Long enough for any machine; no test waits for it to pass.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// One engine for all tests: it is made to be shared.
static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    Engine::start(tenterhook_engine::Settings::default()).expect("the engine starts")
});

/// Whether tests replay what they have run.
#[expect(
    clippy::disallowed_methods,
    reason = "a switch of the suite, not of the product"
)]
static REPLAYS: LazyLock<bool> =
    LazyLock::new(|| std::env::var("TENTERHOOK_TESTS_REPLAY").as_deref() != Ok("off"));

/// A dispatcher on a database of its own.
pub(crate) struct Yard {
    pub(crate) dispatcher: Dispatcher,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) account: AccountId,
    folder: Arc<TempDir>,
    /// Whether what it has run is replayed. Not where the host has too little for that, or
    /// the store is watched.
    replays: bool,
}

pub(crate) fn settings() -> Settings {
    Settings {
        default_limits: Limits::for_testing(),
        ..Settings::default()
    }
}

impl Yard {
    pub(crate) async fn new() -> Self {
        Self::with(settings()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        Self {
            replays: *REPLAYS,
            ..Self::on(ENGINE.clone(), settings).await
        }
    }

    /// A dispatcher on a host that has this much of some things.
    pub(crate) async fn sharing(capacities: Capacities) -> Self {
        let engine = Engine::start(tenterhook_engine::Settings {
            ledger: Ledger::new(capacities),
            ..tenterhook_engine::Settings::default()
        });
        Self::on(engine.unwrap(), settings()).await
    }

    /// A dispatcher on an engine of its own.
    pub(crate) async fn on(engine: Engine, settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        let dispatcher = start(&store, engine, settings).await;
        let account = dispatcher.accounts().create("acme").await.unwrap().id;
        Self {
            dispatcher,
            store,
            account,
            folder: Arc::new(folder),
            replays: false,
        }
    }

    /// The same server, as another account sees it.
    pub(crate) fn as_account(&self, account: AccountId) -> Self {
        Self {
            dispatcher: self.dispatcher.clone(),
            store: Arc::clone(&self.store),
            account,
            folder: Arc::clone(&self.folder),
            replays: self.replays,
        }
    }

    /// A dispatcher that lives by a clock which the test steps.
    pub(crate) async fn at(clock: &SteppedClock, settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        let dispatcher = start_at(&store, settings, clock).await;
        let account = dispatcher.accounts().create("acme").await.unwrap().id;
        Self {
            dispatcher,
            store,
            account,
            folder: Arc::new(folder),
            replays: *REPLAYS,
        }
    }

    /// The same account, whose dispatcher now reaches its store through another one.
    pub(crate) async fn through(self, store: Arc<dyn Store>) -> Self {
        self.dispatcher.drain(LONG).await;
        Self {
            dispatcher: start(&store, ENGINE.clone(), settings()).await,
            replays: false,
            ..self
        }
    }

    /// Starts another dispatcher on the same file, at the time of `clock`.
    pub(crate) async fn restarted_at(&self, clock: &SteppedClock) -> Dispatcher {
        start_at(&open(&self.folder).await, settings(), clock).await
    }

    /// Starts another dispatcher on the same file, as a restart would.
    pub(crate) async fn restarted(&self) -> Dispatcher {
        self.restarted_with(ENGINE.clone()).await
    }

    /// The same, set up in this way.
    pub(crate) async fn restarted_as(&self, settings: Settings) -> Dispatcher {
        start(&open(&self.folder).await, ENGINE.clone(), settings).await
    }

    pub(crate) async fn restarted_with(&self, engine: Engine) -> Dispatcher {
        start(&open(&self.folder).await, engine, settings()).await
    }

    pub(crate) async fn source(&self, name: &str, script: &str) -> Source {
        let new = NewSource {
            name: name.into(),
            bytes: script.to_owned().into(),
            kind: None,
            description: String::new(),
            visibility: Visibility::Readable,
            labels: Vec::new(),
            created_by: PrincipalId::SYSTEM,
        };
        self.dispatcher
            .sources()
            .create(self.account, new, Vec::new())
            .await
            .unwrap()
            .0
    }

    /// The sources that the tenant has uploaded itself.
    pub(crate) async fn uploaded(&self) -> Vec<Source> {
        let mut sources = self.dispatcher.sources().list(self.account).await.unwrap();
        sources.retain(|source| !source.preloaded);
        sources
    }

    /// Enters an application of pods `NAME-0`, `NAME-1`, … with a container each, by
    /// image.
    pub(crate) async fn app(&self, name: &str, images: &[&str]) -> App {
        let new = NewApp {
            name: name.into(),
            containers: containers(name, images),
            ..NewApp::default()
        };
        self.dispatcher
            .apps()
            .create(self.account, new)
            .await
            .unwrap()
    }

    /// Binds a script to an event about an application, or about any.
    pub(crate) async fn container_hook(
        &self,
        name: &str,
        event: &str,
        script: &str,
        app: Option<&App>,
        criteria: &[(Subject, &str)],
    ) -> Hook {
        let criteria = criteria.iter().map(|(subject, value)| Criterion {
            subject: *subject,
            value: (*value).into(),
        });
        let targets = Targets::Containers {
            app: app.map(|app| app.id),
            criteria: criteria.collect(),
        };
        self.hook_with(event, script, |new| {
            new.name = Some(name.into());
            new.managed = app.is_none();
            new.targets = Some(targets);
        })
        .await
    }

    /// Binds a script to an event.
    pub(crate) async fn hook(&self, event: &str, script: &str) -> Hook {
        self.hook_with(event, script, |_| {}).await
    }

    pub(crate) async fn hook_with(
        &self,
        event: &str,
        script: &str,
        change: impl FnOnce(&mut NewHook),
    ) -> Hook {
        let name = format!(
            "s{}",
            self.dispatcher
                .sources()
                .list(self.account)
                .await
                .unwrap()
                .len()
        );
        let source = self.source(&name, script).await;
        let mut new = NewHook::new(source.id, event);
        change(&mut new);
        self.dispatcher
            .hooks()
            .create(self.account, new)
            .await
            .unwrap()
    }

    pub(crate) async fn server(&self, name: &str) -> Number {
        let new = tenterhook_dispatch::NewServer {
            name: name.into(),
            ..Default::default()
        };
        self.dispatcher
            .servers()
            .create(self.account, new)
            .await
            .unwrap()
            .number
    }

    /// Fires an event and waits for its end.
    pub(crate) async fn fire(&self, event: Event) -> TaskDetail {
        let (_, detail) = self
            .dispatcher
            .events()
            .accept_and_wait(self.account, "tester", event, LONG)
            .await
            .unwrap();
        assert!(detail.task.state.is_over(), "{detail:?}");
        self.check_replays(&detail).await;
        detail
    }

    /// Fires an event without waiting; returns the key of its task.
    pub(crate) async fn send(&self, event: Event) -> Key<tenterhook_dispatch::TaskId> {
        let accepted = self
            .dispatcher
            .events()
            .accept(self.account, "tester", vec![event])
            .await
            .unwrap();
        Key::Id(accepted[0].task.id)
    }

    pub(crate) async fn end(&self, task: Key<tenterhook_dispatch::TaskId>) -> TaskDetail {
        let detail = self
            .dispatcher
            .tasks()
            .wait(self.account, task, LONG)
            .await
            .unwrap();
        assert!(detail.task.state.is_over(), "{detail:?}");
        self.check_replays(&detail).await;
        detail
    }

    /// Replays every attempt of a task that is over: all have to be the same, unless
    /// `TENTERHOOK_TESTS_REPLAY` is `off`.
    async fn check_replays(&self, detail: &TaskDetail) {
        if !self.replays {
            return;
        }
        for execution in &detail.executions {
            for attempt in 1..=execution.latest.attempt {
                match self.replay(execution.id, Some(attempt)).await {
                    Ok(replay) => assert_eq!(replay.differences, [], "{execution:?}"),
                    // The server did not run it to its end, or is not to be asked any more.
                    Err(Error::NotFound { .. } | Error::WrongState { .. } | Error::Stopping) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        }
    }

    /// Replays an attempt with its own program.
    pub(crate) async fn replay(
        &self,
        execution: ExecutionId,
        attempt: Option<u32>,
    ) -> Result<Replay, Error> {
        self.dispatcher
            .executions()
            .replay(self.account, execution, attempt, None)
            .await
    }

    /// Waits until an execution has printed something, so that it surely runs.
    pub(crate) async fn printed(&self, execution: &Execution) -> String {
        self.printed_by(&self.dispatcher, execution).await
    }

    /// Waits until an execution has printed something in this dispatcher.
    pub(crate) async fn printed_by(
        &self,
        dispatcher: &Dispatcher,
        execution: &Execution,
    ) -> String {
        loop {
            let (_, mut live) = dispatcher
                .executions()
                .follow(self.account, execution.id)
                .await
                .unwrap();
            if let Some(chunk) = live.next().await {
                return String::from_utf8(chunk.bytes.to_vec()).unwrap();
            }
            tokio::task::yield_now().await;
        }
    }
}

async fn open(folder: &TempDir) -> Arc<dyn Store> {
    Arc::new(Sqlite::open(&folder.path().join("test.db")).await.unwrap())
}

async fn start(store: &Arc<dyn Store>, engine: Engine, settings: Settings) -> Dispatcher {
    Dispatcher::start(Arc::clone(store), engine, settings)
        .await
        .unwrap()
}

async fn start_at(store: &Arc<dyn Store>, settings: Settings, clock: &SteppedClock) -> Dispatcher {
    let clock = Arc::new(clock.clone());
    Dispatcher::start_with(Arc::clone(store), ENGINE.clone(), settings, clock)
        .await
        .unwrap()
}

/// Containers named `main` of pods `NAME-0`, `NAME-1`, … in the namespace `prod`.
pub(crate) fn containers(name: &str, images: &[&str]) -> Vec<Container> {
    (0..)
        .zip(images)
        .map(|(place, image)| Container {
            pod_name: format!("{name}-{place}"),
            pod_labels: vec![Label {
                name: "app".into(),
                value: name.into(),
            }],
            container_image: (*image).into(),
            container_name: "main".into(),
            namespace_name: "prod".into(),
        })
        .collect()
}

/// An event about an application.
pub(crate) fn about(kind: &str, subject: impl ToString) -> Event {
    Event {
        subject: Some(subject.to_string()),
        ..event(kind, serde_json::json!({}))
    }
}

/// An event with a new id.
pub(crate) fn event(kind: &str, data: Value) -> Event {
    Event::new(uuid::Uuid::now_v7().to_string(), "/test", kind, Some(data))
}

pub(crate) fn stdout(execution: &Execution) -> &str {
    std::str::from_utf8(&execution.latest.output.stdout).unwrap()
}
