//! What a session may be asked to do.

use proptest::prelude::*;
use tenterhook_session::{ActionType, InvalidField, Metadata, NewPlan, Plan, State, Workflow};
use time::macros::datetime;

use crate::world::{action, plan};

fn invalid(change: impl FnOnce(&mut NewPlan)) -> InvalidField {
    checked(change).unwrap_err()
}

fn checked(change: impl FnOnce(&mut NewPlan)) -> Result<Plan, InvalidField> {
    let mut new = plan("default");
    change(&mut new);
    new.check()
}

#[test]
fn times_are_read_in_both_spellings_and_no_other() {
    for time in ["2031-05-06 07:08:09", "2031-05-06T07:08:09"] {
        let plan = checked(|new| new.maintenance_at = time.to_owned()).unwrap();
        assert_eq!(plan.maintenance_at, datetime!(2031-05-06 07:08:09 UTC));
    }
    for time in [
        "",
        "now",
        "2031-05-06",
        "2031-02-30 07:08:09",
        "2031-05-06 24:00:00",
        "2031-05-06 07:08:60",
        "2031-05-06 07:08:09Z",
        "2031-05-06  07:08:09",
        " 2031-05-06 07:08:09",
        "31-05-06 07:08:09",
        "-031-05-06 07:08:09",
        "+22031-05-06 07:08:09",
    ] {
        let invalid = invalid(|new| new.maintenance_at = time.to_owned());
        assert_eq!(invalid.field, "maintenance_at", "{time}");
        assert!(invalid.reason.contains("YYYY-MM-DD HH:MM:SS"));
    }
}

#[test]
fn any_state_but_the_last_two_may_be_the_first() {
    for state in State::ALL {
        let plan = checked(|new| new.state = state.to_string());
        assert_eq!(plan.is_ok(), !state.is_over(), "{state}");
    }
    assert_eq!(
        invalid(|new| new.state = "maintenance".to_owned()).field,
        "state"
    );
    assert_eq!(invalid(|new| new.state = String::new()).field, "state");
}

#[test]
fn a_workflow_is_built_in_or_a_source() {
    for (text, meant) in [
        ("default", Workflow::Default),
        ("vnf", Workflow::Vnf),
        ("Default", Workflow::Source("Default".to_owned())),
    ] {
        let plan = checked(|new| new.workflow = text.to_owned()).unwrap();
        assert_eq!(plan.workflow, meant);
    }
    assert_eq!(
        invalid(|new| new.workflow = String::new()).field,
        "workflow"
    );
}

#[test]
fn a_host_that_is_named_twice_is_taken_once() {
    let hosts = ["b", "a", "b"].map(str::to_owned).to_vec();
    let plan = checked(|new| new.hosts = hosts).unwrap();
    assert_eq!(plan.hosts, ["b", "a"]);
}

#[test]
fn actions_are_sorted_by_name_within_their_type() {
    let plan = checked(|new| {
        new.actions = vec![
            action("b", ActionType::Host),
            action("z", ActionType::Pre),
            action("a", ActionType::Host),
        ];
    });
    let names: Vec<_> = plan
        .unwrap()
        .actions
        .into_iter()
        .map(|action| action.plugin)
        .collect();
    assert_eq!(names, ["z", "a", "b"]);
}

#[test]
fn everything_has_a_maximum_size() {
    let name = |length| "é".repeat(length);
    assert!(checked(|new| new.hosts = vec![name(255)]).is_ok());
    assert_eq!(invalid(|new| new.hosts = vec![name(256)]).field, "hosts[0]");
    assert_eq!(
        invalid(|new| new.hosts = vec![name(1), name(0)]).field,
        "hosts[1]"
    );
    assert_eq!(
        invalid(|new| new.hosts = vec!["a\nb".to_owned()]).field,
        "hosts[0]"
    );
    let hosts = |count| (0..count).map(|at: usize| at.to_string()).collect();
    assert!(checked(|new| new.hosts = hosts(1_000)).is_ok());
    assert_eq!(invalid(|new| new.hosts = hosts(1_001)).field, "hosts");

    let actions = |count| vec![action("a", ActionType::Host); count];
    assert!(checked(|new| new.actions = actions(100)).is_ok());
    assert_eq!(invalid(|new| new.actions = actions(101)).field, "actions");
    let bad = action("a\0", ActionType::Host);
    let found = invalid(|new| new.actions = vec![action("a", ActionType::Pre), bad]);
    assert_eq!(found.field, "actions[1].plugin");

    let metadata = |bytes: usize| -> Metadata {
        let text = "x".repeat(bytes - r#"{"a":""}"#.len());
        format!(r#"{{"a":"{text}"}}"#).parse().unwrap()
    };
    let (most, more) = (64 * 1_024, 64 * 1_024 + 1);
    assert!(checked(|new| new.metadata = metadata(most)).is_ok());
    let found = invalid(|new| new.metadata = metadata(more));
    assert_eq!(found.field, "metadata");
    let found = invalid(|new| new.actions[1].metadata = metadata(more));
    assert_eq!(found.field, "actions[1].metadata");
}

#[test]
fn downloads_are_addresses() {
    let with = |address: &str| checked(|new| new.download = vec![address.to_owned()]);
    for good in [
        "https://sw.example/a.tar.gz",
        "http://x",
        "ftp://x/y",
        "file:///srv/a",
    ] {
        assert!(with(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "sw.example/a",
        "https://",
        "javascript:x",
        "https://a b",
        "http://a\n",
    ] {
        assert_eq!(with(bad).unwrap_err().field, "download[0]", "{bad}");
    }
    assert!(with(&format!("https://{}", "a".repeat(2_040))).is_ok());
    assert!(with(&format!("https://{}", "a".repeat(2_041))).is_err());
    let many = vec!["http://x".to_owned(); 101];
    assert_eq!(invalid(|new| new.download = many).field, "download");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_the_check_panic(
        host in any::<String>(),
        state in "[A-Z_]{0,20}",
        at in prop_oneof!["[-+0-9]{1,6}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}", ".*"],
        workflow in any::<String>(),
        address in any::<String>(),
    ) {
        let _ = checked(|new| {
            new.hosts = vec![host];
            new.state = state;
            new.maintenance_at = at;
            new.workflow = workflow;
            new.download = vec![address];
        });
    }

    #[test]
    fn what_is_checked_is_stored_and_read_back(year in 0..9_999_u16, second in 0..60_u8) {
        let at = format!("{year:04}-12-31 23:59:{second:02}");
        let plan = checked(|new| new.maintenance_at = at).unwrap();
        let json = serde_json::to_string(&plan).unwrap();
        prop_assert_eq!(serde_json::from_str::<Plan>(&json).unwrap(), plan);
    }
}
