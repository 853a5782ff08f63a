//! A database that an older version has left behind is taken over with all it holds.

use std::path::Path;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, SqlSafeStr as _};
use tenterhook_dispatch::{
    AccountId, AccountStore as _, ClaimStore as _, Error, ExecutionFilter, ExecutionId,
    ExecutionStore as _, HookId, HookStore as _, IdentityStore as _, Key, NodeId, Number, Outputs,
    Page, PrincipalId, RetentionStore as _, Role, SecretHash, ServerStore as _, SourceId,
    SourceStore as _, Targets, TaskId, TaskStore as _, TokenKind, Visibility,
};
use tenterhook_engine::Digest;
use tenterhook_store::Sqlite;
use uuid::Uuid;

use crate::support::{at, container_hook, source};

/// The schema as it was before there were principals, and rows in it.
const BEFORE: [(i64, &str, &str); 2] = [
    (
        1,
        "nouns",
        include_str!("../../../migrations/sqlite/0001_nouns.sql"),
    ),
    (
        2,
        "work",
        include_str!("../../../migrations/sqlite/0002_work.sql"),
    ),
];
const ROWS: &str = include_str!("../fixtures/before_tenancy.sql");

/// The identifier that ends so in the rows.
fn id(last: u128) -> Uuid {
    Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_0000 | last)
}

fn acme() -> AccountId {
    AccountId::from_uuid(id(1))
}

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .connect()
        .await
        .unwrap()
}

/// A store on a database that was made before.
async fn taken_over() -> (tempfile::TempDir, Sqlite) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let mut conn = connect(&path).await;
    let migrations = BEFORE.map(|(version, name, sql)| {
        Migration::new(
            version,
            name.into(),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    });
    Migrator::with_migrations(migrations.into())
        .run(&mut conn)
        .await
        .unwrap();
    sqlx::raw_sql(ROWS).execute(&mut conn).await.unwrap();
    drop(conn);
    let store = Sqlite::open(&path).await.unwrap();
    (folder, store)
}

#[tokio::test]
async fn no_reference_dangles_and_the_file_is_intact() {
    let (folder, _store) = taken_over().await;
    let mut conn = connect(&folder.path().join("test.db")).await;
    let broken = sqlx::query("PRAGMA foreign_key_check")
        .fetch_all(&mut conn)
        .await
        .unwrap();
    assert!(broken.is_empty());
    let shape: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_all(&mut conn)
        .await
        .unwrap();
    assert_eq!(shape, ["ok"]);
}

#[tokio::test]
async fn what_accounts_have_on_the_disk_is_counted_and_the_file_can_give_space_back() {
    let (folder, store) = taken_over().await;
    let path = folder.path().join("test.db");
    let checked = tenterhook_store::check(&path).await.unwrap();
    let faults: Vec<_> = checked
        .into_iter()
        .filter(|checked| checked.name != "programs")
        .flat_map(|checked| checked.faults)
        .collect();
    assert_eq!(faults, [""; 0]);
    let usage = store.disk_usage().await.unwrap();
    assert!(usage.iter().all(|(_, bytes)| *bytes > 0), "{usage:?}");
    let mode: i64 = sqlx::query_scalar("PRAGMA auto_vacuum")
        .fetch_one(&mut connect(&path).await)
        .await
        .unwrap();
    assert_eq!(mode, 2);
    let names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_str().unwrap().contains("compact"))
        .collect();
    assert!(names.is_empty());
}

#[tokio::test]
async fn accounts_keep_their_numbers_and_may_use_hooks() {
    let (_folder, store) = taken_over().await;
    let accounts = store.accounts().await.unwrap();
    let told: Vec<_> = accounts
        .iter()
        .map(|account| {
            (
                account.number.get(),
                account.name.as_str(),
                account.app_hooks.is_on(),
            )
        })
        .collect();
    assert_eq!(told, [(1, "acme", true), (2, "other", true)]);
    assert_eq!(accounts[0].id, acme());
}

#[tokio::test]
async fn every_name_of_a_token_has_become_a_principal() {
    let (_folder, store) = taken_over().await;
    let principals = store.principals(acme()).await.unwrap();
    let told: Vec<_> = principals
        .iter()
        .map(|principal| {
            (
                principal.name.as_str(),
                principal.role,
                principal.created_at,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("ci", Role::Member, at(10)),
            ("bob", Role::Owner, at(12)),
            ("eve", Role::Admin, at(13)),
        ]
    );
    for principal in &principals {
        let id = principal.id.as_uuid();
        assert_eq!(
            (id.get_version_num(), id.get_variant()),
            (4, uuid::Variant::RFC4122)
        );
    }

    let tokens = store.tokens(acme()).await.unwrap();
    let ids: Vec<_> = tokens.iter().map(|token| token.id.as_uuid()).collect();
    // Of a login nothing says which token it was made with: all have ended.
    assert_eq!(ids, [id(0x11), id(0x13)]);
    for token in &tokens {
        let whose = principals
            .iter()
            .find(|principal| principal.id == token.principal)
            .unwrap();
        assert_eq!(whose.name, token.name);
    }
    let session = store.token(SecretHash::from_bytes([0x12; 32])).await;
    assert_eq!(session.unwrap(), None);
    let (issued, whose) = store
        .token(SecretHash::from_bytes([0x11; 32]))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((&issued, &whose), (&tokens[0], &principals[0]));
    assert_eq!(
        (issued.kind, issued.role, issued.parent),
        (TokenKind::Issued, Role::Member, None)
    );
    assert_eq!(tokens[0].used_at, Some(at(19)));

    // The same name in another account is another principal.
    let (_, other) = store
        .token(SecretHash::from_bytes([0x16; 32]))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((other.name.as_str(), other.role), ("ci", Role::Admin));
    assert_ne!(other.id, principals[0].id);

    assert!(store.delete_principal(acme(), whose.id).await.unwrap());
    assert_eq!(store.tokens(acme()).await.unwrap(), tokens[1..]);
}

#[tokio::test]
async fn sources_have_their_checksums_once_the_store_is_open() {
    let (folder, store) = taken_over().await;
    let sources = store.sources(acme()).await.unwrap();
    assert_eq!(sources.len(), 2);
    for source in &sources {
        assert_eq!(source.checksum, "a3bae7e442bc3e8db3f2c99d87c4623c");
        assert!(
            source.visibility == Visibility::Readable
                && !source.preloaded
                && source.labels.is_empty()
        );
        assert_eq!(
            (source.created_by, source.modified_by),
            (PrincipalId::SYSTEM, None)
        );
    }
    assert_eq!(sources[0].id, SourceId::from_uuid(id(0x31)));
    assert_eq!(
        (
            sources[0].number.get(),
            sources[0].revision,
            sources[0].digest
        ),
        (8, 3, Digest::from_bytes([0xab; 32]))
    );
    assert_eq!(
        (sources[0].description.as_str(), sources[0].modified_at),
        ("says hi", at(31))
    );
    assert_eq!(
        store.program(sources[0].digest).await.unwrap().unwrap(),
        "echo hi\n"
    );
    let other = store.accounts().await.unwrap()[1].id;
    let others = store.sources(other).await.unwrap();
    assert_eq!(others.len(), 100);
    assert_eq!(others[76].checksum, "e45cce9026b0b48c5a6668eecd0d3a5b");

    // They are kept, not made again.
    let mut conn = connect(&folder.path().join("test.db")).await;
    let missing: i64 = sqlx::query_scalar("SELECT count(*) FROM sources WHERE base64_md5 IS NULL")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    assert_eq!(missing, 0);
}

#[tokio::test]
async fn hooks_servers_and_their_numbering_continue() {
    let (_folder, store) = taken_over().await;
    let hooks = store.hooks(acme()).await.unwrap();
    let told: Vec<_> = hooks
        .iter()
        .map(|hook| {
            (
                hook.number.get(),
                hook.event.as_str(),
                hook.targets.clone(),
                hook.enabled,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (6, "custom.x", Targets::These(vec![Number::new(2)]), true),
            (7, "snapshot.pre", Targets::Once, false),
            (8, "custom.y", Targets::All, true),
        ]
    );
    for hook in &hooks {
        assert_eq!((hook.limits.fuel, hook.retry.attempts), (Some(7), 4));
        assert!(hook.name.is_none() && hook.description.is_empty());
        assert!(!hook.managed && hook.labels.is_empty());
        assert_eq!(
            (hook.created_by, hook.modified_by),
            (PrincipalId::SYSTEM, None)
        );
    }
    assert_eq!(hooks[0].id, HookId::from_uuid(id(0x41)));
    assert_eq!(
        (hooks[0].order, hooks[0].args.as_slice()),
        (-3, &["a b".to_owned()][..])
    );
    assert_eq!(hooks[0].env["A"], "1");
    assert_eq!(
        (hooks[0].created_at, hooks[0].modified_at),
        (at(40), at(41))
    );
    let servers = store.servers(acme()).await.unwrap();
    assert_eq!(
        (servers[0].number.get(), servers[0].name.as_str()),
        (2, "node-2")
    );

    // References hold as before, and as they now can.
    let used = store.delete_source(acme(), hooks[0].source).await;
    assert!(matches!(used, Err(Error::InUse { by, .. }) if by.len() == 2));
    let lost = container_hook(source("nowhere").id, "new", None);
    let lost = store.insert_hook(acme(), lost).await;
    assert!(matches!(lost, Err(Error::NotFound { .. })));
    let new = container_hook(hooks[0].source, "new", None);
    let new = store.insert_hook(acme(), new).await.unwrap();
    assert_eq!(new.number.get(), 9);
}

#[tokio::test]
async fn tasks_and_executions_are_read_and_what_waits_is_claimed() {
    let (_folder, store) = taken_over().await;
    for (last, number) in [(0x61, 40), (0x62, 41)] {
        let task = store
            .task(acme(), Key::Number(Number::new(number)))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(task.id, TaskId::from_uuid(id(last)));
    }
    let listed = store
        .executions(
            acme(),
            &ExecutionFilter::default(),
            Page::first(9),
            Outputs::Omit,
        )
        .await
        .unwrap();
    assert_eq!(listed.len(), 2);
    let ended = store
        .execution(acme(), ExecutionId::from_uuid(id(0x71)))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(ended.latest.output.stdout, "hi");
    assert_eq!(
        (ended.container, ended.latest.ended_at),
        (None, Some(at(52)))
    );

    let claimed = store
        .claim(acme(), NodeId::generate(), at(60), 9)
        .await
        .unwrap()
        .tasks;
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].executions[0].new.container, None);
    assert_eq!(
        claimed[0].executions[0].new.recipe.content.retry.attempts,
        4
    );
}

#[tokio::test]
async fn a_migrated_database_is_opened_again_unchanged() {
    let (folder, store) = taken_over().await;
    let again = Sqlite::open(&folder.path().join("test.db")).await.unwrap();
    assert_eq!(
        again.principals(acme()).await.unwrap(),
        store.principals(acme()).await.unwrap()
    );
    assert_eq!(
        again.sources(acme()).await.unwrap(),
        store.sources(acme()).await.unwrap()
    );
}
