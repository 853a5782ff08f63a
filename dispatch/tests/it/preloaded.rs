//! The built-in sources of every account.

use tenterhook_dispatch::{
    Account, AccountId, Error, Key, NewHook, NewSource, Noun, Number, PrincipalId, Role, Source,
    SourceChange, SourceId, State, Subject, Targets, Visibility,
};
use tenterhook_engine::Digest;

use crate::support::{Yard, about, stdout};

async fn preloaded(yard: &Yard) -> Vec<Source> {
    let mut sources = yard.dispatcher.sources().list(yard.account).await.unwrap();
    sources.retain(|source| source.preloaded);
    sources
}

#[tokio::test]
async fn built_in_sources_do_not_collide_with_an_accounts_own() {
    let yard = Yard::new().await;
    let own = yard.source("own", "true\n").await;
    assert_eq!(own.number.get(), 1);
    let preloaded = preloaded(&yard).await;
    assert_eq!(preloaded.len(), 8);
    for source in &preloaded {
        assert_eq!(source.id.as_uuid().get_version_num(), 5);
        assert!(source.number.get() > i32::MAX - 100);
        assert_eq!(source.created_by, PrincipalId::SYSTEM);
        assert!(!source.description.is_empty());
    }
    let listed = yard.dispatcher.sources().list(yard.account).await.unwrap();
    assert_eq!(listed[0], own);

    let restarted = yard.restarted().await;
    assert_eq!(
        restarted.sources().list(yard.account).await.unwrap(),
        listed
    );
    let other = yard.dispatcher.accounts().create("other").await.unwrap();
    let theirs = yard.dispatcher.sources().list(other.id).await.unwrap();
    assert!(
        theirs
            .iter()
            .all(|source| preloaded.iter().all(|ours| ours.id != source.id))
    );
    assert_eq!(theirs.len(), 8);
}

#[tokio::test]
async fn built_in_sources_cannot_be_changed() {
    let yard = Yard::new().await;
    let source = preloaded(&yard).await.remove(0);
    for key in [Key::Id(source.id), Key::Number(source.number)] {
        let changed = yard
            .dispatcher
            .sources()
            .change(yard.account, key, SourceChange::default(), None)
            .await;
        assert!(matches!(
            changed,
            Err(Error::ReadOnly {
                what: Noun::Source,
                ..
            })
        ));
        let deleted = yard.dispatcher.sources().delete(yard.account, key).await;
        assert!(matches!(
            deleted,
            Err(Error::ReadOnly {
                what: Noun::Source,
                ..
            })
        ));
    }
    let new = NewSource {
        name: source.name,
        bytes: "true\n".into(),
        kind: None,
        description: String::new(),
        visibility: Visibility::Readable,
        labels: Vec::new(),
        created_by: PrincipalId::SYSTEM,
    };
    let taken = yard
        .dispatcher
        .sources()
        .create(yard.account, new, vec![])
        .await;
    assert!(matches!(
        taken,
        Err(Error::NameTaken {
            what: Noun::Source,
            ..
        })
    ));
}

#[tokio::test]
async fn an_older_account_gets_them_and_keeps_its_own() {
    let yard = Yard::new().await;
    let own = Source {
        id: SourceId::generate(),
        number: Number::UNASSIGNED,
        preloaded: false,
        ..preloaded(&yard).await.remove(0)
    };
    let before = Account {
        id: AccountId::generate(),
        number: Number::UNASSIGNED,
        name: "before".into(),
        ..yard.dispatcher.accounts().get(yard.account).await.unwrap()
    };
    let before = yard.store.insert_account(before).await.unwrap();
    let (_, bytes) = yard
        .dispatcher
        .sources()
        .bytes(
            yard.account,
            Key::Number(Number::new(i32::MAX)),
            Role::Admin,
        )
        .await
        .unwrap();
    let (own, _) = yard
        .store
        .insert_source(before.id, own, bytes, Vec::new())
        .await
        .unwrap();
    let listed = yard.dispatcher.sources().list(before.id).await.unwrap();
    assert_eq!(listed[0], own);
    assert_eq!(listed.iter().filter(|s| s.preloaded).count(), 7);
}

#[tokio::test]
async fn built_in_sources_are_updated_at_the_next_start() {
    let yard = Yard::new().await;
    let current = preloaded(&yard).await.remove(0);
    let old = Source {
        digest: Digest::of(b"exit 1\n"),
        size_bytes: 7,
        ..current.clone()
    };
    yard.store
        .update_source(yard.account, old, Some("exit 1\n".into()), None)
        .await
        .unwrap();
    let restarted = yard.restarted().await;
    let updated = restarted
        .sources()
        .get(yard.account, Key::Id(current.id))
        .await
        .unwrap();
    assert_eq!((updated.digest, updated.revision), (current.digest, 2));
    let (_, bytes) = restarted
        .sources()
        .bytes(yard.account, Key::Id(current.id), Role::Admin)
        .await
        .unwrap();
    assert_eq!(Digest::of(&bytes), current.digest);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_built_in_source_runs_and_names_its_container() {
    let yard = Yard::new().await;
    let app = yard.app("shop", &["mariadb:11"]).await;
    let preloaded = preloaded(&yard).await;
    for source in &preloaded {
        let mut new = NewHook::new(source.id, "snapshot.pre");
        new.name = Some(source.name.clone());
        new.targets = Some(Targets::Containers {
            app: Some(app.id),
            criteria: vec![tenterhook_dispatch::Criterion {
                subject: Subject::PodName,
                value: "^shop-".into(),
            }],
        });
        yard.dispatcher
            .hooks()
            .create(yard.account, new)
            .await
            .unwrap();
    }
    let detail = yard.fire(about("snapshot.pre", "shop")).await;
    let printed: Vec<_> = detail.executions.iter().map(stdout).collect();
    for (execution, printed) in detail.executions.iter().zip(&printed) {
        assert_eq!(execution.state, State::Finished, "{execution:?}");
        let mut lines = printed.lines();
        assert_eq!(
            lines.next(),
            Some("# container main of pod shop-0, namespace prod")
        );
        assert!(lines.next().is_some(), "{printed}");
    }
    for command in [
        "psql -U postgres -p 5432 -v ON_ERROR_STOP=1 -c 'CHECKPOINT'",
        "mariadb -u root -e 'FLUSH TABLES'",
        "mongosh --port 27017 --quiet --eval 'db.fsyncLock()'",
        "redis-cli -p 6379 CLIENT PAUSE 60000 WRITE",
        "redis-cli -p 6379 CLIENT UNPAUSE",
    ] {
        assert!(
            printed.iter().any(|text| text.contains(command)),
            "{command}: {printed:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_argument_cannot_break_out_of_the_command_that_is_printed() {
    let yard = Yard::new().await;
    let preloaded = preloaded(&yard).await;
    for source in preloaded
        .iter()
        .filter(|source| source.name.ends_with("-resume"))
    {
        let mut new = NewHook::new(source.id, "snapshot.post");
        new.args = vec!["# $(x); rm -rf /'".into()];
        yard.dispatcher
            .hooks()
            .create(yard.account, new)
            .await
            .unwrap();
    }
    let detail = yard
        .fire(crate::support::event(
            "snapshot.post",
            serde_json::json!({}),
        ))
        .await;
    assert_eq!(detail.executions.len(), 4);
    for execution in &detail.executions {
        assert!(
            stdout(execution).contains(r"\#\ \$\(x\)\;\ rm\ -rf\ /\'"),
            "{execution:?}"
        );
    }
}

#[tokio::test]
async fn a_built_in_source_keeps_the_identifier_of_an_earlier_version() {
    let yard = Yard::new().await;
    let before = Account {
        id: AccountId::generate(),
        number: Number::UNASSIGNED,
        name: "before".into(),
        ..yard.dispatcher.accounts().get(yard.account).await.unwrap()
    };
    let before = yard.store.insert_account(before).await.unwrap();
    let current = preloaded(&yard).await.remove(0);
    let old = Source {
        id: SourceId::generate(),
        digest: Digest::of(b"exit 1\n"),
        size_bytes: 7,
        ..current.clone()
    };
    let (old, _) = yard
        .store
        .insert_source(before.id, old, "exit 1\n".into(), Vec::new())
        .await
        .unwrap();
    let listed = yard.dispatcher.sources().list(before.id).await.unwrap();
    let found = listed.iter().find(|own| own.name == old.name).unwrap();
    assert_eq!(
        (found.id, found.number, found.digest),
        (old.id, old.number, current.digest)
    );
    assert_eq!(listed.len(), 8);
}
