//! An account with a source and a hook, and tasks for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use tenterhook_dispatch::{
    Account, AccountId, Attempt, EventKey, ExecutionId, FailurePolicy, Hook, HookId, HookPointName,
    HookRef, NewEvent, NewExecution, NewTask, Number, Output, Recipe, RetryPolicy, Server,
    ServerId, ServerRef, Source, SourceId, State, Store, Targets, TaskId,
};
use tenterhook_engine::{AskedLimits, Digest, Kind, Outcome, Usage};
use tenterhook_sdk::Verdict;
use time::{Duration, OffsetDateTime};

/// A fixed time, and others after it.
pub(crate) fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap() + Duration::seconds(seconds)
}

/// An account with a source and a hook.
pub(crate) struct Shop {
    pub(crate) account: Account,
    pub(crate) source: Source,
    pub(crate) hook: Hook,
}

pub(crate) const SCRIPT: &[u8] = b"echo hi\n";

impl Shop {
    pub(crate) async fn open(store: &dyn Store) -> Self {
        let account = store.insert_account(account("acme")).await.unwrap();
        let source = source("a.sh");
        let hook = hook(source.id);
        let (source, mut hooks) = store
            .insert_source(account.id, source, SCRIPT.into(), vec![hook])
            .await
            .unwrap();
        Self {
            account,
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
        created_at: at(0),
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
        created_at: at(1),
        modified_at: at(2),
    }
}

pub(crate) fn hook(source: SourceId) -> Hook {
    Hook {
        id: HookId::generate(),
        number: Number::UNASSIGNED,
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
        created_at: at(3),
        modified_at: at(4),
    }
}

pub(crate) fn server(name: &str) -> Server {
    Server {
        id: ServerId::generate(),
        number: Number::UNASSIGNED,
        name: name.into(),
        host: Some("rack-1".into()),
        labels: BTreeMap::from([("tier".into(), "db".into())]),
        created_at: at(5),
        modified_at: at(6),
    }
}

/// A task of so many executions, each in a lane of its own, that nobody owns.
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
                lane,
            })
            .collect(),
        program: None,
    }
}

/// An attempt that ended well and said all that can be said.
pub(crate) fn ended_well(id: ExecutionId) -> Attempt {
    Attempt {
        id,
        state: State::Finished,
        attempt: 1,
        failures: 0,
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
        dead: false,
        started_at: Some(at(11)),
        ended_at: Some(at(12)),
        due_at: None,
    }
}
