//! Tasks and executions: writing them down, settling and reading them.

use std::collections::HashMap;

use tenterhook_dispatch::{
    Attempt, AttemptRecord, Container, Error, Execution, ExecutionFilter, Inserted, Key, NewTask,
    NodeId, Number, OUTPUTS_MAX_BYTES, Output, OutputPart, Outputs, Page, Settlement, State, Store,
    TaskChange,
};
use tenterhook_engine::{Digest, Limit, Outcome, Stream};

use crate::support::{Shop, at, container, ended_well, new_task};

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
        (first.state, first.latest.attempt, first.task),
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

pub(crate) async fn the_container_of_an_execution_is_kept_whole(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let mut new = new_task(&shop, "snapshot.pre", 3);
    new.executions[0].container = Some(container("postgres"));
    new.executions[2].container = Some(Container::default());
    store.insert_tasks(vec![new.clone()]).await.unwrap();

    let planned: Vec<_> = new
        .executions
        .iter()
        .map(|execution| execution.container.clone())
        .collect();
    let kept: Vec<_> = of_task(store, &shop, &new)
        .await
        .into_iter()
        .map(|execution| execution.container)
        .collect();
    assert_eq!(kept, planned);
    let one = store
        .execution(shop.account.id, new.executions[0].id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(one.container, planned[0]);
    let claimed = store
        .claim(shop.account.id, NodeId::generate(), at(50), 9)
        .await
        .unwrap()
        .tasks
        .swap_remove(0);
    let claimed: Vec<_> = claimed
        .executions
        .into_iter()
        .map(|execution| execution.new.container)
        .collect();
    assert_eq!(claimed, planned);
}

pub(crate) async fn of_task(store: &dyn Store, shop: &Shop, task: &NewTask) -> Vec<Execution> {
    let filter = ExecutionFilter {
        task: Some(task.id),
        ..ExecutionFilter::default()
    };
    store
        .executions(shop.account.id, &filter, Page::first(1), Outputs::Include)
        .await
        .unwrap()
}

pub(crate) async fn a_repeated_event_names_the_first_task(store: &dyn Store) {
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
    let key = |task: &NewTask| (task.event.as_ref().unwrap().key.clone(), None);
    let new = new_task(&shop, "custom.x", 1);
    let keys = vec![key(&again), key(&new), key(&other)];
    assert_eq!(
        store.known_events(shop.account.id, keys).await.unwrap(),
        [
            Some(Inserted::Repeated(first.id)),
            None,
            Some(Inserted::Repeated(other.id))
        ]
    );
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

pub(crate) async fn a_repeated_event_with_different_content_is_a_conflict(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let task = |like: Option<&NewTask>, content: Option<&[u8]>| {
        let mut task = new_task(&shop, "custom.x", 1);
        let event = task.event.as_mut().unwrap();
        if let Some(like) = like {
            event.key = like.event.as_ref().unwrap().key.clone();
        }
        event.content = content.map(Digest::of);
        task
    };
    let first = task(None, Some(b"one"));
    let before = task(None, None);
    store
        .insert_tasks(vec![first.clone(), before.clone()])
        .await
        .unwrap();

    // The same content, and one of which no content is known.
    let same = vec![
        task(Some(&first), Some(b"one")),
        task(Some(&before), Some(b"two")),
    ];
    assert_eq!(
        store.insert_tasks(same).await.unwrap(),
        [Inserted::Repeated(first.id), Inserted::Repeated(before.id)]
    );
    // Nothing of the request is stored.
    let new = task(None, Some(b"new"));
    let other = task(Some(&first), Some(b"two"));
    let refused = store
        .insert_tasks(vec![new.clone(), other.clone()])
        .await
        .unwrap_err();
    assert!(
        matches!(refused, Error::EventConflict { index: Some(1) }),
        "{refused}"
    );
    assert_eq!(
        store.task(shop.account.id, Key::Id(new.id)).await.unwrap(),
        None
    );
    let event = other.event.as_ref().unwrap();
    let known = store
        .known_events(shop.account.id, vec![(event.key.clone(), event.content)])
        .await
        .unwrap_err();
    assert!(
        matches!(known, Error::EventConflict { index: Some(0) }),
        "{known}"
    );
    // Two of one request.
    let refused = store
        .insert_tasks(vec![new.clone(), task(Some(&new), Some(b"newer"))])
        .await
        .unwrap_err();
    assert!(
        matches!(refused, Error::EventConflict { index: Some(1) }),
        "{refused}"
    );
}

pub(crate) async fn a_task_without_executions_finishes_at_once(store: &dyn Store) {
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

pub(crate) fn settlement(
    shop: &Shop,
    task: &NewTask,
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

pub(crate) const NO_CHANGE: TaskChange = TaskChange::None;

pub(crate) fn ended(state: State) -> TaskChange {
    TaskChange::Ended {
        state,
        started_at: Some(at(11)),
        at: at(12),
    }
}

pub(crate) async fn the_output_of_a_task_is_read_as_far_as_it_fits(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let new = new_task(&shop, "custom.x", 3);
    store.insert_tasks(vec![new.clone()]).await.unwrap();
    let most = usize::try_from(OUTPUTS_MAX_BYTES).unwrap();
    for (execution, bytes) in new.executions.iter().zip([most - 10, 10, 7]) {
        let mut attempt = ended_well(execution.id);
        attempt.record.output = Output {
            stdout: vec![b'x'; bytes].into(),
            ..Output::default()
        };
        store
            .record_result(settlement(&shop, &new, attempt, NO_CHANGE))
            .await
            .unwrap();
    }

    let told = of_task(store, &shop, &new).await;

    let lengths: Vec<_> = told
        .iter()
        .map(|execution| {
            (
                execution.latest.output.stdout.len(),
                execution.latest.output.dropped_bytes,
            )
        })
        .collect();
    assert_eq!(lengths, [(most - 10, 0), (10, 0), (0, 7)]);
    let whole = store.execution(shop.account.id, told[2].id).await.unwrap();
    assert_eq!(whole.unwrap().latest.output.stdout.len(), 7);
}

pub(crate) async fn an_output_is_read_in_parts(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let account = shop.account.id;
    let new = new_task(&shop, "custom.x", 1);
    store.insert_tasks(vec![new.clone()]).await.unwrap();
    let mut attempt = ended_well(new.executions[0].id);
    attempt.record.output = Output {
        stdout: vec![0, 1, 2, 3, 4, 5, 6].into(),
        ..Output::default()
    };
    let part = OutputPart {
        execution: attempt.id,
        attempt: attempt.record.attempt,
        stream: Stream::Stdout,
        offset: 0,
        most: 4,
    };
    store
        .record_result(settlement(&shop, &new, attempt, NO_CHANGE))
        .await
        .unwrap();

    let within = async |most| {
        let found = store.execution_within(account, part.execution, most).await;
        let (execution, sizes) = found.unwrap().unwrap();
        assert_eq!((sizes.stdout, sizes.stderr), (7, 0));
        execution.latest.output.stdout.len()
    };
    assert_eq!((within(7).await, within(6).await), (7, 0));

    let bytes = async |key| store.outputs_bytes(account, key).await.unwrap();
    assert_eq!(bytes(Key::Id(new.id)).await, 7);
    assert_eq!(bytes(Number::new(1).into()).await, 7);
    assert_eq!(bytes(Number::new(9).into()).await, 0);

    let read = async |part| store.output_part(account, part).await.unwrap();
    assert_eq!(read(part).await.unwrap(), vec![0, 1, 2, 3]);
    let rest = OutputPart { offset: 4, ..part };
    assert_eq!(read(rest).await.unwrap(), vec![4, 5, 6]);
    let beyond = OutputPart { offset: 7, ..part };
    assert_eq!(read(beyond).await.unwrap(), vec![]);
    let empty = OutputPart {
        stream: Stream::Stderr,
        ..part
    };
    assert_eq!(read(empty).await.unwrap(), vec![]);
    // Another attempt has replaced it, or will.
    let later = OutputPart {
        attempt: part.attempt + 1,
        ..part
    };
    assert_eq!(read(later).await, None);
    let other = Shop::named(store, "other").await;
    assert_eq!(
        store.output_part(other.account.id, part).await.unwrap(),
        None
    );
}

pub(crate) async fn the_outcomes_of_many_tasks_are_read_at_once(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let other = Shop::named(store, "other").await;
    let [mixed, well, waiting] = [3, 1, 1].map(|count| new_task(&shop, "custom.x", count));
    let foreign = new_task(&other, "custom.x", 1);
    let tasks = [&mixed, &well, &waiting, &foreign];
    for task in tasks {
        store.insert_tasks(vec![task.clone()]).await.unwrap();
    }
    let failed = |place: usize, outcome| Attempt {
        state: State::Failed,
        record: AttemptRecord {
            outcome: Some(outcome),
            verdict: None,
            ..ended_well(mixed.executions[place].id).record
        },
        ..ended_well(mixed.executions[place].id)
    };
    let trapped = Outcome::Stopped { limit: Limit::Fuel };
    for attempt in [
        failed(0, trapped),
        failed(1, Outcome::Exited { status: 7 }),
        failed(2, Outcome::Exited { status: 9 }),
    ] {
        let settled = settlement(&shop, &mixed, attempt, NO_CHANGE);
        store.record_result(settled).await.unwrap();
    }
    for (shop, task) in [(&shop, &well), (&other, &foreign)] {
        let attempt = ended_well(task.executions[0].id);
        let settled = settlement(shop, task, attempt, ended(State::Finished));
        store.record_result(settled).await.unwrap();
    }
    let ids: Vec<_> = tasks.iter().map(|task| task.id).collect();
    let account = shop.account.id;

    let endings = store.endings(account, ids.clone()).await.unwrap();
    let verdicts = store.verdicts(account, ids).await.unwrap();

    assert_eq!(endings.len(), 2, "{endings:?}");
    assert_eq!(endings[&mixed.id].failed_status, Some(7));
    assert_eq!(endings[&mixed.id].verdict_bytes, 0);
    assert_eq!(endings[&well.id].failed_status, None);
    assert!(endings[&well.id].verdict_bytes > 20);
    let verdict = ended_well(well.executions[0].id).record.verdict.unwrap();
    assert_eq!(verdicts, HashMap::from([(well.id, vec![verdict])]));
}

pub(crate) async fn the_outcome_of_an_attempt_is_kept_whole(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let new = new_task(&shop, "custom.x", 1);
    store.insert_tasks(vec![new.clone()]).await.unwrap();
    let attempt = ended_well(new.executions[0].id);
    store
        .record_result(settlement(
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
        (kept.state, kept.latest.attempt, kept.latest.outcome),
        (attempt.state, 1, attempt.record.outcome)
    );
    assert_eq!(
        (
            kept.latest.usage,
            &kept.latest.output,
            kept.latest.verdict,
            kept.latest.verdict_fault
        ),
        (
            attempt.record.usage,
            &attempt.record.output,
            attempt.record.verdict,
            attempt.record.verdict_fault
        )
    );
    assert_eq!(
        (kept.latest.started_at, kept.latest.ended_at),
        (attempt.record.started_at, attempt.record.ended_at)
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
    assert!(listed[0].latest.output.stdout.is_empty());
    assert_eq!(listed[0].latest.output.dropped_bytes, 5);
}

pub(crate) async fn settlements_take_effect_in_their_order(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let new = new_task(&shop, "custom.x", 1);
    store.insert_tasks(vec![new.clone()]).await.unwrap();
    let id = new.executions[0].id;
    let mut queued = Vec::new();
    for failures in 1..=5 {
        let mut failed = ended_well(id);
        failed.state = State::Waiting;
        failed.failures = failures;
        failed.due_at = Some(at(50));
        failed.record.attempt = failures;
        failed.record.outcome = Some(Outcome::Exited { status: 1 });
        failed.record.ended_at = None;
        queued.push(store.record_result(settlement(&shop, &new, failed, NO_CHANGE)));
    }
    let mut last = ended_well(id);
    last.record.attempt = 6;
    queued.push(store.record_result(settlement(&shop, &new, last, ended(State::Finished))));
    // None of them has been waited for yet.
    for answer in queued.into_iter().rev() {
        answer.await.unwrap();
    }
    let kept = store.execution(shop.account.id, id).await.unwrap().unwrap();
    assert_eq!(
        (kept.latest.attempt, kept.state, kept.due_at),
        (6, State::Finished, None)
    );
}

pub(crate) async fn a_task_in_progress_reports_its_progress(store: &dyn Store) {
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
        .record_result(settlement(&shop, &new, first, NO_CHANGE))
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
