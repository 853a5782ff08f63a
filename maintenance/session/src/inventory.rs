//! What there is: hosts, the instances on them, and what their projects demand.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::constraint::{GroupConstraint, InstanceConstraint};

/// What there is at one moment. Rebuilt for every poll.
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
    /// Whether new instances may be placed on it. One that is not schedulable is not a
    /// place for what has to leave another host.
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
    /// Its project; an instance without one is the operator's to move.
    pub project: Option<String>,
    /// Its group.
    pub group: Option<String>,
    /// What it takes of its host: its label `vcpus`; 1 if it has none.
    pub vcpus: u32,
    /// Whether its label `floating_ip` is set.
    pub floating_ip: bool,
}

impl Inventory {
    /// Names of all compute hosts, sorted.
    pub(crate) fn compute_hosts(&self) -> impl Iterator<Item = &str> {
        self.hosts
            .iter()
            .filter(|(_, host)| host.kind == HostKind::Compute)
            .map(|(name, _)| name.as_str())
    }

    /// All instances that live on a compute host, with their ids. Those that live
    /// elsewhere do not count.
    pub(crate) fn placed(&self) -> impl Iterator<Item = (&str, &Instance)> {
        let is_compute = |host: &Host| host.kind == HostKind::Compute;
        self.instances
            .iter()
            .filter(move |(_, instance)| self.hosts.get(&instance.host).is_some_and(is_compute))
            .map(|(id, instance)| (id.as_str(), instance))
    }

    /// The instances on one compute host, with their ids.
    pub(crate) fn instances_on(&self, host: &str) -> impl Iterator<Item = (&str, &Instance)> {
        self.placed()
            .filter(move |(_, instance)| instance.host == host)
    }

    /// What runs on each host; those on which nothing runs are not in it.
    pub(crate) fn loads(&self) -> BTreeMap<&str, Load> {
        let mut loads: BTreeMap<&str, Load> = BTreeMap::new();
        for (_, instance) in self.placed() {
            let load = loads.entry(&instance.host).or_default();
            load.vcpus = load.vcpus.saturating_add(u64::from(instance.vcpus));
            load.instances += 1;
            load.floating_ip |= instance.floating_ip;
        }
        loads
    }
}

/// What runs on a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) vcpus: u64,
    pub(crate) instances: usize,
    /// Whether one of them has a floating address.
    pub(crate) floating_ip: bool,
}
