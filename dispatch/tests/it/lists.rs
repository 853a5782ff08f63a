//! Finding some of an account's sources and hooks.

use std::ops::Bound;

use tenterhook_dispatch::{AppId, Error, Hook, Key, Lookup, Noun, Source};

use crate::support::Yard;

fn names(sources: &[Source]) -> Vec<&str> {
    sources.iter().map(|source| source.name.as_str()).collect()
}

fn hook_names(hooks: &[Hook]) -> Vec<&str> {
    hooks
        .iter()
        .filter_map(|hook| hook.name.as_deref())
        .collect()
}

#[tokio::test]
async fn sources_are_found_by_id_name_and_time_oldest_first() {
    let yard = Yard::new().await;
    let mut made = Vec::new();
    for name in ["c", "a", "b"] {
        made.push(yard.source(name, "true\n").await);
    }
    let find = async |lookup: Lookup, limit: Option<usize>| {
        let found = yard
            .dispatcher
            .sources()
            .find(yard.account, &lookup, limit, |source| !source.preloaded)
            .await;
        found.unwrap()
    };
    assert_eq!(names(&find(Lookup::All, None).await), ["c", "a", "b"]);
    assert_eq!(names(&find(Lookup::All, Some(2)).await), ["c", "a"]);
    let wanted = ["b", "c", "none", "b"].map(String::from);
    assert_eq!(
        names(&find(Lookup::Names(wanted.into()), None).await),
        ["c", "b"]
    );
    let ids = vec![
        made[2].id.as_uuid(),
        made[1].id.as_uuid(),
        uuid::Uuid::nil(),
    ];
    assert_eq!(names(&find(Lookup::Ids(ids), Some(1)).await), ["a"]);
    let range = Lookup::NameRange(Bound::Excluded("a".into()), Bound::Excluded("c".into()));
    assert_eq!(names(&find(range, None).await), ["b"]);
    let since = Lookup::CreatedRange(Bound::Included(made[1].created_at), Bound::Unbounded);
    assert_eq!(names(&find(since, None).await), ["a", "b"]);
    let backwards = Lookup::CreatedRange(
        Bound::Included(made[2].created_at),
        Bound::Excluded(made[0].created_at),
    );
    assert_eq!(find(backwards, None).await, []);

    yard.dispatcher
        .sources()
        .delete(yard.account, Key::Id(made[1].id))
        .await
        .unwrap();
    assert_eq!(names(&find(Lookup::All, None).await), ["c", "b"]);
}

#[tokio::test]
async fn hooks_are_found_by_app_and_name() {
    let yard = Yard::new().await;
    let one = yard.app("one", &[]).await;
    let two = yard.app("two", &[]).await;
    for (name, app) in [("b", &one), ("a", &two), ("c", &one)] {
        yard.container_hook(name, "snapshot.pre", "true\n", Some(app), &[])
            .await;
    }
    let unnamed = yard.hook("OnAudit", "true\n").await;
    let find = async |app: Option<AppId>, lookup: Lookup| {
        let found = yard
            .dispatcher
            .hooks()
            .find(yard.account, app, &lookup, None, |_| true)
            .await;
        found.unwrap()
    };
    let all = find(None, Lookup::All).await;
    assert_eq!((hook_names(&all).len(), all.last()), (3, Some(&unnamed)));
    assert_eq!(
        hook_names(&find(Some(one.id), Lookup::All).await),
        ["b", "c"]
    );
    let from = Lookup::CreatedRange(Bound::Excluded(all[0].created_at), Bound::Unbounded);
    assert_eq!(hook_names(&find(Some(one.id), from).await), ["c"]);
    let wanted = || Lookup::Names(vec!["a".into(), "b".into()]);
    assert_eq!(hook_names(&find(None, wanted()).await), ["b", "a"]);
    assert_eq!(hook_names(&find(Some(two.id), wanted()).await), ["a"]);
    let unknown = yard
        .dispatcher
        .hooks()
        .find(
            yard.account,
            Some(AppId::generate()),
            &Lookup::All,
            None,
            |_| true,
        )
        .await;
    assert!(matches!(
        unknown,
        Err(Error::NotFound {
            what: Noun::App,
            ..
        })
    ));
}
