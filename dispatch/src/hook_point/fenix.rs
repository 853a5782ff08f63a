//! The states of Fenix's maintenance sessions, the types of its actions, and its
//! notifications.
//!
//! A state's hook point is `session.` and the state; an action's is `action.`
//! and its type; notifications have the names that Fenix gives them.

use super::{HookPoint, point};

pub(super) const POINTS: &[HookPoint] = &[
    point!(Fenix "session.MAINTENANCE" None, "A session began; projects are told."),
    point!(Fenix "session.SCALE_IN" None, "A session needs projects to free capacity."),
    point!(Fenix "session.PREPARE_MAINTENANCE" None, "A session empties a host to begin with."),
    point!(Fenix "session.START_MAINTENANCE" None, "A session maintains the hosts that are empty."),
    point!(Fenix "session.PLANNED_MAINTENANCE" None, "A session empties the next host."),
    point!(Fenix "session.MAINTENANCE_COMPLETE" None, "All hosts of a session are maintained; projects are told."),
    point!(Fenix "session.MAINTENANCE_DONE" None, "A session ended well."),
    point!(Fenix "session.MAINTENANCE_FAILED" None, "A session failed."),
    point!(Fenix "session.decide" None, "A session asks its tenant's workflow where to go.",
        "proposed": "where the built-in workflow would go"),
    point!(Fenix "action.pre" None, "Before the hosts of a session are maintained."),
    point!(Fenix "action.host" None, "While one host of a session is maintained.",
        "host": "name of the host"),
    point!(Fenix "action.compute" None, "While one compute host of a session is maintained.",
        "host": "name of the host"),
    point!(Fenix "action.controller" None, "While one controller host of a session is maintained.",
        "host": "name of the host"),
    point!(Fenix "action.post" None, "After the hosts of a session were maintained."),
    point!(Fenix "action.instance" None, "A project wants something done to an instance of its own.",
        "instance_id": "id of the instance", "action": "MIGRATE or LIVE_MIGRATE",
        "host": "name of the host to leave"),
    point!(Fenix "maintenance.scheduled" None, "A project is told what a session is about to do, and asked.",
        "state": "state of the session", "project_id": "the project", "reply_url": "where to reply",
        "reply_at": "when the reply is due, UTC"),
    point!(Fenix "maintenance.host" None, "A host enters or leaves maintenance.",
        "state": "IN_MAINTENANCE or MAINTENANCE_COMPLETE", "host": "name of the host"),
    point!(Fenix "maintenance.session" None, "A session enters a state.",
        "state": "the state", "percent_done": "hosts that are maintained, in percent"),
];
