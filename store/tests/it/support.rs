//! An account with a principal, a source and a hook, and tasks for it.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use tenterhook_dispatch::{
    Account, AccountId, App, AppId, Attempt, AttemptRecord, Container, Criterion, EventKey,
    ExecutionId, FailurePolicy, Hook, HookId, HookOverride, HookPointName, HookRef, Label,
    NewEvent, NewExecution, NewTask, Number, Output, OverrideId, Principal, PrincipalId, Recipe,
    Recording, RetryPolicy, Role, Server, ServerId, ServerRef, Source, SourceId, State, Store,
    Subject, Switch, Targets, TaskId, Visibility,
};
use tenterhook_engine::{AskedLimits, Digest, Kind, Limits, Outcome, Usage, Verdict};
use time::{Duration, OffsetDateTime};

/// A fixed time, and others after it.
pub(crate) fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap() + Duration::seconds(seconds)
}

/// An account with a principal, a source and a hook.
pub(crate) struct Shop {
    pub(crate) account: Account,
    pub(crate) principal: Principal,
    pub(crate) source: Source,
    pub(crate) hook: Hook,
}

pub(crate) const SCRIPT: &[u8] = b"echo hi\n";

impl Shop {
    pub(crate) async fn open(store: &dyn Store) -> Self {
        Self::named(store, "acme").await
    }

    pub(crate) async fn named(store: &dyn Store, name: &str) -> Self {
        let account = store.insert_account(account(name)).await.unwrap();
        let principal = principal(&account, "ada");
        store.insert_principal(principal.clone()).await.unwrap();
        let source = source("a.sh");
        let hook = Hook {
            created_by: principal.id,
            ..hook(source.id)
        };
        let (source, mut hooks) = store
            .insert_source(account.id, source, SCRIPT.into(), vec![hook])
            .await
            .unwrap();
        Self {
            account,
            principal,
            source,
            hook: hooks.swap_remove(0),
        }
    }
}

pub(crate) fn account(name: &str) -> Account {
    Account {
        id: AccountId::generate(),
        number: Number::UNASSIGNED,
        name: name.into(),
        app_hooks: Switch::On,
        created_at: at(0),
    }
}

pub(crate) fn principal(account: &Account, name: &str) -> Principal {
    Principal {
        id: PrincipalId::generate(),
        account: account.id,
        name: name.into(),
        role: Role::Admin,
        created_at: at(7),
        modified_at: at(8),
    }
}

pub(crate) fn source(name: &str) -> Source {
    Source {
        id: SourceId::generate(),
        number: Number::UNASSIGNED,
        name: name.into(),
        kind: Kind::Script,
        digest: Digest::of(SCRIPT),
        size_bytes: SCRIPT.len() as u64,
        revision: 1,
        description: "says hi".into(),
        checksum: "0123456789abcdef0123456789abcdef".into(),
        visibility: Visibility::Private,
        preloaded: false,
        labels: labels(),
        created_by: PrincipalId::generate(),
        modified_by: Some(PrincipalId::generate()),
        created_at: at(1),
        modified_at: at(2),
    }
}

pub(crate) fn labels() -> Vec<Label> {
    [("team", "ä"), ("team", "db")]
        .map(|(name, value)| Label {
            name: name.into(),
            value: value.into(),
        })
        .into()
}

pub(crate) fn hook(source: SourceId) -> Hook {
    Hook {
        id: HookId::generate(),
        number: Number::UNASSIGNED,
        name: None,
        description: "greets".into(),
        source,
        event: HookPointName::parse("custom.x").unwrap(),
        targets: Targets::These(vec![Number::new(1), Number::new(2)]),
        args: vec!["a b".into(), String::new()],
        env: BTreeMap::from([("A".into(), "ä".into())]),
        limits: AskedLimits {
            fuel: Some(7),
            ..AskedLimits::default()
        },
        order: -3,
        enabled: true,
        failure_policy: FailurePolicy::Closed,
        retry: RetryPolicy {
            attempts: 4,
            ..RetryPolicy::default()
        },
        managed: true,
        labels: labels(),
        created_by: PrincipalId::generate(),
        modified_by: Some(PrincipalId::generate()),
        values_by: Some(PrincipalId::generate()),
        created_at: at(3),
        modified_at: at(4),
    }
}

/// A hook for the containers of an application.
pub(crate) fn container_hook(source: SourceId, name: &str, app: Option<AppId>) -> Hook {
    Hook {
        name: Some(name.into()),
        event: HookPointName::parse("snapshot.pre").unwrap(),
        targets: Targets::Containers {
            app,
            criteria: [Subject::PodLabel, Subject::ContainerImage]
                .map(|subject| Criterion {
                    subject,
                    value: "^ä\\.".into(),
                })
                .into(),
        },
        ..hook(source)
    }
}

pub(crate) fn container(name: &str) -> Container {
    Container {
        pod_name: "db-0".into(),
        pod_labels: labels(),
        container_image: "registry.example/postgres:17".into(),
        container_name: name.into(),
        namespace_name: "shop".into(),
    }
}

pub(crate) fn app(name: &str) -> App {
    App {
        id: AppId::generate(),
        number: Number::UNASSIGNED,
        name: name.into(),
        replicated: true,
        containers: vec![container("postgres"), container("backup")],
        created_at: at(7),
        modified_at: at(8),
    }
}

pub(crate) fn hook_override(app: AppId, hook: HookId) -> HookOverride {
    HookOverride {
        id: OverrideId::generate(),
        app,
        hook,
        enabled: false,
        labels: labels(),
        created_by: PrincipalId::generate(),
        modified_by: None,
        created_at: at(7),
        modified_at: at(8),
    }
}

pub(crate) fn server(name: &str) -> Server {
    Server {
        id: ServerId::generate(),
        number: Number::UNASSIGNED,
        name: name.into(),
        host: Some("rack-1".into()),
        project: Some("blue".into()),
        group: Some("pair".into()),
        labels: BTreeMap::from([("tier".into(), "db".into())]),
        created_at: at(5),
        modified_at: at(6),
    }
}

/// An unowned task of so many executions, each in a lane of its own.
pub(crate) fn new_task(shop: &Shop, kind: &str, executions: u32) -> NewTask {
    let id = TaskId::generate();
    let recipe = Arc::new(Recipe::of(&shop.hook, &shop.source));
    NewTask {
        id,
        account: shop.account.id,
        name: kind.into(),
        started_by: "ada".into(),
        object: Some("vm-1".into()),
        event: Some(NewEvent {
            key: EventKey {
                source: "/test".into(),
                id: id.to_string(),
                kind: kind.into(),
            },
            content: None,
            json: format!("{{\"id\":\"{id}\"}}").into(),
        }),
        created_at: at(10),
        owner: None,
        executions: (0..executions)
            .map(|lane| NewExecution {
                id: ExecutionId::generate(),
                hook: Some(HookRef {
                    id: shop.hook.id,
                    number: shop.hook.number,
                }),
                recipe: Arc::clone(&recipe),
                server: Some(ServerRef {
                    number: Number::new(9),
                    name: "node-9".into(),
                }),
                container: None,
                lane,
            })
            .collect(),
        program: None,
        warnings: Vec::new(),
    }
}

/// What every attempt here has recorded: a seed is drawn for each otherwise.
static RECORDING: LazyLock<Recording> =
    LazyLock::new(|| Recording::begin(&Limits::default(), &Limits::default(), "0.1.0"));

/// An attempt that ended well and said all that can be said.
pub(crate) fn ended_well(id: ExecutionId) -> Attempt {
    Attempt {
        id,
        state: State::Finished,
        failures: 0,
        dead: false,
        due_at: None,
        wait: None,
        record: AttemptRecord {
            attempt: 1,
            outcome: Some(Outcome::Exited { status: 0 }),
            error: None,
            usage: Some(Usage {
                fuel: u64::MAX,
                ..Usage::default()
            }),
            output: Output {
                stdout: vec![0, 255, b'a'].into(),
                stderr: "oops".into(),
                dropped_bytes: 5,
            },
            verdict: Some(Verdict::deny("no").with("n", 1)),
            verdict_fault: Some("/verdict.json cannot be used: it is empty".into()),
            recording: Some(RECORDING.clone()),
            started_at: Some(at(11)),
            ended_at: Some(at(12)),
        },
    }
}
