//! One operator with hosts, instances and plug-ins, and a player of the projects.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tempfile::TempDir;
use tenterhook_delivery::Webhooks;
use tenterhook_dispatch::{
    AccountId, Clock, Dispatcher, ExecutionFilter, Key, NewHook, NewServer, NewSource, Outputs,
    Page, PrincipalId, ServerChange, SteppedClock, SystemClock, TaskDetail, TaskId, Visibility,
};
use tenterhook_engine::{Engine, Limits};
use tenterhook_maintenance::{Maintenance, NewSession, SessionStore, Settings, Stored};
use tenterhook_session::{Action, ActionType, InstanceAction, NewPlan, Reply, State, Step};
use tenterhook_store::Sqlite;
use uuid::Uuid;

/// Looks that a test takes before it gives up: a minute or more.
const TRIES: u32 = 4_000;

/// One engine for all tests: it is made to be shared.
static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    Engine::start(tenterhook_engine::Settings::default()).expect("the engine starts")
});

/// One server's whole inside, on a database of its own.
pub(crate) struct Yard {
    pub(crate) dispatcher: Dispatcher,
    pub(crate) maintenance: Maintenance,
    /// The operator's.
    pub(crate) account: AccountId,
    folder: Arc<TempDir>,
}

impl Yard {
    pub(crate) async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let yard = Self::open(folder, settings, |store| store).await;
        let account = yard
            .dispatcher
            .accounts()
            .create("operator")
            .await
            .unwrap()
            .id;
        Self { account, ..yard }
    }

    /// One that lives by a clock which the test steps.
    pub(crate) async fn at(clock: &SteppedClock) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let clock = Arc::new(clock.clone());
        let yard = Self::open_at(folder, Settings::default(), |store| store, clock).await;
        let account = yard
            .dispatcher
            .accounts()
            .create("operator")
            .await
            .unwrap()
            .id;
        Self { account, ..yard }
    }

    async fn open(
        folder: Arc<TempDir>,
        settings: Settings,
        sessions: impl FnOnce(Arc<dyn SessionStore>) -> Arc<dyn SessionStore>,
    ) -> Self {
        Self::open_at(folder, settings, sessions, Arc::new(SystemClock)).await
    }

    async fn open_at(
        folder: Arc<TempDir>,
        settings: Settings,
        sessions: impl FnOnce(Arc<dyn SessionStore>) -> Arc<dyn SessionStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let path = folder.path().join("test.db");
        let store = Arc::new(Sqlite::open(&path).await.unwrap());
        let limits = tenterhook_dispatch::Settings {
            default_limits: Limits::for_testing(),
            ..tenterhook_dispatch::Settings::default()
        };
        let dispatcher = Dispatcher::start_with(store.clone(), ENGINE.clone(), limits, clock)
            .await
            .unwrap();
        let delivery = Webhooks::start(
            store.clone(),
            tenterhook_delivery::Settings::default(),
            dispatcher.ledger().clone(),
        )
        .await
        .unwrap();
        let maintenance = Maintenance::start(
            dispatcher.clone(),
            delivery,
            sessions(store.clone()),
            settings,
        )
        .await
        .unwrap();
        let account = match dispatcher.accounts().list().await.unwrap().first() {
            Some(account) => account.id,
            None => AccountId::generate(),
        };
        Self {
            dispatcher,
            maintenance,
            account,
            folder,
        }
    }

    /// The same database under another start of the server.
    pub(crate) async fn restarted(
        self,
        sessions: impl FnOnce(Arc<dyn SessionStore>) -> Arc<dyn SessionStore>,
    ) -> Self {
        self.maintenance.drain().await;
        self.dispatcher.drain(Duration::ZERO).await;
        Self::open(self.folder, Settings::default(), sessions).await
    }

    pub(crate) async fn source(&self, name: &str, bytes: impl Into<Vec<u8>>) {
        self.source_of(self.account, name, bytes).await;
    }

    pub(crate) async fn source_of(
        &self,
        account: AccountId,
        name: &str,
        bytes: impl Into<Vec<u8>>,
    ) -> tenterhook_dispatch::Source {
        let new = NewSource {
            name: name.into(),
            bytes: bytes.into().into(),
            kind: None,
            description: String::new(),
            visibility: Visibility::Readable,
            labels: Vec::new(),
            created_by: PrincipalId::SYSTEM,
        };
        self.dispatcher
            .sources()
            .create(account, new, Vec::new())
            .await
            .unwrap()
            .0
    }

    /// Binds a script to an event.
    pub(crate) async fn hook(&self, account: AccountId, event: &str, script: &str) {
        let source = self.source_of(account, event, script).await;
        let new = NewHook::new(source.id, event);
        self.dispatcher.hooks().create(account, new).await.unwrap();
    }

    pub(crate) async fn host(&self, name: &str) {
        let new = NewServer {
            name: name.into(),
            ..NewServer::default()
        };
        self.dispatcher
            .servers()
            .create(self.account, new)
            .await
            .unwrap();
    }

    pub(crate) async fn instance(&self, name: &str, host: &str, project: &str) -> String {
        let new = NewServer {
            name: name.into(),
            host: Some(host.into()),
            project: Some(project.into()),
            ..NewServer::default()
        };
        let server = self
            .dispatcher
            .servers()
            .create(self.account, new)
            .await
            .unwrap();
        server.id.to_string()
    }

    /// Begins a session as the operator.
    pub(crate) async fn begin(&self, plan: NewPlan) -> Uuid {
        self.maintenance
            .create(self.account, new(plan))
            .await
            .unwrap()
            .session
            .id()
    }

    pub(crate) async fn session(&self, id: Uuid) -> Stored {
        self.maintenance.session(self.account, id).await.unwrap()
    }

    pub(crate) async fn steps(&self, id: Uuid) -> Vec<Step> {
        self.maintenance.steps(self.account, id).await.unwrap()
    }

    /// Looks until the session is in this state.
    pub(crate) async fn until(&self, id: Uuid, state: State) -> Stored {
        for _ in 0..TRIES {
            let stored = self.session(id).await;
            if stored.session.state() == state {
                return stored;
            }
            pause().await;
        }
        panic!("{:#?} {:#?}", self.session(id).await, self.steps(id).await)
    }

    /// Plays all projects, which agree to everything, until the session has finished.
    pub(crate) async fn play(&self, id: Uuid) -> State {
        for _ in 0..TRIES {
            let session = self.session(id).await.session;
            if session.state().is_over() && self.has_entered(id, session.state()).await {
                return session.state();
            }
            self.answer_all(id).await;
            pause().await;
        }
        panic!("{:#?} {:#?}", self.session(id).await, self.steps(id).await)
    }

    /// Whether the event of the last state has been fired.
    async fn has_entered(&self, id: Uuid, state: State) -> bool {
        let steps = self.steps(id).await;
        steps
            .last()
            .is_some_and(|step| step.state == state && step.what == "enter")
    }

    /// Agrees for each project that is asked, and moves instances as instructed.
    pub(crate) async fn answer_all(&self, id: Uuid) {
        let session = self.session(id).await.session;
        let now = session.state();
        for (project, asked) in session.projects() {
            if asked.state.as_deref() != Some(now.as_str()) {
                continue;
            }
            let instances = self
                .maintenance
                .instances(self.account, id, project)
                .await
                .unwrap();
            // The session may have gone on meanwhile; then it asks again.
            let _ = self
                .maintenance
                .reply(self.account, id, project, ack(now, &instances))
                .await;
        }
        self.move_as_instructed(id).await;
    }

    /// Moves away what runs on the host for which the session has asked that last.
    async fn move_as_instructed(&self, id: Uuid) {
        let steps = self.steps(id).await;
        let Some(step) = steps.iter().rfind(|step| step.what == "instruct") else {
            return;
        };
        let session = self.session(id).await.session;
        let emptied = step.host.as_deref().unwrap();
        if session.state() != step.state || session.is_maintained(emptied) {
            return;
        }
        for server in self.dispatcher.servers().list(self.account).await.unwrap() {
            if server.host.as_deref() == Some(emptied) {
                self.evacuate(id, &server.id.to_string()).await;
            }
        }
    }

    /// Moves an instance to a host that is maintained, or else to any other.
    pub(crate) async fn evacuate(&self, id: Uuid, instance: &str) {
        let session = self.session(id).await.session;
        let servers = self.dispatcher.servers().list(self.account).await.unwrap();
        let key = Key::Id(instance.parse().unwrap());
        let server = self
            .dispatcher
            .servers()
            .get(self.account, key)
            .await
            .unwrap();
        let mut others: Vec<_> = servers
            .into_iter()
            .filter(|other| other.host.is_none() && Some(&other.name) != server.host.as_ref())
            .map(|other| (!session.is_maintained(&other.name), other.name))
            .collect();
        others.sort();
        let change = ServerChange {
            host: Some(Some(others[0].1.clone())),
            ..ServerChange::default()
        };
        self.dispatcher
            .servers()
            .change(self.account, key, change)
            .await
            .unwrap();
    }

    /// What all runs of a source or hook have printed, oldest first.
    pub(crate) async fn printed(&self, account: AccountId, name: &str) -> Vec<String> {
        let (page, filter) = (Page::first(1_000), ExecutionFilter::default());
        let mut listed = self
            .dispatcher
            .executions()
            .list(account, &filter, page, Outputs::Omit)
            .await
            .unwrap();
        listed.retain(|one| one.name == name && one.state.is_over());
        listed.reverse();
        let mut printed = Vec::new();
        for one in listed {
            let one = self
                .dispatcher
                .executions()
                .get(account, one.id)
                .await
                .unwrap();
            printed.push(String::from_utf8(one.latest.output.stdout.to_vec()).unwrap());
        }
        printed
    }

    pub(crate) async fn task(&self, id: Uuid) -> TaskDetail {
        self.dispatcher
            .tasks()
            .get(self.account, Key::Id(TaskId::from_uuid(id)))
            .await
            .unwrap()
    }
}

/// How often a test looks for something before it gives up, with a short rest
/// between two looks.
#[derive(Default)]
pub(crate) struct Looks(u32);

impl Looks {
    #[track_caller]
    pub(crate) fn rest(&mut self) -> impl Future<Output = ()> + use<> {
        self.0 += 1;
        assert!(self.0 < TRIES, "it does not come to that");
        pause()
    }
}

async fn pause() {
    tokio::time::sleep(Duration::from_millis(15)).await;
}

/// A session over all hosts that begins at once.
pub(crate) fn plan() -> NewPlan {
    NewPlan {
        hosts: Vec::new(),
        state: "MAINTENANCE".into(),
        maintenance_at: "2020-01-02 03:04:05".into(),
        workflow: "default".into(),
        metadata: r#"{"release":"Zed"}"#.parse().unwrap(),
        download: vec!["https://sw.example/a.tar.gz".into()],
        actions: Vec::new(),
    }
}

pub(crate) fn new(plan: NewPlan) -> NewSession {
    NewSession {
        plan,
        created_by: "ada".into(),
        base_url: "http://10.0.0.5:8080".into(),
    }
}

pub(crate) fn action(plugin: &str, kind: ActionType) -> Action {
    Action {
        plugin: plugin.into(),
        kind,
        metadata: r#"{"upgrade":"FW1"}"#.parse().unwrap(),
    }
}

pub(crate) fn ack(state: State, instances: &[String]) -> Reply {
    Reply {
        state,
        agreed: true,
        instance_actions: instances
            .iter()
            .map(|id| (id.clone(), InstanceAction::Migrate))
            .collect::<BTreeMap<_, _>>(),
        instance: None,
        instance_action: None,
    }
}
