//! What every store must do. Each body takes a store; one macro runs them all.

use std::time::Duration;

use tenterhook_dispatch::{
    Attempt, Cancelling, Error, ExecutionFilter, Inserted, Key, NodeId, Noun, Number, Outputs,
    Page, Retention, Role, Secret, Settlement, Source, State, Store, TaskChange, TaskFilter, Token,
    TokenId, TokenKind,
};
use tenterhook_engine::{Digest, Outcome};

use crate::support::{SCRIPT, Shop, account, at, ended_well, hook, new_task, server, source};

/// Runs every body of the suite on a store that `$open` makes.
macro_rules! suite {
    ($open:path) => {
        crate::conformance::suite!($open;
            accounts_are_numbered_from_one,
            a_token_is_found_by_its_hash_alone,
            names_of_issued_tokens_are_unique_and_those_of_sessions_are_not,
            servers_are_kept_whole_and_their_names_are_unique,
            a_server_that_a_hook_names_is_not_removed,
            sources_and_hooks_are_kept_whole,
            a_source_and_hooks_that_cannot_be_kept_together_are_not_kept_at_all,
            replacing_a_source_replaces_its_hooks_if_they_are_given,
            numbers_are_not_given_twice,
            a_source_with_hooks_is_not_removed,
            a_task_and_its_executions_are_kept_whole,
            an_event_that_comes_again_names_the_first_task,
            a_task_without_executions_is_over_at_once,
            what_became_of_an_attempt_is_kept_whole,
            settlements_take_effect_in_their_order,
            a_task_in_progress_tells_how_far_it_is,
            only_due_tasks_that_nobody_owns_are_claimed_oldest_first,
            a_parked_task_is_claimed_when_it_is_due,
            a_new_run_takes_over_and_raises_attempts,
            a_waiting_task_is_cancelled_and_an_owned_one_is_marked,
            one_execution_is_cancelled_and_ends_its_task,
            a_failed_execution_is_redriven,
            lists_go_on_after_a_page,
            what_is_old_or_too_much_is_removed_with_what_nothing_refers_to,
            accounts_are_kept_apart,
        );
    };
    ($open:path; $($name:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                let (_kept, store) = $open().await;
                crate::conformance::$name(&*store).await;
            }
        )*
    };
}
pub(crate) use suite;

pub(crate) async fn accounts_are_numbered_from_one(store: &dyn Store) {
    let first = store.insert_account(account("a")).await.unwrap();
    let second = store.insert_account(account("b")).await.unwrap();
    assert_eq!((first.number.get(), second.number.get()), (1, 2));
    assert_eq!(store.accounts().await.unwrap(), [first, second]);
    let taken = store.insert_account(account("a")).await;
    assert!(matches!(
        taken,
        Err(Error::NameTaken {
            what: Noun::Account,
            ..
        })
    ));
}

async fn token(
    store: &dyn Store,
    shop: &Shop,
    name: &str,
    kind: TokenKind,
) -> Result<(Token, Secret), Error> {
    let secret = Secret::generate();
    let token = Token {
        id: TokenId::generate(),
        account: shop.account.id,
        name: name.into(),
        role: Role::Member,
        kind,
        created_at: at(20),
        expires_at: Some(at(30)),
        used_at: None,
    };
    store.insert_token(token.clone(), secret.hash()).await?;
    Ok((token, secret))
}

pub(crate) async fn a_token_is_found_by_its_hash_alone(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let (token, secret) = token(store, &shop, "ci", TokenKind::Issued).await.unwrap();
    assert_eq!(
        store.token(secret.hash()).await.unwrap().as_ref(),
        Some(&token)
    );
    assert_eq!(store.token(Secret::generate().hash()).await.unwrap(), None);

    store.touch_tokens(vec![(token.id, at(25))]).await.unwrap();
    assert_eq!(
        store.tokens(shop.account.id).await.unwrap()[0].used_at,
        Some(at(25))
    );

    assert!(store.delete_token(shop.account.id, token.id).await.unwrap());
    assert!(!store.delete_token(shop.account.id, token.id).await.unwrap());
    assert_eq!(store.token(secret.hash()).await.unwrap(), None);
}

pub(crate) async fn names_of_issued_tokens_are_unique_and_those_of_sessions_are_not(
    store: &dyn Store,
) {
    let shop = Shop::open(store).await;
    token(store, &shop, "ci", TokenKind::Issued).await.unwrap();
    let taken = token(store, &shop, "ci", TokenKind::Issued).await;
    assert!(matches!(
        taken,
        Err(Error::NameTaken {
            what: Noun::Token,
            ..
        })
    ));
    for _ in 0..2 {
        token(store, &shop, "ci", TokenKind::Session).await.unwrap();
    }
}

pub(crate) async fn servers_are_kept_whole_and_their_names_are_unique(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let mut kept = store
        .insert_server(shop.account.id, server("a"))
        .await
        .unwrap();
    let taken = store.insert_server(shop.account.id, server("a")).await;
    assert!(matches!(taken, Err(Error::NameTaken { name, .. }) if name == "a"));
    let mut same_id = server("b");
    same_id.id = kept.id;
    let taken = store.insert_server(shop.account.id, same_id).await;
    assert!(matches!(taken, Err(Error::NameTaken { name, .. }) if name == kept.id.to_string()));

    kept.host = None;
    store
        .update_server(shop.account.id, kept.clone())
        .await
        .unwrap();
    assert_eq!(
        store.servers(shop.account.id).await.unwrap(),
        [kept.clone()]
    );
    let other = store
        .insert_server(shop.account.id, server("b"))
        .await
        .unwrap();
    kept.name = "b".into();
    let taken = store.update_server(shop.account.id, kept).await;
    assert!(matches!(taken, Err(Error::NameTaken { .. })));

    store
        .delete_server(shop.account.id, other.id)
        .await
        .unwrap_err();
    let unknown = store.update_server(shop.account.id, server("x")).await;
    assert!(matches!(
        unknown,
        Err(Error::NotFound {
            what: Noun::Server,
            ..
        })
    ));
}

pub(crate) async fn a_server_that_a_hook_names_is_not_removed(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let mut servers = Vec::new();
    for name in ["a", "b", "c"] {
        servers.push(
            store
                .insert_server(shop.account.id, server(name))
                .await
                .unwrap(),
        );
    }
    // The shop's hook names numbers 1 and 2.
    let used = store.delete_server(shop.account.id, servers[1].id).await;
    assert!(matches!(used, Err(Error::InUse { by, .. }) if by == [shop.hook.number]));
    store
        .delete_server(shop.account.id, servers[2].id)
        .await
        .unwrap();
    let gone = store.delete_server(shop.account.id, servers[2].id).await;
    assert!(matches!(gone, Err(Error::NotFound { .. })));
}

pub(crate) async fn sources_and_hooks_are_kept_whole(store: &dyn Store) {
    let shop = Shop::open(store).await;
    assert_eq!(
        store.sources(shop.account.id).await.unwrap(),
        std::slice::from_ref(&shop.source)
    );
    assert_eq!(
        store.hooks(shop.account.id).await.unwrap(),
        std::slice::from_ref(&shop.hook)
    );
    assert_eq!(
        store.program(shop.source.digest).await.unwrap().unwrap(),
        SCRIPT
    );
    assert_eq!(store.program(Digest::of(b"other")).await.unwrap(), None);

    let mut changed = shop.hook.clone();
    changed.targets = tenterhook_dispatch::Targets::All;
    changed.enabled = false;
    changed.modified_at = at(40);
    store
        .update_hook(shop.account.id, changed.clone())
        .await
        .unwrap();
    assert_eq!(store.hooks(shop.account.id).await.unwrap(), [changed]);

    assert!(
        store
            .delete_hook(shop.account.id, shop.hook.id)
            .await
            .unwrap()
    );
    assert!(
        !store
            .delete_hook(shop.account.id, shop.hook.id)
            .await
            .unwrap()
    );
    let gone = store.update_hook(shop.account.id, shop.hook).await;
    assert!(matches!(
        gone,
        Err(Error::NotFound {
            what: Noun::Hook,
            ..
        })
    ));
}

pub(crate) async fn a_source_and_hooks_that_cannot_be_kept_together_are_not_kept_at_all(
    store: &dyn Store,
) {
    let shop = Shop::open(store).await;
    let new = source("b.sh");
    let hooks = vec![hook(new.id), hook(source("nowhere").id)];
    let error = store
        .insert_source(shop.account.id, new, SCRIPT.into(), hooks)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::NotFound {
                what: Noun::Source,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(store.sources(shop.account.id).await.unwrap().len(), 1);
    assert_eq!(store.hooks(shop.account.id).await.unwrap().len(), 1);

    let taken = store
        .insert_source(shop.account.id, source("a.sh"), SCRIPT.into(), vec![])
        .await;
    assert!(matches!(
        taken,
        Err(Error::NameTaken {
            what: Noun::Source,
            ..
        })
    ));
}

pub(crate) async fn replacing_a_source_replaces_its_hooks_if_they_are_given(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let changed = Source {
        name: "new.sh".into(),
        digest: Digest::of(b"new"),
        revision: 2,
        ..shop.source.clone()
    };
    store
        .update_source(shop.account.id, changed.clone(), Some("new".into()), None)
        .await
        .unwrap();
    assert_eq!(
        store.hooks(shop.account.id).await.unwrap(),
        std::slice::from_ref(&shop.hook)
    );
    assert_eq!(store.program(changed.digest).await.unwrap().unwrap(), "new");

    let hooks = store
        .update_source(
            shop.account.id,
            changed.clone(),
            None,
            Some(vec![hook(changed.id)]),
        )
        .await
        .unwrap();
    assert_eq!(store.hooks(shop.account.id).await.unwrap(), hooks);
    assert_ne!(hooks[0].number, shop.hook.number);
    assert_eq!(store.sources(shop.account.id).await.unwrap(), [changed]);

    let unknown = store
        .update_source(shop.account.id, source("x"), None, None)
        .await;
    assert!(matches!(
        unknown,
        Err(Error::NotFound {
            what: Noun::Source,
            ..
        })
    ));
}

pub(crate) async fn numbers_are_not_given_twice(store: &dyn Store) {
    let shop = Shop::open(store).await;
    store
        .delete_hook(shop.account.id, shop.hook.id)
        .await
        .unwrap();
    store
        .delete_source(shop.account.id, shop.source.id)
        .await
        .unwrap();
    let (again, _) = store
        .insert_source(shop.account.id, source("a.sh"), SCRIPT.into(), vec![])
        .await
        .unwrap();
    assert_eq!((shop.source.number.get(), again.number.get()), (1, 2));
}

pub(crate) async fn a_source_with_hooks_is_not_removed(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let used = store.delete_source(shop.account.id, shop.source.id).await;
    assert!(matches!(used, Err(Error::InUse { by, .. }) if by == [shop.hook.number]));
    let unknown = store.delete_source(shop.account.id, source("x").id).await;
    assert!(matches!(unknown, Err(Error::NotFound { .. })));
}

pub(crate) async fn a_task_and_its_executions_are_kept_whole(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let new = new_task(&shop, "custom.x", 70);
    let inserted = store.insert_tasks(vec![new.clone()]).await.unwrap();
    assert_eq!(inserted, [Inserted::New(Number::new(1))]);

    let task = store
        .task(shop.account.id, Number::new(1).into())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        store
            .task(shop.account.id, Key::Id(new.id))
            .await
            .unwrap()
            .as_ref(),
        Some(&task)
    );
    assert_eq!(
        (task.id, task.name.as_str(), task.started_by.as_str()),
        (new.id, "custom.x", "ada")
    );
    assert_eq!(
        (task.object.as_deref(), task.state),
        (Some("vm-1"), State::Waiting)
    );
    assert_eq!(
        task.event,
        new.event.as_ref().map(|event| event.key.clone())
    );
    assert_eq!((task.progress.total, task.progress.complete), (70, 0));
    assert_eq!(
        store.event(shop.account.id, new.id).await.unwrap(),
        new.event.as_ref().map(|event| event.json.clone())
    );

    let executions = of_task(store, &shop, &new).await;
    let planned: Vec<_> = new
        .executions
        .iter()
        .map(|execution| execution.id)
        .collect();
    let kept: Vec<_> = executions.iter().map(|execution| execution.id).collect();
    assert_eq!(kept, planned);
    let first = &executions[0];
    assert_eq!(
        (first.state, first.attempt, first.task),
        (State::Waiting, 0, new.id)
    );
    assert_eq!(
        (first.hook, first.digest),
        (new.executions[0].hook, shop.source.digest)
    );
    assert_eq!(
        (first.name.as_str(), &first.server),
        ("a.sh", &new.executions[0].server)
    );
    assert_eq!(
        store
            .execution(shop.account.id, first.id)
            .await
            .unwrap()
            .as_ref(),
        Some(first)
    );
}

async fn of_task(
    store: &dyn Store,
    shop: &Shop,
    task: &tenterhook_dispatch::NewTask,
) -> Vec<tenterhook_dispatch::Execution> {
    let filter = ExecutionFilter {
        task: Some(task.id),
        ..ExecutionFilter::default()
    };
    store
        .executions(shop.account.id, &filter, Page::first(1), Outputs::Include)
        .await
        .unwrap()
}

pub(crate) async fn an_event_that_comes_again_names_the_first_task(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let first = new_task(&shop, "custom.x", 1);
    let mut again = new_task(&shop, "custom.x", 1);
    again.event = first.event.clone();
    let other = new_task(&shop, "custom.x", 1);

    // In one call, and in a later one.
    let inserted = store
        .insert_tasks(vec![first.clone(), again.clone(), other.clone()])
        .await
        .unwrap();
    assert!(matches!(inserted[0], Inserted::New(_)) && matches!(inserted[2], Inserted::New(_)));
    assert_eq!(inserted[1], Inserted::Repeated(first.id));
    assert_eq!(
        store.insert_tasks(vec![again.clone()]).await.unwrap(),
        [Inserted::Repeated(first.id)]
    );
    assert_eq!(
        store
            .task(shop.account.id, Key::Id(again.id))
            .await
            .unwrap(),
        None
    );
    assert!(
        store
            .execution(shop.account.id, again.executions[0].id)
            .await
            .unwrap()
            .is_none()
    );
}

pub(crate) async fn a_task_without_executions_is_over_at_once(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let new = new_task(&shop, "custom.x", 0);
    store.insert_tasks(vec![new.clone()]).await.unwrap();
    let task = store
        .task(shop.account.id, Key::Id(new.id))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (task.state, task.ended_at),
        (State::Finished, Some(new.created_at))
    );
    assert!(store.backlog().await.unwrap().is_empty());
}

fn settlement(
    shop: &Shop,
    task: &tenterhook_dispatch::NewTask,
    attempt: Attempt,
    change: TaskChange,
) -> Settlement {
    Settlement {
        account: shop.account.id,
        task: task.id,
        execution: Some(attempt),
        task_change: change,
    }
}

const NO_CHANGE: TaskChange = TaskChange::None;

fn ended(state: State) -> TaskChange {
    TaskChange::Ended {
        state,
        started_at: Some(at(11)),
        at: at(12),
    }
}

pub(crate) async fn what_became_of_an_attempt_is_kept_whole(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let new = new_task(&shop, "custom.x", 1);
    store.insert_tasks(vec![new.clone()]).await.unwrap();
    let attempt = ended_well(new.executions[0].id);
    store
        .settle(settlement(
            &shop,
            &new,
            attempt.clone(),
            ended(State::Finished),
        ))
        .await
        .unwrap();

    let kept = store
        .execution(shop.account.id, attempt.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (kept.state, kept.attempt, kept.outcome),
        (attempt.state, 1, attempt.outcome)
    );
    assert_eq!(
        (kept.usage, &kept.output, kept.verdict),
        (attempt.usage, &attempt.output, attempt.verdict)
    );
    assert_eq!(
        (kept.started_at, kept.ended_at),
        (attempt.started_at, attempt.ended_at)
    );
    let task = store
        .task(shop.account.id, Key::Id(new.id))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (task.state, task.started_at, task.ended_at),
        (State::Finished, Some(at(11)), Some(at(12)))
    );
    assert_eq!(task.progress.complete, 1);
    let listed = store
        .executions(
            shop.account.id,
            &ExecutionFilter::default(),
            Page::first(9),
            Outputs::Omit,
        )
        .await
        .unwrap();
    assert!(listed[0].output.stdout.is_empty());
    assert_eq!(listed[0].output.dropped_bytes, 5);
}

pub(crate) async fn settlements_take_effect_in_their_order(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let new = new_task(&shop, "custom.x", 1);
    store.insert_tasks(vec![new.clone()]).await.unwrap();
    let id = new.executions[0].id;
    let mut queued = Vec::new();
    for failures in 1..=5 {
        let failed = Attempt {
            state: State::Waiting,
            attempt: failures,
            failures,
            outcome: Some(Outcome::Exited { status: 1 }),
            due_at: Some(at(50)),
            ended_at: None,
            ..ended_well(id)
        };
        queued.push(store.settle(settlement(&shop, &new, failed, NO_CHANGE)));
    }
    let last = Attempt {
        attempt: 6,
        ..ended_well(id)
    };
    queued.push(store.settle(settlement(&shop, &new, last, ended(State::Finished))));
    // Nobody has waited for any of them yet.
    for answer in queued.into_iter().rev() {
        answer.await.unwrap();
    }
    let kept = store.execution(shop.account.id, id).await.unwrap().unwrap();
    assert_eq!(
        (kept.attempt, kept.state, kept.due_at),
        (6, State::Finished, None)
    );
}

pub(crate) async fn a_task_in_progress_tells_how_far_it_is(store: &dyn Store) {
    let shop = Shop::open(store).await;
    // Others around it, so that a mix-up of rows would show.
    let before = new_task(&shop, "custom.x", 3);
    let new = new_task(&shop, "custom.x", 3);
    store
        .insert_tasks(vec![before.clone(), new.clone()])
        .await
        .unwrap();
    let first = ended_well(new.executions[0].id);
    store
        .settle(settlement(&shop, &new, first, NO_CHANGE))
        .await
        .unwrap();

    let task = store
        .task(shop.account.id, Key::Id(new.id))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((task.progress.total, task.progress.complete), (3, 1));
    assert_eq!(
        (task.state, task.started_at, task.ended_at),
        (State::Running, Some(at(11)), None)
    );
    let untouched = store
        .task(shop.account.id, Key::Id(before.id))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (untouched.progress.complete, untouched.state),
        (0, State::Waiting)
    );
}

pub(crate) async fn only_due_tasks_that_nobody_owns_are_claimed_oldest_first(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let node = NodeId::generate();
    let mut owned = new_task(&shop, "custom.x", 1);
    owned.owner = Some(node);
    let mut later = new_task(&shop, "custom.x", 1);
    later.created_at = at(100);
    let free: Vec<_> = (0..3).map(|_| new_task(&shop, "custom.x", 2)).collect();
    let mut all = free.clone();
    all.extend([owned, later.clone()]);
    store.insert_tasks(all).await.unwrap();
    let backlog = store.backlog().await.unwrap();
    assert_eq!(
        (backlog.len(), backlog[0].account, backlog[0].due_at),
        (1, shop.account.id, at(10))
    );

    let first = store.claim(shop.account.id, node, at(50), 2).await.unwrap();
    let ids: Vec<_> = first.tasks.iter().map(|task| task.id).collect();
    assert_eq!(ids, [free[0].id, free[1].id]);
    assert_eq!(first.next_due_at, Some(at(10)));
    let task = &first.tasks[0];
    assert_eq!(task.event, free[0].event);
    assert_eq!(task.executions.len(), 2);
    assert_eq!(task.executions[1].new.id, free[0].executions[1].id);
    assert_eq!(task.executions[1].new.recipe, free[0].executions[1].recipe);
    assert_eq!(
        (task.executions[1].attempt, task.executions[1].new.lane),
        (0, 1)
    );

    let second = store.claim(shop.account.id, node, at(50), 9).await.unwrap();
    assert_eq!((second.tasks.len(), second.next_due_at), (1, Some(at(100))));
    store.release(shop.account.id, free[0].id).await.unwrap();
    let again = store
        .claim(shop.account.id, node, at(200), 9)
        .await
        .unwrap();
    let ids: Vec<_> = again.tasks.iter().map(|task| task.id).collect();
    assert_eq!(ids, [free[0].id, later.id]);
    assert_eq!(again.next_due_at, None);
}

pub(crate) async fn a_parked_task_is_claimed_when_it_is_due(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let node = NodeId::generate();
    let mut new = new_task(&shop, "custom.x", 2);
    new.owner = Some(node);
    store.insert_tasks(vec![new.clone()]).await.unwrap();
    let failed = Attempt {
        state: State::Waiting,
        failures: 1,
        ended_at: None,
        due_at: Some(at(60)),
        ..ended_well(new.executions[0].id)
    };
    let well = ended_well(new.executions[1].id);
    store
        .settle(settlement(&shop, &new, well, NO_CHANGE))
        .await
        .unwrap();
    let parked = TaskChange::Parked { until: at(60) };
    store
        .settle(settlement(&shop, &new, failed, parked))
        .await
        .unwrap();

    assert!(
        store
            .claim(shop.account.id, node, at(59), 9)
            .await
            .unwrap()
            .tasks
            .is_empty()
    );
    let claimed = store
        .claim(shop.account.id, node, at(60), 9)
        .await
        .unwrap()
        .tasks
        .swap_remove(0);
    assert_eq!(
        (claimed.over, claimed.started_at),
        (vec![State::Finished], Some(at(11)))
    );
    assert_eq!(
        (
            claimed.executions[0].attempt,
            claimed.executions[0].failures
        ),
        (1, 1)
    );
    assert_eq!(claimed.executions[0].due_at, Some(at(60)));
}

pub(crate) async fn a_new_run_takes_over_and_raises_attempts(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let (old, new) = (NodeId::generate(), NodeId::generate());
    let mut begun = new_task(&shop, "custom.x", 2);
    begun.owner = Some(old);
    let free = new_task(&shop, "custom.x", 1);
    store
        .insert_tasks(vec![begun.clone(), free.clone()])
        .await
        .unwrap();
    let well = ended_well(begun.executions[0].id);
    store
        .settle(settlement(&shop, &begun, well, NO_CHANGE))
        .await
        .unwrap();

    assert_eq!(store.take_over(new).await.unwrap(), 1);

    let claimed = store
        .claim(shop.account.id, new, at(50), 9)
        .await
        .unwrap()
        .tasks;
    let attempts: Vec<_> = claimed
        .iter()
        .map(|task| task.executions[0].attempt)
        .collect();
    assert_eq!(attempts, [1, 0]);
    assert_eq!(claimed[0].executions.len(), 1);
    // What it owns itself is not taken from it.
    assert_eq!(store.take_over(new).await.unwrap(), 0);
}

pub(crate) async fn a_waiting_task_is_cancelled_and_an_owned_one_is_marked(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let free = new_task(&shop, "custom.x", 2);
    let mut owned = new_task(&shop, "custom.x", 1);
    owned.owner = Some(NodeId::generate());
    store
        .insert_tasks(vec![free.clone(), owned.clone()])
        .await
        .unwrap();
    let cancel = async |task: &tenterhook_dispatch::NewTask| {
        store.cancel_task(shop.account.id, task.id, at(70)).await
    };

    assert_eq!(cancel(&free).await.unwrap(), Cancelling::Ended);
    assert_eq!(cancel(&free).await.unwrap(), Cancelling::Over);
    assert_eq!(cancel(&owned).await.unwrap(), Cancelling::Owned);

    let task = store
        .task(shop.account.id, Key::Id(free.id))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (task.state, task.cancelled, task.ended_at),
        (State::Canceled, true, Some(at(70)))
    );
    let states: Vec<_> = of_task(store, &shop, &free)
        .await
        .iter()
        .map(|e| e.state)
        .collect();
    assert_eq!(states, [State::Canceled, State::Canceled]);
    let task = store
        .task(shop.account.id, Key::Id(owned.id))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((task.state, task.cancelled), (State::Waiting, true));
    let unknown = cancel(&new_task(&shop, "custom.x", 0)).await;
    assert!(matches!(
        unknown,
        Err(Error::NotFound {
            what: Noun::Task,
            ..
        })
    ));
}

pub(crate) async fn one_execution_is_cancelled_and_ends_its_task(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let free = new_task(&shop, "custom.x", 2);
    store.insert_tasks(vec![free.clone()]).await.unwrap();
    for (execution, state) in free
        .executions
        .iter()
        .zip([State::Running, State::Canceled])
    {
        let done = store
            .cancel_execution(shop.account.id, execution.id, at(70))
            .await
            .unwrap();
        assert_eq!(done, Cancelling::Ended);
        let task = store
            .task(shop.account.id, Key::Id(free.id))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(task.state, state);
    }
    let again = store
        .cancel_execution(shop.account.id, free.executions[0].id, at(71))
        .await
        .unwrap();
    assert_eq!(again, Cancelling::Over);
}

pub(crate) async fn a_failed_execution_is_redriven(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let new = new_task(&shop, "custom.x", 2);
    store.insert_tasks(vec![new.clone()]).await.unwrap();
    let failed = Attempt {
        state: State::Failed,
        dead: true,
        failures: 4,
        attempt: 4,
        ..ended_well(new.executions[0].id)
    };
    store
        .settle(settlement(&shop, &new, failed, NO_CHANGE))
        .await
        .unwrap();
    let id = new.executions[0].id;
    assert!(
        !store.redrive(shop.account.id, id, at(80)).await.unwrap(),
        "its task is not over"
    );
    let well = ended_well(new.executions[1].id);
    store
        .settle(settlement(&shop, &new, well, ended(State::Failed)))
        .await
        .unwrap();
    let dead = ExecutionFilter {
        dead: true,
        ..ExecutionFilter::default()
    };
    let listed = store
        .executions(shop.account.id, &dead, Page::first(9), Outputs::Omit)
        .await
        .unwrap();
    assert_eq!(listed.len(), 1);

    assert!(store.redrive(shop.account.id, id, at(80)).await.unwrap());
    assert!(
        !store
            .redrive(shop.account.id, new.executions[1].id, at(80))
            .await
            .unwrap()
    );
    let claimed = store
        .claim(shop.account.id, NodeId::generate(), at(80), 9)
        .await
        .unwrap()
        .tasks;
    assert_eq!(
        (
            claimed[0].executions[0].attempt,
            claimed[0].executions[0].failures
        ),
        (4, 0)
    );
}

pub(crate) async fn lists_go_on_after_a_page(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let tasks: Vec<_> = (0..5)
        .map(|i| new_task(&shop, if i == 0 { "custom.y" } else { "custom.x" }, 1))
        .collect();
    store.insert_tasks(tasks.clone()).await.unwrap();
    let list = async |filter: TaskFilter, page| {
        let listed = store.tasks(shop.account.id, &filter, page).await.unwrap();
        listed.into_iter().map(|task| task.id).collect::<Vec<_>>()
    };
    let first = list(TaskFilter::default(), Page::first(3)).await;
    assert_eq!(first, [tasks[4].id, tasks[3].id, tasks[2].id]);
    let after = Some(first[2]);
    assert_eq!(
        list(TaskFilter::default(), Page { after, limit: 9 }).await,
        [tasks[1].id, tasks[0].id]
    );
    let only = TaskFilter {
        event: Some("custom.y".into()),
        active: true,
        ..TaskFilter::default()
    };
    assert_eq!(list(only, Page::first(9)).await, [tasks[0].id]);

    let executions = store
        .executions(
            shop.account.id,
            &ExecutionFilter::default(),
            Page::first(2),
            Outputs::Omit,
        )
        .await
        .unwrap();
    assert_eq!(executions[0].id, tasks[4].executions[0].id);
    let page = Page {
        after: Some(executions[1].id),
        limit: 9,
    };
    let rest = store
        .executions(
            shop.account.id,
            &ExecutionFilter::default(),
            page,
            Outputs::Omit,
        )
        .await
        .unwrap();
    assert_eq!(rest.len(), 3);
}

pub(crate) async fn what_is_old_or_too_much_is_removed_with_what_nothing_refers_to(
    store: &dyn Store,
) {
    let shop = Shop::open(store).await;
    let mut tasks: Vec<_> = (0..4).map(|_| new_task(&shop, "custom.x", 1)).collect();
    tasks[0].program = Some("ad hoc".into());
    let mut inline = shop.source.clone();
    inline.digest = Digest::of(b"ad hoc");
    tasks[0].executions[0].recipe =
        std::sync::Arc::new(tenterhook_dispatch::Recipe::of(&shop.hook, &inline));
    store.insert_tasks(tasks.clone()).await.unwrap();
    for (task, seconds) in tasks.iter().zip([100, 200, 300]) {
        let change = TaskChange::Ended {
            state: State::Finished,
            started_at: None,
            at: at(seconds),
        };
        store
            .settle(settlement(
                &shop,
                task,
                ended_well(task.executions[0].id),
                change,
            ))
            .await
            .unwrap();
    }
    token(store, &shop, "old", TokenKind::Session)
        .await
        .unwrap();
    let left = async || {
        let listed = store
            .tasks(shop.account.id, &TaskFilter::default(), Page::first(9))
            .await
            .unwrap();
        listed.into_iter().map(|task| task.id).collect::<Vec<_>>()
    };

    let by_age = Retention {
        age: Duration::from_secs(150),
        tasks_per_account: 9,
    };
    let swept = store.sweep(&by_age, at(300)).await.unwrap();
    assert_eq!((swept.tasks, swept.programs, swept.tokens), (1, 1, 1));
    assert_eq!(left().await, [tasks[3].id, tasks[2].id, tasks[1].id]);
    assert_eq!(store.program(inline.digest).await.unwrap(), None);
    assert!(store.program(shop.source.digest).await.unwrap().is_some());
    // The recipe is known to be gone, and comes back with its next execution.
    let mut again = new_task(&shop, "custom.x", 1);
    again.program = Some("ad hoc".into());
    again.executions[0].recipe = tasks[0].executions[0].recipe.clone();
    store.insert_tasks(vec![again.clone()]).await.unwrap();

    let by_count = Retention {
        age: Duration::from_secs(1_000_000),
        tasks_per_account: 2,
    };
    assert_eq!(store.sweep(&by_count, at(300)).await.unwrap().tasks, 2);
    // One that is not over stays, however old it is.
    assert_eq!(left().await, [again.id, tasks[3].id]);
}

pub(crate) async fn accounts_are_kept_apart(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let new = new_task(&shop, "custom.x", 1);
    store.insert_tasks(vec![new.clone()]).await.unwrap();
    let other = store.insert_account(account("other")).await.unwrap().id;

    assert!(store.hooks(other).await.unwrap().is_empty());
    assert_eq!(store.task(other, Key::Id(new.id)).await.unwrap(), None);
    assert_eq!(
        store.task(other, Number::new(1).into()).await.unwrap(),
        None
    );
    assert!(
        store
            .execution(other, new.executions[0].id)
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(store.event(other, new.id).await.unwrap(), None);
    assert!(!store.delete_hook(other, shop.hook.id).await.unwrap());
    assert!(store.cancel_task(other, new.id, at(1)).await.is_err());
    assert!(
        store
            .claim(other, NodeId::generate(), at(99), 9)
            .await
            .unwrap()
            .tasks
            .is_empty()
    );
    // The same event of another account is another event.
    let mut same = new_task(&shop, "custom.x", 0);
    same.account = other;
    same.event = new.event.clone();
    assert_eq!(
        store.insert_tasks(vec![same]).await.unwrap(),
        [Inserted::New(Number::new(1))]
    );
}
