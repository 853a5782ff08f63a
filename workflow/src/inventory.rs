//! What there is: hosts, the instances on them, and what their projects demand.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::constraint::{GroupConstraint, InstanceConstraint};

/// What there is at one moment. Made anew whenever it is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// All hosts by name.
    pub hosts: BTreeMap<String, Host>,
    /// All instances by id. One on a host that is not in `hosts` does not count.
    pub instances: BTreeMap<String, Instance>,
    /// Demands for instances, by their ids.
    pub instance_constraints: BTreeMap<String, InstanceConstraint>,
    /// Demands for groups, by their ids.
    pub group_constraints: BTreeMap<String, GroupConstraint>,
}

/// A host: a server that lives on no other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// `compute` unless its label `type` says `controller` or `other`.
    pub kind: HostKind,
    /// What its instances may take together: its label `vcpus`. `None` is no limit.
    pub vcpus: Option<u32>,
    /// Whether one of its instances has a floating address does not count here: this
    /// says whether new instances may be placed on it.
    pub schedulable: bool,
}

/// What a host is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HostKind {
    /// It runs instances.
    #[default]
    Compute,
    /// It runs the cloud's own services.
    Controller,
    /// Anything else.
    Other,
}

/// An instance: a server that lives on a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// A name for people.
    pub name: String,
    /// The host that it lives on.
    pub host: String,
    /// Its project; one without is nobody's to answer for, and must be moved by the operator.
    pub project: Option<String>,
    /// Its group.
    pub group: Option<String>,
    /// What it takes of its host: its label `vcpus`; 1 if it has none.
    pub vcpus: u32,
    /// Whether its label `floating_ip` is set.
    pub floating_ip: bool,
}
