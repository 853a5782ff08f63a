//! From an account's servers to what a session sees: hosts and instances.
//!
//! A server without a host is a host. Labels say the rest: `type` (`controller`,
//! `other`), `vcpus`, `schedulable` (`false`), `floating_ip`.

use std::collections::BTreeMap;

use tenterhook_dispatch::Server;
use tenterhook_session::{Host, HostKind, Instance, Inventory};

/// Sorts servers into hosts and instances.
pub(crate) fn of(servers: Vec<Server>) -> Inventory {
    let mut inventory = Inventory::default();
    for server in servers {
        match server.host {
            None => {
                inventory.hosts.insert(server.name, host(&server.labels));
            }
            Some(host) => {
                let vcpus = vcpus(&server.labels).unwrap_or(1);
                let floating_ip = label(&server.labels, "floating_ip").is_some();
                let instance = Instance {
                    name: server.name,
                    host,
                    project: server.project,
                    group: server.group,
                    vcpus,
                    floating_ip,
                };
                inventory.instances.insert(server.id.to_string(), instance);
            }
        }
    }
    inventory
}

fn host(labels: &BTreeMap<String, String>) -> Host {
    Host {
        kind: match label(labels, "type") {
            Some("controller") => HostKind::Controller,
            Some("other") => HostKind::Other,
            _ => HostKind::Compute,
        },
        vcpus: vcpus(labels),
        schedulable: label(labels, "schedulable") != Some("false"),
    }
}

fn vcpus(labels: &BTreeMap<String, String>) -> Option<u32> {
    label(labels, "vcpus")?.parse().ok()
}

/// A label that is not empty.
fn label<'l>(labels: &'l BTreeMap<String, String>, name: &str) -> Option<&'l str> {
    labels
        .get(name)
        .map(|value| value.trim())
        .filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use tenterhook_dispatch::{Number, ServerId};
    use time::OffsetDateTime;

    use super::*;

    fn server(name: &str, host: Option<&str>, labels: &[(&str, &str)]) -> Server {
        Server {
            id: ServerId::generate(),
            number: Number::new(1),
            name: name.into(),
            host: host.map(Into::into),
            project: host.map(|_| "blue".into()),
            group: None,
            labels: labels
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            created_at: OffsetDateTime::UNIX_EPOCH,
            modified_at: OffsetDateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn servers_without_a_host_are_hosts_and_labels_give_their_kind() {
        let inventory = of(vec![
            server("a", None, &[]),
            server("b", None, &[("type", "controller"), ("vcpus", "16")]),
            server("c", None, &[("type", "other"), ("schedulable", "false")]),
            server("d", None, &[("type", "?"), ("vcpus", "many")]),
        ]);
        let host = |kind, vcpus, schedulable| Host {
            kind,
            vcpus,
            schedulable,
        };
        assert_eq!(inventory.hosts["a"], host(HostKind::Compute, None, true));
        assert_eq!(
            inventory.hosts["b"],
            host(HostKind::Controller, Some(16), true)
        );
        assert_eq!(inventory.hosts["c"], host(HostKind::Other, None, false));
        assert_eq!(inventory.hosts["d"], host(HostKind::Compute, None, true));
        assert!(inventory.instances.is_empty());
    }

    #[test]
    fn instances_are_known_by_their_ids() {
        let plain = server("vm", Some("a"), &[("floating_ip", " ")]);
        let big = server(
            "vm2",
            Some("a"),
            &[("vcpus", "4"), ("floating_ip", "192.0.2.7")],
        );
        let ids = [plain.id.to_string(), big.id.to_string()];
        let inventory = of(vec![plain, big]);
        let instances: Vec<_> = ids
            .iter()
            .map(|id| &inventory.instances[id])
            .map(|one| (one.name.as_str(), one.vcpus, one.floating_ip))
            .collect();
        assert_eq!(instances, [("vm", 1, false), ("vm2", 4, true)]);
        assert_eq!(
            inventory.instances[&ids[0]].project.as_deref(),
            Some("blue")
        );
    }
}
