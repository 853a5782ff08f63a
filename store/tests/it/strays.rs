//! Hooks, overrides and servers of which the account is damaged.

use tenterhook_dispatch::{
    App, AppStore as _, Error, Hook, HookOverride, HookStore as _, Key, OverrideStore as _,
    ServerStore as _, Targets,
};
use tenterhook_engine::AskedLimits;
use tenterhook_sdk::Event;

use crate::damaged::{Damaged, LONG, ruling};
use crate::support::{app, container_hook, hook_override, server};

const WRONG_ACCOUNTS: [&str; 6] = ["x'00ff'", "NULL", "'zap'", "99", "-1", "1.5"];

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_whose_account_is_damaged_denies_the_events_of_the_account_whose_source_it_runs() {
    for wrong in WRONG_ACCOUNTS {
        let mut damaged = Damaged::open().await;
        let other = damaged.other().await;
        damaged
            .loosely(&format!(
                "UPDATE hooks SET account = {wrong} WHERE account = 1"
            ))
            .await;

        let server = damaged.serve().await;

        let own = damaged.shop.account.id;
        assert_eq!(
            ruling(&server, own, "custom.x").await,
            (1, Some(false)),
            "{wrong}"
        );
        assert_eq!(ruling(&server, own, "custom.y").await.0, 0, "{wrong}");
        let others = ruling(&server, other.account.id, "custom.x").await;
        assert_eq!(others, (1, Some(true)), "{wrong}");
        let told = server.stats().unreadable_rows;
        assert!(told.contains(&("hooks", 1)), "{wrong}: {told:?}");
        server.drain(LONG).await;
        let faults = [
            damaged.faults("rows").await,
            damaged.faults("references").await,
        ];
        let names = |fault: &String| fault.contains("`hooks`");
        assert!(faults.iter().flatten().any(names), "{wrong}: {faults:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_with_a_wrong_account_belongs_to_the_one_that_most_references_name() {
    let mut damaged = Damaged::open().await;
    let other = damaged.other().await;
    let (own, other) = (damaged.shop.account.id, other.account.id);
    damaged
        .loosely("UPDATE hooks SET account = 2, number = 7 WHERE account = 1")
        .await;

    let server = damaged.serve().await;

    assert_eq!(ruling(&server, own, "custom.x").await, (1, Some(false)));
    assert_eq!(ruling(&server, other, "custom.x").await, (1, Some(true)));
    assert_eq!(server.hooks().list(other).await.unwrap().len(), 1);
    server.drain(LONG).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_without_any_reference_to_its_account_denies_its_event_in_every_account() {
    let mut damaged = Damaged::open().await;
    let other = damaged.other().await;
    let (own, other) = (damaged.shop.account.id, other.account.id);
    damaged
        .loosely(
            "UPDATE hooks SET account = 'zap', source = zeroblob(16), created_by = zeroblob(16), \
             modified_by = NULL, values_by = NULL WHERE account = 1",
        )
        .await;

    let server = damaged.serve().await;

    assert_eq!(ruling(&server, own, "custom.x").await, (1, Some(false)));
    assert_eq!(ruling(&server, other, "custom.x").await, (2, Some(false)));
    assert_eq!(ruling(&server, other, "custom.y").await.0, 0);
    server.drain(LONG).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_whose_account_is_damaged_leaves_its_hook_where_it_is() {
    let mut damaged = Damaged::open().await;
    let other = damaged.other().await;
    let (own, other) = (damaged.shop.account.id, other.account.id);
    damaged
        .loosely("UPDATE sources SET account = 2, number = 7, name = 'b.sh' WHERE account = 1 AND preloaded = 0")
        .await;

    let server = damaged.serve().await;

    assert_eq!(ruling(&server, own, "custom.x").await, (1, Some(false)));
    assert_eq!(ruling(&server, other, "custom.x").await, (1, Some(true)));
    server.drain(LONG).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_whose_account_is_damaged_is_removed_by_the_account_that_it_is_of() {
    let mut damaged = Damaged::open().await;
    let other = damaged.other().await;
    let (own, other) = (damaged.shop.account.id, other.account.id);
    let id = damaged.shop.hook.id;
    damaged
        .loosely("UPDATE hooks SET account = 'zap' WHERE account = 1")
        .await;
    let server = damaged.serve().await;

    let foreign = server.hooks().delete(other, Key::Id(id)).await;
    assert!(
        matches!(foreign, Err(Error::NotFound { .. })),
        "{foreign:?}"
    );
    server.hooks().delete(own, Key::Id(id)).await.unwrap();

    assert_eq!(ruling(&server, own, "custom.x").await.0, 0);
    server.drain(LONG).await;
    // It is not there any more, and not in another server either.
    assert_eq!(damaged.ruling("custom.x").await.0, 0);
}

/// An account with a managed hook that is off, and an override that turns it on for an app.
async fn switched_on(damaged: &Damaged) -> App {
    let own = damaged.shop.account.id;
    let app = damaged.store.insert_app(own, app("shop")).await.unwrap();
    let hook = Hook {
        enabled: false,
        limits: AskedLimits::default(),
        created_by: damaged.shop.principal.id,
        targets: Targets::Containers {
            app: None,
            criteria: Vec::new(),
        },
        ..container_hook(damaged.shop.source.id, "managed", None)
    };
    let hook = damaged.store.insert_hook(own, hook).await.unwrap();
    let switch = HookOverride {
        enabled: true,
        ..hook_override(app.id, hook.id)
    };
    damaged.store.insert_override(own, switch).await.unwrap();
    app
}

#[tokio::test(flavor = "multi_thread")]
async fn an_override_whose_account_is_damaged_still_turns_its_hook_on() {
    for wrong in WRONG_ACCOUNTS {
        let mut damaged = Damaged::open().await;
        let app = switched_on(&damaged).await;
        damaged
            .loosely(&format!("UPDATE overrides SET account = {wrong}"))
            .await;
        let server = damaged.serve().await;

        let mut event = Event::new(
            uuid::Uuid::new_v4().to_string(),
            "/test",
            "snapshot.pre",
            None,
        );
        event.subject = Some(app.id.to_string());
        let account = damaged.shop.account.id;
        let (_, detail) = server
            .events()
            .accept_and_wait(account, "tester", event, LONG)
            .await
            .unwrap();

        assert!(!detail.executions.is_empty(), "{wrong}: {detail:?}");
        server.drain(LONG).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_account_is_damaged_counts_for_accounts_that_lack_one() {
    let mut damaged = Damaged::open().await;
    let other = damaged.other().await;
    let own = damaged.shop.account.id;
    let one = server("node-1");
    damaged.store.insert_server(own, one).await.unwrap();
    let hook = Hook {
        targets: Targets::All,
        limits: AskedLimits::default(),
        ..damaged.shop.hook.clone()
    };
    damaged.store.update_hook(own, hook).await.unwrap();
    damaged.loosely("UPDATE servers SET account = NULL").await;

    let server = damaged.serve().await;

    assert_eq!(ruling(&server, own, "custom.x").await.1, Some(false));
    let others = ruling(&server, other.account.id, "custom.x").await;
    assert_eq!(others, (1, Some(true)));
    server.drain(LONG).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hooks_of_an_account_whose_row_is_lost_count_for_no_other() {
    for lost in [
        "DELETE FROM accounts WHERE number = 1",
        "UPDATE accounts SET number = 77 WHERE number = 1",
    ] {
        let mut damaged = Damaged::open().await;
        let other = damaged.other().await;
        damaged.loosely(lost).await;

        let server = damaged.serve().await;

        let others = ruling(&server, other.account.id, "custom.x").await;
        assert_eq!(others, (1, Some(true)), "{lost}");
        server.drain(LONG).await;
    }
}
