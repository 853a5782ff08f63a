//! What accounts have on the disk, what of it is removed, and what is remembered then.

use std::sync::Arc;
use std::time::Duration;

use tenterhook_dispatch::{
    AccountId, Error, Inserted, Key, NewTask, Output, Page, Recipe, Retention, State, Store,
    TaskChange, TaskFilter,
};
use tenterhook_engine::Digest;

use super::tasks::settlement;
use crate::support::{Shop, at, ended_well, new_task};

/// Everything is kept.
fn for_ever() -> Retention {
    Retention {
        age: Duration::from_secs(1 << 30),
        tasks_per_account: u32::MAX,
        bytes_per_account: u64::MAX,
        event_horizon: Duration::from_secs(1 << 30),
        events_per_account: u32::MAX,
    }
}

/// Nothing is kept but the events.
fn nothing() -> Retention {
    Retention {
        age: Duration::ZERO,
        ..for_ever()
    }
}

pub(crate) async fn bytes_of(store: &dyn Store, account: AccountId) -> u64 {
    let usage = store.disk_usage().await.unwrap();
    usage
        .into_iter()
        .find_map(|(id, bytes)| (id == account).then_some(bytes))
        .unwrap()
}

/// Removes all finished tasks, and forgets their events.
pub(crate) async fn forget_all(store: &dyn Store, now: i64) {
    let nothing = Retention {
        event_horizon: Duration::ZERO,
        ..nothing()
    };
    sweep_all(store, &nothing, now).await;
}

async fn sweep_all(store: &dyn Store, retention: &Retention, now: i64) {
    while store.sweep(retention, at(now)).await.unwrap().more {}
}

/// Ends a task, each of whose executions has printed so much.
async fn end(store: &dyn Store, shop: &Shop, task: &NewTask, printed: usize, at_seconds: i64) {
    for (place, execution) in task.executions.iter().enumerate() {
        let mut attempt = ended_well(execution.id);
        attempt.record.output = Output {
            stdout: vec![b'x'; printed].into(),
            ..Output::default()
        };
        let change = match place + 1 == task.executions.len() {
            true => TaskChange::Ended {
                state: State::Finished,
                started_at: None,
                at: at(at_seconds),
            },
            false => TaskChange::None,
        };
        store
            .record_result(settlement(shop, task, attempt, change))
            .await
            .unwrap();
    }
}

async fn left(store: &dyn Store, shop: &Shop) -> usize {
    let all = TaskFilter::default();
    let tasks = store.tasks(shop.account.id, &all, Page::first(1_000));
    tasks.await.unwrap().len()
}

pub(crate) async fn what_an_account_has_on_the_disk_is_counted_as_it_changes(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let other = Shop::named(store, "other").await;
    let (before, others) = (
        bytes_of(store, shop.account.id).await,
        bytes_of(store, other.account.id).await,
    );
    let mut task = new_task(&shop, "custom.x", 2);
    task.event.as_mut().unwrap().json = vec![b'e'; 10_000].into();
    task.program = Some(vec![b'p'; 20_000].into());

    store.insert_tasks(vec![task.clone()]).await.unwrap();
    let stored = bytes_of(store, shop.account.id).await;
    assert!(
        stored > before + 30_000 && stored < before + 40_000,
        "{stored}"
    );

    // What is tried again prints again, in place of what it had printed.
    let mut failed = ended_well(task.executions[0].id);
    failed.state = State::Waiting;
    failed.record.ended_at = None;
    failed.due_at = Some(at(15));
    failed.record.output.stdout = vec![b'x'; 80_000].into();
    store
        .record_result(settlement(&shop, &task, failed, TaskChange::None))
        .await
        .unwrap();
    let tried = bytes_of(store, shop.account.id).await;
    assert!(tried > stored + 80_000, "{tried}");

    end(store, &shop, &task, 50_000, 20).await;
    let ended = bytes_of(store, shop.account.id).await;
    assert!(
        ended > stored + 100_000 && ended < stored + 102_000,
        "{ended}"
    );

    let forgotten = Retention {
        event_horizon: Duration::ZERO,
        ..nothing()
    };
    sweep_all(store, &forgotten, 300).await;
    assert_eq!(bytes_of(store, shop.account.id).await, before);
    assert_eq!(bytes_of(store, other.account.id).await, others);
}

pub(crate) async fn a_program_is_charged_to_each_account_that_needs_it_and_removed_with_the_last(
    store: &dyn Store,
) {
    let shops = [
        Shop::named(store, "one").await,
        Shop::named(store, "two").await,
    ];
    let bytes = vec![b'#'; 30_000];
    let digest = Digest::of(&bytes);
    let mut sources = Vec::new();
    for shop in &shops {
        let before = bytes_of(store, shop.account.id).await;
        let mut source = crate::support::source("large.sh");
        source.digest = digest;
        let (source, _) = store
            .insert_source(shop.account.id, source, bytes.clone().into(), Vec::new())
            .await
            .unwrap();
        let grown = bytes_of(store, shop.account.id).await - before;
        assert!((30_000..31_000).contains(&grown), "{grown}");
        sources.push((before, source));
    }
    for (shop, (before, source)) in shops.iter().zip(&sources) {
        assert!(store.program(digest).await.unwrap().is_some());
        store
            .delete_source(shop.account.id, source.id)
            .await
            .unwrap();
        sweep_all(store, &for_ever(), 300).await;
        assert_eq!(bytes_of(store, shop.account.id).await, *before);
    }
    assert_eq!(store.program(digest).await.unwrap(), None);
}

pub(crate) async fn a_program_that_was_damaged_is_replaced_when_it_is_stored_again(
    store: &dyn Store,
) {
    let shop = Shop::open(store).await;
    let mut damaged = crate::support::source("b.sh");
    damaged.digest = Digest::of(b"echo right\n");
    store
        .insert_source(
            shop.account.id,
            damaged.clone(),
            "echo wrong\n".into(),
            Vec::new(),
        )
        .await
        .unwrap();
    store
        .update_source(
            shop.account.id,
            damaged.clone(),
            Some("echo right\n".into()),
            None,
        )
        .await
        .unwrap();
    let bytes = store.program(damaged.digest).await.unwrap();
    assert_eq!(bytes.unwrap(), "echo right\n");
}

pub(crate) async fn parked_tasks_keep_nothing_from_being_removed(store: &dyn Store) {
    let tenant = Shop::named(store, "with-many-parked").await;
    let parked: Vec<_> = (0..2_100)
        .map(|_| new_task(&tenant, "custom.x", 1))
        .collect();
    store.insert_tasks(parked).await.unwrap();
    let other = Shop::named(store, "other").await;
    let old = new_task(&other, "custom.x", 1);
    store.insert_tasks(vec![old.clone()]).await.unwrap();
    end(store, &other, &old, 10, 20).await;

    sweep_all(store, &nothing(), 300).await;

    assert_eq!(left(store, &other).await, 0);
    assert_eq!(left(store, &tenant).await, 1_000, "a page of them");
}

pub(crate) async fn accounts_take_turns_when_much_is_to_be_removed(store: &dyn Store) {
    let shops = [
        Shop::named(store, "much").await,
        Shop::named(store, "little").await,
    ];
    for (shop, count) in shops.iter().zip([600, 3]) {
        // Without executions they finish at once.
        let tasks = (0..count).map(|_| new_task(shop, "custom.x", 0)).collect();
        store.insert_tasks(tasks).await.unwrap();
    }

    let first = store.sweep(&nothing(), at(300)).await.unwrap();

    assert!(first.more && first.tasks < 600, "{first:?}");
    assert_eq!(left(store, &shops[1]).await, 0);
    assert!(left(store, &shops[0]).await > 300);
    sweep_all(store, &nothing(), 300).await;
    assert_eq!(left(store, &shops[0]).await, 0);
}

pub(crate) async fn the_oldest_tasks_of_an_account_that_has_too_much_are_removed(
    store: &dyn Store,
) {
    let (much, little) = (
        Shop::named(store, "much").await,
        Shop::named(store, "little").await,
    );
    let tasks: Vec<_> = (0..4).map(|_| new_task(&much, "custom.x", 1)).collect();
    store.insert_tasks(tasks.clone()).await.unwrap();
    for (task, seconds) in tasks[..3].iter().zip([30, 20, 40]) {
        end(store, &much, task, 100_000, seconds).await;
    }
    let small = new_task(&little, "custom.x", 1);
    store.insert_tasks(vec![small.clone()]).await.unwrap();
    end(store, &little, &small, 10, 10).await;

    let by_bytes = Retention {
        bytes_per_account: 150_000,
        ..for_ever()
    };
    sweep_all(store, &by_bytes, 300).await;

    let kept = store
        .tasks(much.account.id, &TaskFilter::default(), Page::first(9))
        .await
        .unwrap();
    let kept: Vec<_> = kept.into_iter().map(|task| task.id).collect();
    // The one that is not over stays, whatever it has.
    assert_eq!(kept, [tasks[3].id, tasks[2].id]);
    assert_eq!(left(store, &little).await, 1);
}

pub(crate) async fn a_task_larger_than_one_sweep_is_removed_by_several(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let mut large = new_task(&shop, "custom.x", 5_000);
    large.event = None;
    store.insert_tasks(vec![large.clone()]).await.unwrap();
    store
        .cancel_task(shop.account.id, large.id, at(20))
        .await
        .unwrap();

    let first = store.sweep(&nothing(), at(300)).await.unwrap();
    assert_eq!((first.tasks, first.more), (0, true), "{first:?}");
    assert!((1..=4_200).contains(&first.rows), "{first:?}");
    sweep_all(store, &nothing(), 300).await;
    assert_eq!(left(store, &shop).await, 0);
}

pub(crate) async fn an_event_is_known_for_its_horizon_after_its_task_was_removed(
    store: &dyn Store,
) {
    let shop = Shop::open(store).await;
    let first = new_task(&shop, "custom.x", 1);
    store.insert_tasks(vec![first.clone()]).await.unwrap();
    end(store, &shop, &first, 10, 20).await;
    sweep_all(store, &nothing(), 300).await;
    assert_eq!(left(store, &shop).await, 0);

    let again = || {
        let mut again = new_task(&shop, "custom.x", 1);
        again.event = first.event.clone();
        again
    };
    let other = new_task(&shop, "custom.x", 1);
    let inserted = store
        .insert_tasks(vec![again(), other.clone(), again()])
        .await
        .unwrap();

    assert!(matches!(inserted[1], Inserted::New(_)), "{inserted:?}");
    for inserted in [&inserted[0], &inserted[2]] {
        let Inserted::Remembered(task) = inserted else {
            panic!("{inserted:?}");
        };
        assert_eq!(
            (task.id, task.number.get(), task.state),
            (first.id, 1, State::Finished)
        );
        assert_eq!(
            task.event,
            first.event.as_ref().map(|event| event.key.clone())
        );
        assert_eq!((task.progress.total, task.ended_at), (1, Some(at(20))));
    }
    assert_eq!(left(store, &shop).await, 1);
    assert_eq!(
        store
            .task(shop.account.id, Key::Id(first.id))
            .await
            .unwrap(),
        None
    );

    // It was accepted at 10 s: that is known until the horizon has passed.
    let horizon = |seconds| Retention {
        event_horizon: Duration::from_secs(seconds),
        ..for_ever()
    };
    sweep_all(store, &horizon(100), 110).await;
    let known = store.insert_tasks(vec![again()]).await.unwrap();
    assert!(matches!(known[0], Inserted::Remembered(_)), "{known:?}");
    sweep_all(store, &horizon(100), 111).await;
    let forgotten = store.insert_tasks(vec![again()]).await.unwrap();
    assert!(matches!(forgotten[0], Inserted::New(_)), "{forgotten:?}");
}

pub(crate) async fn the_content_of_an_event_is_known_after_its_task_was_removed(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let first = new_task(&shop, "custom.x", 0);
    let with = |content: &[u8]| {
        let mut task = new_task(&shop, "custom.x", 0);
        task.event.clone_from(&first.event);
        task.event.as_mut().unwrap().content = Some(Digest::of(content));
        task
    };
    store.insert_tasks(vec![with(b"one")]).await.unwrap();
    sweep_all(store, &nothing(), 300).await;

    let same = store.insert_tasks(vec![with(b"one")]).await.unwrap();
    assert!(matches!(same[0], Inserted::Remembered(_)), "{same:?}");
    let other = with(b"two");
    let new = new_task(&shop, "custom.x", 0);
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
    let event = other.event.unwrap();
    let known = store
        .known_events(shop.account.id, vec![(event.key, event.content)])
        .await;
    assert!(matches!(known, Err(Error::EventConflict { .. })));
}

pub(crate) async fn only_so_many_events_of_an_account_are_remembered(store: &dyn Store) {
    let shop = Shop::open(store).await;
    let mut tasks: Vec<_> = (0..3).map(|_| new_task(&shop, "custom.x", 0)).collect();
    for (task, seconds) in tasks.iter_mut().zip([30, 10, 20]) {
        task.created_at = at(seconds);
    }
    store.insert_tasks(tasks.clone()).await.unwrap();
    sweep_all(store, &nothing(), 300).await;
    let two = Retention {
        events_per_account: 2,
        ..for_ever()
    };
    sweep_all(store, &two, 300).await;

    let again = tasks.iter().map(|task| NewTask {
        id: tenterhook_dispatch::TaskId::generate(),
        ..task.clone()
    });
    let known: Vec<_> = store
        .insert_tasks(again.collect())
        .await
        .unwrap()
        .iter()
        .map(|inserted| matches!(inserted, Inserted::Remembered(_)))
        .collect();
    assert_eq!(known, [true, false, true]);
}

pub(crate) async fn a_recipe_that_two_accounts_share_stays_for_the_one_that_needs_it(
    store: &dyn Store,
) {
    let (one, two) = (
        Shop::named(store, "one").await,
        Shop::named(store, "two").await,
    );
    let mut tasks = [new_task(&one, "custom.x", 1), new_task(&two, "custom.x", 1)];
    let shared = Arc::new(Recipe::of(&one.hook, &one.source));
    for task in &mut tasks {
        task.executions[0].recipe = Arc::clone(&shared);
    }
    store.insert_tasks(tasks.to_vec()).await.unwrap();
    end(store, &one, &tasks[0], 10, 20).await;
    sweep_all(store, &nothing(), 300).await;

    let claimed = store
        .claim(
            two.account.id,
            tenterhook_dispatch::NodeId::generate(),
            at(300),
            9,
        )
        .await
        .unwrap();
    assert_eq!(claimed.tasks[0].executions[0].new.recipe.id, shared.id);
    // And comes back for the other when that needs it again.
    let mut again = new_task(&one, "custom.x", 1);
    again.executions[0].recipe = shared;
    store.insert_tasks(vec![again]).await.unwrap();
}
