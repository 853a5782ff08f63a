//! What a project demands for its instances, as the `vnf` workflow honours it.

use serde::{Deserialize, Serialize};

use crate::reply::InstanceAction;

/// What is demanded for one instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceConstraint {
    /// The instance.
    pub instance_id: String,
    /// Its project.
    pub project_id: String,
    /// Its group.
    pub group_id: String,
    /// A name for people.
    pub instance_name: String,
    /// How long it may be interrupted, in seconds.
    pub max_interruption_time: u32,
    /// How it may be moved; `MIGRATION` is read as `MIGRATE`.
    pub migration_type: InstanceAction,
    /// Whether the project frees resources itself.
    pub resource_mitigation: bool,
    /// How long the project may take to make the instance ready once it is notified, in
    /// seconds. Its ACK says that it is ready, and may come sooner.
    pub lead_time: u32,
}

/// What is demanded for a group of instances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupConstraint {
    /// The group.
    pub group_id: String,
    /// Its project.
    pub project_id: String,
    /// A name for people.
    pub group_name: String,
    /// Whether no two of its instances may share a host.
    pub anti_affinity_group: bool,
    /// Instances of it on one host; 0 is no limit.
    pub max_instances_per_host: u32,
    /// How many of its instances may be affected at one time; 0 is read as 1.
    pub max_impacted_members: u32,
    /// How long an instance counts as affected after it has left its host, in seconds.
    pub recovery_time: u32,
    /// Whether the project frees resources itself.
    pub resource_mitigation: bool,
}
