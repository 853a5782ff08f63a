//! The `default` workflow.

use tenterhook_workflow::State;

use crate::world::{World, four_hosts, plan};

#[test]
fn a_session_goes_from_maintenance_to_maintenance_done() {
    let mut world = World::new(plan("default"), four_hosts());

    assert_eq!(world.play(), State::MaintenanceDone);

    let planned = [State::PlannedMaintenance, State::StartMaintenance];
    let mut path = vec![
        State::Maintenance,
        State::PrepareMaintenance,
        State::StartMaintenance,
    ];
    path.extend(planned.repeat(3));
    path.extend([State::MaintenanceComplete, State::MaintenanceDone]);
    assert_eq!(world.path(), path);
    assert_eq!(world.session.percent_done(), 100);
    assert_eq!(
        world.plugins(),
        [
            "prepare@localhost",
            "upgrade@node-1",
            "firmware@node-1",
            // It is the one with most room: the two of node-1 went to node-2 and node-3.
            "upgrade@node-4",
            "firmware@node-4",
            "upgrade@node-2",
            "firmware@node-2",
            "upgrade@node-3",
            "firmware@node-3",
            "finalize@localhost",
        ]
    );
    let serials: Vec<_> = world.steps.iter().map(|step| step.serial).collect();
    assert!(serials.iter().copied().eq(1..=serials.len() as u64));
}
