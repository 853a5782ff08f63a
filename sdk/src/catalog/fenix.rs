//! The states of Fenix's maintenance sessions, the types of its actions, and its
//! notifications.
//!
//! A state's hook point is `session.` and the state; an action's is `action.`
//! and its type; notifications have the names that Fenix gives them.

use super::points;

points! { Fenix
    SessionMaintenance "session.MAINTENANCE" None,
        "A session began; projects are notified." {
        }
    SessionScaleIn "session.SCALE_IN" None,
        "A session needs projects to free capacity." {
        }
    SessionPrepareMaintenance "session.PREPARE_MAINTENANCE" None,
        "A session empties a host to begin with." {
        }
    SessionStartMaintenance "session.START_MAINTENANCE" None,
        "A session maintains the hosts that are empty." {
        }
    SessionPlannedMaintenance "session.PLANNED_MAINTENANCE" None,
        "A session empties the next host." {
        }
    SessionMaintenanceComplete "session.MAINTENANCE_COMPLETE" None,
        "All hosts of a session are maintained; projects are notified." {
        }
    SessionMaintenanceDone "session.MAINTENANCE_DONE" None,
        "A session ended well." {
        }
    SessionMaintenanceFailed "session.MAINTENANCE_FAILED" None,
        "A session failed." {
        }
    SessionDecide "session.decide" None,
        "A session asks its tenant's workflow where to go." {
            proposed: String = "proposed" "where the built-in workflow would go" "PLANNED_MAINTENANCE";
        }
    ActionPre "action.pre" None,
        "Before the hosts of a session are maintained." {
        }
    ActionHost "action.host" None,
        "While one host of a session is maintained." {
            host: String = "host" "name of the host" "compute-1";
        }
    ActionCompute "action.compute" None,
        "While one compute host of a session is maintained." {
            host: String = "host" "name of the host" "compute-1";
        }
    ActionController "action.controller" None,
        "While one controller host of a session is maintained." {
            host: String = "host" "name of the host" "compute-1";
        }
    ActionPost "action.post" None,
        "After the hosts of a session were maintained." {
        }
    ActionInstance "action.instance" None,
        "A project wants something done to an instance of its own." {
            instance_id: String = "instance_id" "id of the instance" "0b9b6c1e-7f1d-4c58-9a55-3a0f2a7c9d21";
            action: String = "action" "MIGRATE or LIVE_MIGRATE" "MIGRATE";
            host: String = "host" "name of the host to leave" "compute-1";
        }
    MaintenanceScheduled "maintenance.scheduled" None,
        "A project is notified of what a session is about to do, and asked to reply." {
            state: String = "state" "state of the session" "MAINTENANCE";
            project_id: String = "project_id" "the project" "billing";
            reply_url: String = "reply_url" "where to reply" "http://127.0.0.1:8080/v1/maintenance/5c2f/billing";
            reply_at: String = "reply_at" "when the reply is due, UTC" "2026-03-10T16:16:30";
        }
    MaintenanceHost "maintenance.host" None,
        "A host enters or leaves maintenance." {
            state: String = "state" "IN_MAINTENANCE or MAINTENANCE_COMPLETE" "IN_MAINTENANCE";
            host: String = "host" "name of the host" "compute-1";
        }
    MaintenanceSession "maintenance.session" None,
        "A session enters a state." {
            state: String = "state" "the state" "MAINTENANCE";
            percent_done: u64 = "percent_done" "hosts that are maintained, in percent" 50;
        }
}
