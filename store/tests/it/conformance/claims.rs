//! Ownership, cancelling, redriving, paging and removing.

use std::sync::Arc;
use std::time::Duration;

use tenterhook_dispatch::{
    Cancelling, Error, ExecutionFilter, Inserted, Key, NewTask, NodeId, NotReady, Noun, Number,
    Output, Outputs, Page, Recipe, Retention, State, Store, TaskChange, TaskFilter,
};
use tenterhook_engine::Digest;
use time::OffsetDateTime;

use super::accounts::token;
use super::tasks::{NO_CHANGE, ended, of_task, settlement};
use crate::support::{Shop, account, at, ended_well, new_task};

pub(crate) async fn unowned_tasks_are_claimed_oldest_first_whatever_the_clock_shows(
    store: &dyn Store,
) {
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
        (1, shop.account.id, OffsetDateTime::UNIX_EPOCH)
    );

    let first = store.claim(shop.account.id, node, at(50), 2).await.unwrap();
    let ids: Vec<_> = first.tasks.iter().map(|task| task.id).collect();
    assert_eq!(ids, [free[0].id, free[1].id]);
    assert_eq!(first.next_due_at, Some(OffsetDateTime::UNIX_EPOCH));
    let task = &first.tasks[0];
    assert_eq!(task.event, free[0].event);
    assert_eq!(task.executions.len(), 2);
    assert_eq!(task.executions[1].new.id, free[0].executions[1].id);
    assert_eq!(task.executions[1].new.recipe, free[0].executions[1].recipe);
    assert_eq!(
        (task.executions[1].attempt, task.executions[1].new.lane),
        (0, 1)
    );

    // The clock was set back since the last one was stored.
    let second = store.claim(shop.account.id, node, at(50), 9).await.unwrap();
    let ids: Vec<_> = second.tasks.iter().map(|task| task.id).collect();
    assert_eq!(ids, [free[2].id, later.id]);
    assert_eq!(second.next_due_at, None);
    let released = [&free[0], &free[2]].map(|task| (shop.account.id, task.id));
    store.release(released.into()).await.unwrap();
    let again = store.claim(shop.account.id, node, at(50), 9).await.unwrap();
    let ids: Vec<_> = again.tasks.iter().map(|task| task.id).collect();
    assert_eq!(ids, [free[0].id, free[2].id]);
}

pub(crate) async fn tasks_of_many_executions_are_claimed_few_at_a_time(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let node = NodeId::generate();
    let tasks: Vec<_> = (0..3).map(|_| new_task(&shop, "custom.x", 3_000)).collect();
    store.insert_tasks(tasks.clone()).await.unwrap();

    let first = store.claim(shop.account.id, node, at(50), 9).await.unwrap();
    let ids: Vec<_> = first.tasks.iter().map(|task| task.id).collect();
    assert_eq!(ids, [tasks[0].id, tasks[1].id]);
    assert!(first.next_due_at.is_some());
    let rest = store.claim(shop.account.id, node, at(50), 9).await.unwrap();
    assert_eq!(rest.tasks[0].id, tasks[2].id);
    assert_eq!((rest.tasks.len(), rest.next_due_at), (1, None));
}

pub(crate) async fn a_parked_task_is_claimed_when_it_is_due(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let node = NodeId::generate();
    let mut new = new_task(&shop, "custom.x", 2);
    new.owner = Some(node);
    store.insert_tasks(vec![new.clone()]).await.unwrap();
    let mut failed = ended_well(new.executions[0].id);
    failed.state = State::Waiting;
    failed.failures = 1;
    failed.due_at = Some(at(60));
    failed.record.ended_at = None;
    let well = ended_well(new.executions[1].id);
    store
        .record_result(settlement(&shop, &new, well, NO_CHANGE))
        .await
        .unwrap();
    let parked = TaskChange::Parked {
        until: at(60),
        open: 1,
    };
    store
        .record_result(settlement(&shop, &new, failed, parked))
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

/// Stores a task whose one execution has failed, and rests until then.
async fn parked(
    store: &dyn Store,
    shop: &Shop,
    until: OffsetDateTime,
    wait: Option<Duration>,
) -> NewTask {
    let mut new = new_task(shop, "custom.x", 1);
    new.owner = Some(NodeId::generate());
    store.insert_tasks(vec![new.clone()]).await.unwrap();
    let mut failed = ended_well(new.executions[0].id);
    failed.state = State::Waiting;
    failed.failures = 1;
    failed.due_at = Some(until);
    failed.wait = wait;
    failed.record.ended_at = None;
    store
        .record_result(settlement(
            shop,
            &new,
            failed,
            TaskChange::Parked { until, open: 1 },
        ))
        .await
        .unwrap();
    new
}

pub(crate) async fn no_wait_is_longer_than_its_delay(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let longest = shop.hook.retry.longest_wait();
    let minute = Duration::from_secs(60);
    let waits = [
        (at(1_010), Some(minute)),
        (at(100_000_000), Some(minute)),
        // As an earlier version has stored it.
        (at(100_000_000), None),
    ];
    let mut tasks = Vec::new();
    for (until, wait) in waits {
        tasks.push(parked(store, &shop, until, wait).await.id);
    }

    store.shorten_waits(at(1_000)).await.unwrap();

    let node = NodeId::generate();
    let due = async |now| {
        let claimed = store.claim(shop.account.id, node, now, 9).await.unwrap();
        let due = claimed.tasks.into_iter().map(|mut task| {
            let execution = task.executions.remove(0);
            (task.id, execution.due_at, execution.wait)
        });
        due.collect::<Vec<_>>()
    };
    let second = Duration::from_secs(1);
    for ((task, (_, wait)), until) in
        tasks
            .into_iter()
            .zip(waits)
            .zip([at(1_010), at(1_060), at(1_000) + longest])
    {
        assert_eq!(due(until - second).await, []);
        assert_eq!(due(until).await, [(task, Some(until), wait)]);
    }
}

pub(crate) async fn first_attempts_and_retries_do_not_keep_each_other_waiting(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let mut again = Vec::new();
    for _ in 0..4 {
        again.push(parked(store, &shop, at(60), None).await.id);
    }
    let first: Vec<_> = (0..4).map(|_| new_task(&shop, "custom.x", 1)).collect();
    store.insert_tasks(first.clone()).await.unwrap();
    let claim = async |limit| {
        let node = NodeId::generate();
        let claimed = store.claim(shop.account.id, node, at(60), limit).await;
        let tasks = claimed.unwrap().tasks;
        tasks.iter().map(|task| task.id).collect::<Vec<_>>()
    };

    assert_eq!(claim(2).await, [again[0], first[0].id]);
    assert_eq!(claim(1).await, [first[1].id]);
    assert_eq!(
        claim(9).await,
        [again[1], again[2], again[3], first[2].id, first[3].id]
    );
}

pub(crate) async fn the_time_that_was_seen_is_kept(store: &dyn Store) {
    assert_eq!(store.clock_seen().await.unwrap(), None);
    for seen in [at(5), at(3)] {
        store.see_clock(seen).await.unwrap();
        assert_eq!(store.clock_seen().await.unwrap(), Some(seen));
    }
}

pub(crate) async fn what_a_killed_run_had_noted_is_counted_and_nothing_else(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let (old, new) = (NodeId::generate(), NodeId::generate());
    store.take_over(old).await.unwrap();
    let mut task = new_task(&shop, "custom.x", 4);
    task.owner = Some(old);
    store.insert_tasks(vec![task.clone()]).await.unwrap();
    let id = |place: usize| task.executions[place].id;
    for (place, attempt) in [(0, 1), (1, 7), (2, 1)] {
        store.note_begun(shop.account.id, id(place), attempt);
    }
    store.note_ended(id(1), 7);
    let well = ended_well(id(2));
    store
        .record_result(settlement(&shop, &task, well, NO_CHANGE))
        .await
        .unwrap();
    store.note_settled(id(2), 1);

    assert_eq!(store.take_over(new).await.unwrap(), 1);

    let counted = async || {
        let node = NodeId::generate();
        let claimed = store.claim(shop.account.id, node, at(50), 9).await.unwrap();
        let executions = claimed.tasks[0].executions.iter();
        executions
            .map(|execution| (execution.new.id, execution.attempt, execution.crashes))
            .collect::<Vec<_>>()
    };
    let expected = [(id(0), 1, 1), (id(1), 7, 0), (id(3), 0, 0)];
    assert_eq!(counted().await, expected);
    // What is not owned by the run that has noted it is not counted a second time.
    store.take_over(NodeId::generate()).await.unwrap();
    assert_eq!(store.backlog().await.unwrap().len(), 1);
}

pub(crate) async fn a_requested_shutdown_blames_no_execution(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let (old, new) = (NodeId::generate(), NodeId::generate());
    store.take_over(old).await.unwrap();
    let mut task = new_task(&shop, "custom.x", 1);
    task.owner = Some(old);
    store.insert_tasks(vec![task.clone()]).await.unwrap();
    store.note_begun(shop.account.id, task.executions[0].id, 1);
    store.note_leaving();

    store.take_over(new).await.unwrap();

    let claimed = store.claim(shop.account.id, new, at(50), 9).await.unwrap();
    let execution = &claimed.tasks[0].executions[0];
    assert_eq!((execution.attempt, execution.crashes), (1, 0));
}

pub(crate) async fn an_open_store_is_ready_and_a_closed_one_is_not(store: &dyn Store) {
    assert_eq!(store.ready().await, Ok(()));
    assert_eq!(store.ready().await, Ok(()));
    store.close().await.unwrap();
    assert_eq!(store.ready().await, Err(NotReady::WriterGone));
    assert!(store.see_clock(at(1)).await.is_err());
}

pub(crate) async fn a_new_node_adopts_tasks_and_raises_attempts(store: &dyn Store) {
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
        .record_result(settlement(&shop, &begun, well, NO_CHANGE))
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
    let cancel = async |task: &NewTask| store.cancel_task(shop.account.id, task.id, at(70)).await;

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

pub(crate) async fn waiting_executions_of_a_hook_are_cancelled_if_no_node_owns_them(
    store: &dyn Store,
) {
    let shop = Shop::open(store).await;
    let free = new_task(&shop, "custom.x", 2);
    let mut owned = new_task(&shop, "custom.x", 1);
    owned.owner = Some(NodeId::generate());
    let mut other = new_task(&shop, "custom.x", 2);
    other.executions[0].hook = None;
    store
        .insert_tasks(vec![free.clone(), owned.clone(), other.clone()])
        .await
        .unwrap();

    let (account, hook) = (shop.account.id, shop.hook.id);
    let ended = store
        .cancel_of_hook(account, hook, "it is gone", at(70))
        .await
        .unwrap();

    assert_eq!(ended, [free.id]);
    let state = async |task: &NewTask| {
        let task = store
            .task(account, Key::Id(task.id))
            .await
            .unwrap()
            .unwrap();
        (task.state, task.cancelled)
    };
    assert_eq!(state(&free).await, (State::Canceled, false));
    assert_eq!(state(&owned).await, (State::Waiting, false));
    assert_eq!(state(&other).await, (State::Running, false));
    for (execution, state) in [
        (&free.executions[1], State::Canceled),
        (&owned.executions[0], State::Waiting),
        (&other.executions[0], State::Waiting),
        (&other.executions[1], State::Canceled),
    ] {
        let kept = store
            .execution(account, execution.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(kept.state, state);
        let reason = (state == State::Canceled).then_some("it is gone");
        assert_eq!(kept.latest.error.as_deref(), reason);
    }
    let again = store
        .cancel_of_hook(account, hook, "it is gone", at(71))
        .await
        .unwrap();
    assert!(again.is_empty());
}

pub(crate) async fn a_failed_execution_is_redriven(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let new = new_task(&shop, "custom.x", 2);
    store.insert_tasks(vec![new.clone()]).await.unwrap();
    let mut failed = ended_well(new.executions[0].id);
    failed.state = State::Failed;
    failed.dead = true;
    failed.failures = 4;
    failed.record.attempt = 4;
    failed.record.error = Some("the thread that ran it failed".into());
    store
        .record_result(settlement(&shop, &new, failed, NO_CHANGE))
        .await
        .unwrap();
    let id = new.executions[0].id;
    assert!(
        !store.redrive(shop.account.id, id).await.unwrap(),
        "its task is not over"
    );
    let well = ended_well(new.executions[1].id);
    store
        .record_result(settlement(&shop, &new, well, ended(State::Failed)))
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

    assert!(store.redrive(shop.account.id, id).await.unwrap());
    let waiting = store.execution(shop.account.id, id).await.unwrap().unwrap();
    assert_eq!((waiting.state, waiting.latest.attempt), (State::Waiting, 4));
    assert_eq!(
        (&waiting.latest.error, &waiting.latest.outcome),
        (&None, &None)
    );
    assert_eq!(
        (&waiting.latest.verdict, &waiting.latest.usage),
        (&None, &None)
    );
    assert_eq!(waiting.latest.output, Output::default());
    assert!(
        !store
            .redrive(shop.account.id, new.executions[1].id)
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

pub(crate) async fn lists_continue_after_a_page(store: &dyn Store) {
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

pub(crate) async fn old_and_surplus_tasks_are_removed_with_what_nothing_refers_to(
    store: &dyn Store,
) {
    let shop = Shop::open(store).await;
    let mut tasks: Vec<_> = (0..4).map(|_| new_task(&shop, "custom.x", 1)).collect();
    tasks[0].program = Some("ad hoc".into());
    let mut inline = shop.source.clone();
    inline.digest = Digest::of(b"ad hoc");
    tasks[0].executions[0].recipe = Arc::new(Recipe::of(&shop.hook, &inline));
    store.insert_tasks(tasks.clone()).await.unwrap();
    for (task, seconds) in tasks.iter().zip([100, 200, 300]) {
        let change = TaskChange::Ended {
            state: State::Finished,
            started_at: None,
            at: at(seconds),
        };
        store
            .record_result(settlement(
                &shop,
                task,
                ended_well(task.executions[0].id),
                change,
            ))
            .await
            .unwrap();
    }
    token(store, &shop, "old").await.unwrap();
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
        ..Retention::default()
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
        tasks_per_account: 1,
        ..Retention::default()
    };
    assert_eq!(store.sweep(&by_count, at(300)).await.unwrap().tasks, 1);
    assert_eq!(left().await, [again.id, tasks[3].id, tasks[2].id]);
    let by_count = Retention {
        tasks_per_account: 0,
        ..by_count
    };
    assert_eq!(store.sweep(&by_count, at(300)).await.unwrap().tasks, 1);
    // One that is not over stays, however old it is.
    assert_eq!(left().await, [again.id, tasks[3].id]);
}

pub(crate) async fn accounts_are_isolated_from_each_other(store: &dyn Store) {
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
