//! Plug-ins, hooks and projects that stop a session, and how it goes on.

use tenterhook_maintenance::Settings;
use tenterhook_session::{ActionType, NewPlan, Reply, State, Timeouts};
use tenterhook_tests_artifacts as artifacts;
use time::Duration;
use uuid::Uuid;

use crate::support::{Looks, Yard, ack, action, plan};

/// A plan with this plug-in for each host.
fn with_plugin(plugin: &str) -> NewPlan {
    NewPlan {
        actions: vec![action(plugin, ActionType::Host)],
        ..plan()
    }
}

/// A yard with one empty host and a plug-in.
async fn one_host(plugin: impl Into<Vec<u8>>) -> Yard {
    let yard = Yard::new().await;
    yard.host("node-1").await;
    yard.source("fw", plugin).await;
    yard
}

/// Why the session failed in `START_MAINTENANCE`, or where it does.
async fn reason(yard: &Yard, id: Uuid) -> String {
    let stored = yard.until(id, State::MaintenanceFailed).await;
    stored.session.failure().unwrap().reason.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plug_in_that_fails_fails_the_session_and_runs_again_when_resumed() {
    let script = "[ \"$HOOK_PARAM_ATTEMPT\" = 3 ] && exit 0\n\
                  echo \"no firmware for $HOOK_PARAM_HOST\" >&2\nexit 3\n";
    let yard = one_host(script).await;
    let id = yard.begin(with_plugin("fw")).await;

    let told = reason(&yard, id).await;
    for part in ["`fw`", "`node-1`", "status 3", "no firmware for node-1"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    yard.maintenance
        .resume(yard.account, id, None)
        .await
        .unwrap();
    // It fails once more; only then does it go well.
    let mut looks = Looks::default();
    loop {
        let failed = yard
            .steps(id)
            .await
            .iter()
            .filter(|step| !step.ok && step.what == "action")
            .count();
        if failed == 2 {
            break;
        }
        looks.rest().await;
    }
    yard.until(id, State::MaintenanceFailed).await;
    yard.maintenance
        .resume(yard.account, id, None)
        .await
        .unwrap();
    let stored = yard.until(id, State::MaintenanceDone).await;
    assert_eq!(stored.session.failure(), None);

    let steps = yard.steps(id).await;
    let ran: Vec<_> = steps.iter().filter(|step| step.what == "action").collect();
    assert_eq!(
        ran.iter().map(|step| step.ok).collect::<Vec<_>>(),
        [false, false, true]
    );
    assert!(ran[0].remedy.is_some());
    let task = yard.task(ran[0].task.unwrap()).await;
    assert_eq!(task.executions[0].name, "fw");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plug_in_that_traps_or_reaches_a_limit_is_reported() {
    for (guest, said) in [
        (artifacts::LIMITS_PANIC, "trapped"),
        (
            artifacts::LIMITS_SPIN_FOREVER,
            "was stopped at its fuel limit",
        ),
        (
            artifacts::LIMITS_MEMORY_BOMB,
            "was stopped at its memory limit",
        ),
    ] {
        let yard = one_host(std::fs::read(guest).unwrap()).await;
        let id = yard.begin(with_plugin("fw")).await;
        let told = reason(&yard, id).await;
        assert!(told.contains(said), "{said}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plug_in_may_report_that_it_failed() {
    let yard = one_host("echo '{\"state\": \"FW_FAILED\"}'\n").await;
    let id = yard.begin(with_plugin("fw")).await;
    assert!(reason(&yard, id).await.contains("FW_FAILED"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_plug_in_fails_the_session_with_a_reason() {
    let yard = one_host("true\n").await;
    let mut later = with_plugin("fw");
    later.maintenance_at = "2099-01-02 03:04:05".into();
    let id = yard.begin(later.clone()).await;
    yard.maintenance.delete(yard.account, id).await.unwrap();
    // The plan is checked when it is made; then the plug-in goes.
    yard.hook(yard.account, "session.START_MAINTENANCE", "true\n")
        .await;
    yard.instance("vm", "node-1", "blue").await;
    yard.host("node-2").await;
    let id = yard.begin(with_plugin("fw")).await;
    let source = yard
        .dispatcher
        .sources()
        .list(yard.account)
        .await
        .unwrap()
        .into_iter()
        .find(|source| source.name == "fw")
        .unwrap();
    yard.dispatcher
        .sources()
        .delete(yard.account, tenterhook_dispatch::Key::Id(source.id))
        .await
        .unwrap();
    assert_eq!(yard.play(id).await, State::MaintenanceFailed);
    let told = reason(&yard, id).await;
    assert!(
        told.contains("is no longer a source of the account"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_on_a_state_may_deny_it() {
    let yard = Yard::new().await;
    yard.host("node-1").await;
    let deny = "[ \"$HOOK_PARAM_PERCENT_DONE\" = 0 ] || exit 0\n\
                echo '{\"allow\": false, \"reason\": \"change freeze\"}' > /verdict.json\n";
    yard.hook(yard.account, "session.START_MAINTENANCE", deny)
        .await;
    let id = yard.begin(plan()).await;
    let told = reason(&yard, id).await;
    assert!(told.contains("change freeze"), "{told}");
    assert!(told.contains("session.START_MAINTENANCE"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_fails_the_session_at_once_and_it_is_asked_again_when_resumed() {
    let yard = Yard::new().await;
    yard.host("node-1").await;
    yard.host("node-2").await;
    yard.instance("vm", "node-1", "blue").await;
    let id = yard.begin(plan()).await;
    let asked = |yard: &Yard| {
        let (maintenance, account) = (yard.maintenance.clone(), yard.account);
        async move {
            let session = maintenance.session(account, id).await.unwrap().session;
            let blue = session.projects().get("blue");
            blue.and_then(|blue| blue.state.clone())
        }
    };
    let mut looks = Looks::default();
    while asked(&yard).await.as_deref() != Some("MAINTENANCE") {
        looks.rest().await;
    }
    let refusal = Reply {
        agreed: false,
        ..ack(State::Maintenance, &[])
    };
    yard.maintenance
        .reply(yard.account, id, "blue", refusal)
        .await
        .unwrap();
    let told = reason(&yard, id).await;
    assert!(
        told.contains("blue") && told.contains("NACK_MAINTENANCE"),
        "{told}"
    );

    yard.maintenance
        .resume(yard.account, id, None)
        .await
        .unwrap();
    assert_eq!(yard.play(id).await, State::MaintenanceDone);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_does_not_reply_in_time_fails_the_session() {
    let settings = Settings {
        timeouts: Timeouts {
            reply: Duration::milliseconds(300),
            ..Timeouts::default()
        },
        ..Settings::default()
    };
    let yard = Yard::with(settings).await;
    yard.host("node-1").await;
    yard.instance("vm", "node-1", "blue").await;
    let id = yard.begin(plan()).await;
    let told = reason(&yard, id).await;
    assert!(
        told.contains("blue") && told.contains("did not answer"),
        "{told}"
    );
    let steps = yard.steps(id).await;
    let notices = steps.iter().filter(|step| step.what == "notify").count();
    assert!(notices >= 1, "{steps:#?}");
}
