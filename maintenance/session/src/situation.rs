//! What a tenant's workflow is given before it decides. What it decides is not here.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::plan::Plan;
use crate::state::State;

/// A session as a tenant's workflow sees it.
///
/// ```json
/// {
///   "session_id": "…", "state": "MAINTENANCE", "percent_done": 0,
///   "proposed": "START_MAINTENANCE", "allowed": ["SCALE_IN", "…"],
///   "plan": {"hosts": [], "state": "MAINTENANCE", "maintenance_at": "…",
///            "workflow": {"source": "…"}, "metadata": {}, "download": [], "actions": []},
///   "hosts": {"node-1": {"kind": "compute", "vcpus": 16, "schedulable": true,
///             "in_session": true, "in_maintenance": false, "maintained": false,
///             "instances": {"<id>": {"name": "…", "project": "…", "group": null,
///                           "vcpus": 1, "floating_ip": false, "action": "MIGRATE"}}}},
///   "projects": {"<id>": {"state": "ACK_MAINTENANCE"}}
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Situation {
    /// The session.
    pub session_id: Uuid,
    /// Where it stands.
    pub state: State,
    /// Hosts that are maintained, in percent.
    pub percent_done: u8,
    /// Where the built-in workflow would go.
    pub proposed: State,
    /// Where it may go.
    pub allowed: Vec<State>,
    /// What it is asked to do. Not a value, which would change the text of its metadata.
    pub plan: Plan,
    /// All hosts of the inventory by name, with their instances. `action` is what was
    /// answered for an instance in this state, or `null`.
    pub hosts: Map<String, Value>,
    /// The projects by id, with what they have replied.
    pub projects: Map<String, Value>,
}
