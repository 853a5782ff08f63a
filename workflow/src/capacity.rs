//! Where instances have room, and which host is the easiest to empty.
//!
//! Capacity is counted in vCPUs and only in total: whether each single instance finds
//! a place is for the one that moves it to say.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::inventory::{HostKind, Inventory, Load};
use crate::session::Session;

impl Session {
    /// The session's hosts that are not maintained yet, in the order of its plan.
    pub(crate) fn unmaintained(&self) -> impl Iterator<Item = &str> {
        self.plan
            .hosts
            .iter()
            .map(String::as_str)
            .filter(|host| !self.is_maintained(host))
    }

    /// Those among them that run instances.
    pub(crate) fn unmaintained_computes<'a>(&'a self, inventory: &'a Inventory) -> Vec<&'a str> {
        self.unmaintained()
            .filter(|host| {
                inventory
                    .hosts
                    .get(*host)
                    .is_some_and(|host| host.kind == HostKind::Compute)
            })
            .collect()
    }

    /// What there is room for at this moment.
    pub(crate) fn capacity<'a>(&self, inventory: &'a Inventory) -> Capacity<'a> {
        let loads = inventory.loads();
        let mut capacity = Capacity {
            inventory,
            loads,
            places: BTreeSet::new(),
            room: 0,
            unlimited: 0,
        };
        for host in inventory.compute_hosts() {
            if inventory.hosts[host].schedulable && !self.is_in_maintenance(host) {
                capacity.places.insert(host);
                match capacity.free(host) {
                    None => capacity.unlimited += 1,
                    Some(free) => capacity.room = capacity.room.saturating_add(free),
                }
            }
        }
        capacity
    }
}

/// What there is room for at one moment.
pub(crate) struct Capacity<'a> {
    inventory: &'a Inventory,
    loads: BTreeMap<&'a str, Load>,
    /// Hosts that take new instances.
    places: BTreeSet<&'a str>,
    /// What those with a limit have left together.
    room: u64,
    /// How many of them have no limit.
    unlimited: usize,
}

impl Capacity<'_> {
    /// Whether nothing runs on a host.
    pub(crate) fn is_empty(&self, host: &str) -> bool {
        !self.loads.contains_key(host)
    }

    /// Whether what runs on a host fits on others.
    pub(crate) fn can_be_emptied(&self, host: &str) -> bool {
        let (mut room, mut unlimited) = (self.room, self.unlimited);
        if self.places.contains(host) {
            match self.free(host) {
                None => unlimited -= 1,
                Some(free) => room -= free.min(room),
            }
        }
        unlimited > 0 || self.load(host).vcpus <= room
    }

    /// The host to empty next: one that can be emptied rather than one that cannot, then
    /// the one with most free vCPUs, without floating addresses, with fewest instances,
    /// first by name.
    pub(crate) fn easiest<'b>(&self, hosts: impl IntoIterator<Item = &'b str>) -> Option<&'b str> {
        hosts.into_iter().min_by_key(|host| {
            let load = self.load(host);
            (
                !self.can_be_emptied(host),
                Reverse(self.free(host).unwrap_or(u64::MAX)),
                load.floating_ip,
                load.instances,
                *host,
            )
        })
    }

    fn load(&self, host: &str) -> Load {
        self.loads.get(host).copied().unwrap_or_default()
    }

    /// What a host has left; `None` is no limit.
    fn free(&self, host: &str) -> Option<u64> {
        let all = self.inventory.hosts.get(host)?.vcpus?;
        Some(u64::from(all).saturating_sub(self.load(host).vcpus))
    }
}
