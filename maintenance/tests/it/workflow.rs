//! A tenant's own workflow decides, inside the sandbox.

use tenterhook_session::{NewPlan, State};

use crate::support::{Yard, plan};

fn mine() -> NewPlan {
    NewPlan {
        workflow: "mine".into(),
        ..plan()
    }
}

async fn yard(script: &str) -> Yard {
    let yard = Yard::new().await;
    yard.host("node-1").await;
    yard.source("mine", script).await;
    yard
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_decides_from_its_input() {
    let script = "cat > /tmp/told\n\
                  grep -q '\"session_id\"' /tmp/told || exit 1\n\
                  echo deciding\n\
                  echo \"{\\\"next\\\": \\\"$HOOK_PARAM_PROPOSED\\\", \\\"reason\\\": \\\"as proposed\\\"}\"\n";
    let yard = yard(script).await;
    let id = yard.begin(mine()).await;
    yard.until(id, State::MaintenanceDone).await;
    let steps = yard.steps(id).await;
    let decided: Vec<_> = steps.iter().filter(|step| step.what == "decide").collect();
    assert_eq!(decided.len(), 3, "{steps:#?}");
    assert!(
        decided
            .iter()
            .all(|step| step.result.contains("as proposed"))
    );
    assert!(decided.iter().all(|step| step.task.is_some()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_may_answer_by_its_verdict() {
    let script = "echo \"{\\\"next\\\": \\\"$HOOK_PARAM_PROPOSED\\\"}\" > /verdict.json\n";
    let yard = yard(script).await;
    let id = yard.begin(mine()).await;
    yard.until(id, State::MaintenanceDone).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transition_outside_the_table_is_not_taken() {
    for (script, said) in [
        (
            "echo '{\"next\": \"MAINTENANCE_DONE\"}'\n",
            "MAINTENANCE_DONE",
        ),
        ("echo '{\"next\": \"NOWHERE\"}'\n", "NOWHERE"),
        ("echo later\n", "did not say where to go"),
        ("exit 7\n", "status 7"),
        (
            "echo '{\"next\": \"MAINTENANCE_FAILED\", \"reason\": \"no spare parts\"}'\n",
            "no spare parts",
        ),
    ] {
        let yard = yard(script).await;
        let id = yard.begin(mine()).await;
        let stored = yard.until(id, State::MaintenanceFailed).await;
        let failure = stored.session.failure().unwrap();
        assert_eq!(failure.state, State::Maintenance);
        assert!(failure.reason.contains(said), "{said}: {}", failure.reason);
    }
}
