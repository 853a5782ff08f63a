//! Compiled code goes with the sources that it was made of, and not before.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tenterhook_dispatch::{
    AccountId, Dispatcher, Error, Key, NewHook, NewSource, PrincipalId, Source, SourceChange,
    Visibility,
};
use tenterhook_engine::{CodeCache, Engine, Kind, Settings};
use tenterhook_ledger::{Capacities, Capacity, Ledger, Resource};

use crate::support::{Yard, event, settings};

/// An engine that keeps code in this folder.
fn engine(folder: &Path) -> Engine {
    Engine::start(Settings {
        cache: Some(CodeCache {
            folder: folder.join("code"),
            key: folder.join("code.key"),
            bytes: 1 << 30,
        }),
        sandboxes: 80,
        ..Settings::default()
    })
    .unwrap()
}

fn files(folder: &TempDir) -> Vec<PathBuf> {
    let entries = folder.path().join("code").read_dir().unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// A module that does nothing; each number makes another one.
fn module(number: u8) -> Vec<u8> {
    let start = b"_start";
    let mut bytes = b"\0asm\x01\0\0\0".to_vec();
    for (section, body) in [
        (1, &[1, 0x60, 0, 0][..]),
        (3, &[1, 0]),
        (7, &[&[1, 6], &start[..], &[0, 0]].concat()),
        (10, &[1, 2, 0, 0x0b]),
        (0, &[1, b'n', number]),
    ] {
        bytes.push(section);
        bytes.push(u8::try_from(body.len()).unwrap());
        bytes.extend_from_slice(body);
    }
    bytes
}

fn new(number: u8) -> NewSource {
    NewSource {
        name: format!("module-{number}"),
        bytes: module(number).into(),
        kind: Some(Kind::Module),
        description: String::new(),
        visibility: Visibility::Readable,
        labels: Vec::new(),
        created_by: PrincipalId::SYSTEM,
    }
}

async fn upload(dispatcher: &Dispatcher, account: AccountId, number: u8) -> Source {
    let made = dispatcher
        .sources()
        .create(account, new(number), Vec::new())
        .await;
    made.unwrap().0
}

async fn delete(yard: &Yard, account: AccountId, source: &Source) {
    let key = Key::Id(source.id);
    yard.dispatcher
        .sources()
        .delete(account, key)
        .await
        .unwrap();
}

#[tokio::test]
async fn eighteen_uploads_that_are_deleted_again_leave_no_code() {
    let folder = tempfile::tempdir().unwrap();
    let yard = Yard::on(engine(folder.path()), settings()).await;
    for number in 0..18 {
        let source = upload(&yard.dispatcher, yard.account, number).await;
        assert_eq!(files(&folder).len(), 1);
        delete(&yard, yard.account, &source).await;
        assert_eq!(files(&folder).len(), 0, "after {number}");
    }
}

#[tokio::test]
async fn a_source_that_is_replaced_leaves_the_code_of_its_new_bytes_alone() {
    let folder = tempfile::tempdir().unwrap();
    let yard = Yard::on(engine(folder.path()), settings()).await;
    let source = upload(&yard.dispatcher, yard.account, 1).await;
    let first = files(&folder);
    let change = |number| SourceChange {
        bytes: Some(module(number).into()),
        ..SourceChange::default()
    };
    let replace = async |number| {
        let key = Key::Id(source.id);
        let changed = yard
            .dispatcher
            .sources()
            .change(yard.account, key, change(number), None);
        changed.await.unwrap();
        files(&folder)
    };
    let second = replace(2).await;
    assert_eq!(second.len(), 1);
    assert_ne!(second, first);
    assert_eq!(replace(2).await, second);
}

#[tokio::test]
async fn code_stays_as_long_as_a_source_of_any_account_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let yard = Yard::on(engine(folder.path()), settings()).await;
    let other = yard.dispatcher.accounts().create("other").await.unwrap().id;
    let sources = [
        upload(&yard.dispatcher, yard.account, 1).await,
        upload(&yard.dispatcher, other, 1).await,
    ];
    let kept = files(&folder);
    delete(&yard, yard.account, &sources[0]).await;
    assert_eq!(files(&folder), kept);
    let hook = NewHook::new(sources[1].id, "custom.x");
    let hook = yard.dispatcher.hooks().create(other, hook).await.unwrap();
    let fired = yard.dispatcher.events().accept_and_wait(
        other,
        "tester",
        event("custom.x", serde_json::json!({})),
        crate::support::LONG,
    );
    assert!(fired.await.unwrap().1.task.state.is_over());
    yard.dispatcher
        .hooks()
        .delete(other, Key::Id(hook.id))
        .await
        .unwrap();
    delete(&yard, other, &sources[1]).await;
    assert_eq!(files(&folder), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn code_without_a_program_is_removed_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let yard = Yard::on(engine(folder.path()), settings()).await;
    upload(&yard.dispatcher, yard.account, 1).await;
    let wanted = files(&folder);
    // Of a program that no store knows, as after a crash between two steps.
    let orphan = engine(folder.path()).load(Kind::Module, &module(2)).await;
    drop(orphan.unwrap());
    assert_eq!(files(&folder).len(), 2);
    let store = Arc::clone(&yard.store);
    let _again = Dispatcher::start(store, engine(folder.path()), settings())
        .await
        .unwrap();
    assert_eq!(files(&folder), wanted);
}

#[tokio::test]
async fn programs_of_one_account_that_wait_for_the_compiler_leave_places_to_others() {
    let places = Capacity::of(8).with_floor(1);
    let ledger = Ledger::new(Capacities::default().with(Resource::Uploads, places));
    let engine = Engine::start(Settings {
        compiler: Some(vec!["/bin/sleep".into(), "1000".into()]),
        sandboxes: 80,
        ledger: ledger.clone(),
        ..Settings::default()
    });
    let yard = Yard::on(engine.unwrap(), settings()).await;
    let holder = yard.account.holder();
    let mut waiting = Vec::new();
    for number in 0.. {
        if ledger.room(holder, Resource::Uploads) == 0 {
            break;
        }
        let held = ledger.held(holder, Resource::Uploads);
        let (dispatcher, account) = (yard.dispatcher.clone(), yard.account);
        waiting.push(tokio::spawn(async move {
            upload(&dispatcher, account, number).await
        }));
        while ledger.held(holder, Resource::Uploads) == held {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(waiting.len(), 4);
    let one_more = yard
        .dispatcher
        .sources()
        .create(yard.account, new(9), Vec::new());
    let error = one_more.await.unwrap_err();
    assert!(matches!(error, Error::Busy { .. }), "{error}");
    let other = yard.dispatcher.accounts().create("other").await.unwrap().id;
    assert!(ledger.room(other.holder(), Resource::Uploads) > 0);
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn an_upload_that_is_not_compiled_in_time_is_told_to_retry() {
    let engine = Engine::start(Settings {
        compiler: Some(vec!["/bin/sleep".into(), "1000".into()]),
        sandboxes: 80,
        ..Settings::default()
    });
    let settings = tenterhook_dispatch::Settings {
        upload_wait: std::time::Duration::from_millis(20),
        ..settings()
    };
    let yard = Yard::on(engine.unwrap(), settings).await;
    let made = yard
        .dispatcher
        .sources()
        .create(yard.account, new(1), Vec::new());
    let error = made.await.unwrap_err();
    assert!(matches!(error, Error::Busy { .. }), "{error}");
    assert_eq!(yard.uploaded().await, []);
}
