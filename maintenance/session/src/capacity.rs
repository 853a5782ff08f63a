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

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use uuid::Uuid;

    use super::*;
    use crate::inventory::{Host, Instance};
    use crate::plan::NewPlan;
    use crate::progress::HostProgress;

    /// Hosts with what they may take, and what one instance on each takes.
    fn inventory(hosts: &[(&str, Option<u32>, u32)]) -> Inventory {
        let mut inventory = Inventory::default();
        for (name, vcpus, used) in hosts {
            let host = Host {
                vcpus: *vcpus,
                schedulable: true,
                ..Host::default()
            };
            inventory.hosts.insert((*name).to_owned(), host);
            if *used > 0 {
                let instance = Instance {
                    host: (*name).to_owned(),
                    vcpus: *used,
                    ..Instance::default()
                };
                inventory.instances.insert(format!("on-{name}"), instance);
            }
        }
        inventory
    }

    fn session(inventory: &Inventory) -> Session {
        let plan = NewPlan {
            state: "MAINTENANCE".to_owned(),
            maintenance_at: "2031-05-06 07:08:09".to_owned(),
            workflow: "default".to_owned(),
            ..NewPlan::default()
        };
        let now = datetime!(2031-05-06 07:08:09 UTC);
        Session::new(Uuid::nil(), plan.check().unwrap(), inventory, now)
    }

    fn emptiable(inventory: &Inventory) -> Vec<&str> {
        let session = session(inventory);
        let capacity = session.capacity(inventory);
        let hosts = inventory.compute_hosts();
        hosts.filter(|host| capacity.can_be_emptied(host)).collect()
    }

    #[test]
    fn a_host_has_no_room_for_instances_that_must_leave_it() {
        let inventory = inventory(&[("a", Some(10), 4), ("b", Some(4), 2)]);
        assert_eq!(emptiable(&inventory), ["b"]);
    }

    #[test]
    fn an_exact_fit_fits() {
        for (used, fits) in [(4, true), (5, false)] {
            let inventory =
                inventory(&[("a", Some(5), used), ("b", Some(3), 1), ("c", Some(3), 1)]);
            assert_eq!(emptiable(&inventory).contains(&"a"), fits);
        }
    }

    #[test]
    fn a_host_without_a_known_size_takes_everything_but_from_itself() {
        let inventory = inventory(&[("a", Some(4), 4), ("b", None, 5)]);
        assert_eq!(emptiable(&inventory), ["a"]);
    }

    #[test]
    fn a_host_that_accepts_nothing_new_is_not_a_target() {
        let mut inventory = inventory(&[("a", Some(4), 2), ("b", Some(4), 2)]);
        assert_eq!(emptiable(&inventory), ["a", "b"]);
        inventory.hosts.get_mut("b").unwrap().schedulable = false;
        assert_eq!(emptiable(&inventory), ["b"]);
    }

    #[test]
    fn a_host_in_maintenance_is_not_a_target() {
        let inventory = inventory(&[("a", Some(4), 2), ("b", Some(4), 0)]);
        let mut session = session(&inventory);
        let in_maintenance = HostProgress {
            announced: true,
            ..HostProgress::default()
        };
        session
            .progress
            .hosts
            .insert("b".to_owned(), in_maintenance);
        assert!(!session.capacity(&inventory).can_be_emptied("a"));
        session.progress.hosts.get_mut("b").unwrap().maintained = true;
        assert!(session.capacity(&inventory).can_be_emptied("a"));
    }

    #[test]
    fn the_easiest_host_has_most_room_then_no_floating_address_then_fewest_instances() {
        let mut all = inventory(&[
            ("a", Some(8), 2),
            ("b", Some(8), 2),
            ("c", Some(8), 2),
            ("d", Some(9), 2),
        ]);
        let easiest = |all: &Inventory, hosts: &[&str]| {
            let capacity = session(all).capacity(all).easiest(hosts.iter().copied());
            capacity.map(str::to_owned).unwrap()
        };
        assert_eq!(easiest(&all, &["a", "b", "c", "d"]), "d");
        assert_eq!(easiest(&all, &["c", "b", "a"]), "a");
        all.instances.get_mut("on-a").unwrap().floating_ip = true;
        assert_eq!(easiest(&all, &["c", "b", "a"]), "b");
        let none = Instance {
            host: "b".to_owned(),
            ..Instance::default()
        };
        all.instances.insert("takes-nothing".to_owned(), none);
        assert_eq!(easiest(&all, &["c", "b", "a"]), "c");
    }

    #[test]
    fn a_host_that_can_be_emptied_comes_before_one_with_more_room() {
        let inventory = inventory(&[("a", Some(20), 10), ("b", Some(4), 1)]);
        let session = session(&inventory);
        let capacity = session.capacity(&inventory);
        assert_eq!(capacity.easiest(["a", "b"]), Some("b"));
        assert_eq!(capacity.easiest([]), None);
    }
}
