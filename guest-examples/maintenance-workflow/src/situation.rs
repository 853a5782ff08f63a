//! What a session passes to its tenant's workflow, as far as this one uses it.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Where a session stands, and where it may go.
#[derive(Debug, Deserialize)]
pub(crate) struct Situation {
    pub(crate) session_id: String,
    pub(crate) state: String,
    /// Where the built-in workflow would go.
    pub(crate) proposed: String,
    /// Where this one may go, short of failing.
    pub(crate) allowed: Vec<String>,
    pub(crate) plan: Plan,
    /// All hosts of the inventory.
    pub(crate) hosts: BTreeMap<String, Host>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Plan {
    pub(crate) metadata: Metadata,
}

/// What steers this workflow; a session's metadata has it.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    /// Compute hosts outside of the session that stay empty.
    #[serde(default)]
    pub(crate) spare_hosts: usize,
    /// Hosts that may be maintained in one session.
    pub(crate) hosts_per_night: Option<usize>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Host {
    pub(crate) kind: String,
    /// Whether instances may be placed there.
    pub(crate) schedulable: bool,
    pub(crate) in_session: bool,
    pub(crate) maintained: bool,
    /// By id; what they are does not matter here.
    pub(crate) instances: BTreeMap<String, serde::de::IgnoredAny>,
}

impl Situation {
    /// Hosts of the session that are maintained.
    pub(crate) fn maintained(&self) -> usize {
        let hosts = self.hosts.values();
        hosts
            .filter(|host| host.in_session && host.maintained)
            .count()
    }

    /// Compute hosts outside of the session that are free to take instances.
    pub(crate) fn spare(&self) -> usize {
        let spare = |host: &&Host| {
            host.kind == "compute"
                && host.schedulable
                && !host.in_session
                && host.instances.is_empty()
        };
        self.hosts.values().filter(spare).count()
    }

    /// Whether the session may go there now.
    pub(crate) fn may_go_to(&self, state: &str) -> bool {
        self.allowed.iter().any(|allowed| allowed == state)
    }
}
