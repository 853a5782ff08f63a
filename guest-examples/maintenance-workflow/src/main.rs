//! Decides where a maintenance session goes next: as the built-in workflow would,
//! but with a reserve, and not too many hosts in one night.
//!
//! Event: `session.decide`; docs/plug-ins.md describes its data. Two members of the
//! session's metadata steer it:
//!
//! - `spare_hosts`: so many compute hosts outside of the session stay empty. When a
//!   host is about to be emptied and there are fewer, projects are asked to free
//!   capacity; where they cannot be asked any more, the session fails.
//! - `hosts_per_night`: when so many hosts are maintained, the session is completed.
//!   Hosts that are left over are for a session of another night.

mod situation;

use tenterhook_sdk::{Data, Verdict, hook, info};

use crate::situation::Situation;

/// States in which a host is emptied.
const EMPTYING: [&str; 2] = ["PREPARE_MAINTENANCE", "PLANNED_MAINTENANCE"];

#[hook]
fn decide(Data(situation): Data<Situation>) -> Verdict {
    let (next, reason) = weigh(&situation);
    info!(
        "decided",
        session = situation.session_id,
        state = situation.state,
        proposed = situation.proposed,
        next = next,
    );
    Verdict::default().because(reason).with("next", next)
}

/// Where to go, and why.
fn weigh(situation: &Situation) -> (&str, String) {
    let metadata = &situation.plan.metadata;
    let maintained = situation.maintained();
    if metadata
        .hosts_per_night
        .is_some_and(|most| maintained >= most)
        && situation.may_go_to("MAINTENANCE_COMPLETE")
    {
        let reason = format!("{maintained} hosts are enough for one night");
        return ("MAINTENANCE_COMPLETE", reason);
    }
    let spare = situation.spare();
    if EMPTYING.contains(&&*situation.proposed) && spare < metadata.spare_hosts {
        let wanted = metadata.spare_hosts;
        let reason = format!("{spare} of {wanted} hosts are in reserve");
        return match situation.may_go_to("SCALE_IN") {
            true => ("SCALE_IN", reason),
            false => ("MAINTENANCE_FAILED", reason),
        };
    }
    (&situation.proposed, "as proposed".to_owned())
}

#[cfg(test)]
mod tests {
    use tenterhook_sdk::testing::Case;

    use super::*;

    /// Where the hook goes in a sample event, and why.
    fn decided(event: &str) -> (String, String) {
        let verdict = Case::json(event).run(decide).verdict.unwrap();
        let next = verdict.details["next"].as_str().unwrap().to_owned();
        (next, verdict.reason.unwrap())
    }

    #[test]
    fn without_metadata_it_goes_as_proposed() {
        let (next, reason) = decided(include_str!("../tests/empty-host.event.json"));
        assert_eq!((&*next, &*reason), ("START_MAINTENANCE", "as proposed"));
    }

    #[test]
    fn projects_are_asked_to_free_capacity_before_the_reserve_is_touched() {
        let (next, reason) = decided(include_str!("../tests/keep-spare.event.json"));
        assert_eq!(
            (&*next, &*reason),
            ("SCALE_IN", "0 of 1 hosts are in reserve")
        );
        let (next, _) = decided(include_str!("../tests/enough-spare.event.json"));
        assert_eq!(next, "PREPARE_MAINTENANCE");
    }

    #[test]
    fn where_nobody_can_be_asked_the_session_fails() {
        let (next, _) = decided(include_str!("../tests/no-spare-left.event.json"));
        assert_eq!(next, "MAINTENANCE_FAILED");
    }

    #[test]
    fn a_night_ends_when_enough_hosts_are_done() {
        let (next, reason) = decided(include_str!("../tests/enough-done.event.json"));
        assert_eq!(next, "MAINTENANCE_COMPLETE");
        assert_eq!(reason, "2 hosts are enough for one night");
    }

    #[test]
    fn what_was_decided_is_logged() {
        let outcome = Case::json(include_str!("../tests/keep-spare.event.json")).run(decide);
        assert_eq!(outcome.log[0].fields["next"], "SCALE_IN");
    }

    #[test]
    fn another_event_is_refused_with_what_it_lacks() {
        let outcome = Case::json(include_str!("../tests/other-event.event.json")).run(decide);
        assert_eq!(outcome.status, 2);
        let error = outcome.error.unwrap();
        assert_eq!(
            error,
            "`data` of the event OnAudit: missing field `session_id`"
        );
    }
}
