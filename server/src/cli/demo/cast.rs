//! Who plays what.

use thirdboot_api::control::{BondSpec, ClusterSpec, HostSpec, KnownBy, NetworkSpec, Role, VlanSpec};
use thirdboot_simulator::{Fault, Hardware, Meant};

/// The VLAN that cluster nodes of the demo talk over.
const VLAN: u16 = 1000;
/// The cluster that forms.
const FORMING: &str = "demo";
/// The cluster whose first server dies: its other host waits.
const LOST: &str = "lost";
/// Every so many hosts one is known by its boot URL instead of its addresses.
const EVERY_KEYED: u32 = 5;
/// The number of a machine that nobody described.
const STRANGER: u32 = 0x00ff_ffff;

/// One host and what happens to it.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) number: u32,
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) fault: Option<Fault>,
    /// Whether the one that it waits for never comes.
    is_kept_waiting: bool,
}

/// Three servers, an agent and a runner without fault, then every fault, then agents without fault, the first of which
/// waits for a server that died.
pub(super) fn cast(hosts: u32) -> Vec<Part> {
    let opening = [Role::Server, Role::Server, Role::Server, Role::Agent, Role::Runner].map(|role| (role, None));
    let waiting = u32::try_from(opening.len() + Fault::ALL.len() + 1).unwrap_or(u32::MAX);
    let faults = Fault::ALL
        .iter()
        .zip(0_u32..)
        .map(|(fault, at)| (role_of(*fault, at), Some(*fault)));
    let rest = std::iter::repeat((Role::Agent, None));
    let parts = opening.into_iter().chain(faults).chain(rest);
    (1..=hosts)
        .zip(parts)
        .map(|(number, (role, fault))| Part {
            number,
            name: format!("{role}-{number:02}"),
            role,
            fault,
            is_kept_waiting: number == waiting,
        })
        .collect()
}

/// Every third fault happens to a runner, where it can.
fn role_of(fault: Fault, at: u32) -> Role {
    if fault == Fault::FirstServerLost {
        return Role::Server;
    }
    let needs_node = fault.needs_join() || fault.needs_neighbour();
    if at % 3 == 2 && !needs_node {
        Role::Runner
    } else {
        Role::Agent
    }
}

/// The clusters of the demo, whose k3s has this hash.
pub(super) fn clusters(k3s_sha256: &str) -> Vec<ClusterSpec> {
    [FORMING, LOST]
        .into_iter()
        .filter_map(|name| {
            let spec = serde_json::json!({
                "name": name, "vlan": VLAN, "insecure_join": true, "disable": ["traefik"],
                "k3s": {"version": super::site::K3S_VERSION, "binaries": {"x86_64": {"sha256": k3s_sha256}}},
            });
            serde_json::from_value(spec).ok()
        })
        .collect()
}

/// The machine that nobody described.
pub(super) fn stranger() -> Hardware {
    Hardware::number(STRANGER)
}

impl Part {
    pub(super) fn hardware(&self) -> Hardware {
        Hardware::number(self.number)
    }

    pub(super) fn meant(&self) -> Meant {
        if self.is_kept_waiting {
            return Meant::Stuck("waiting-for-turn");
        }
        self.fault.map_or(Meant::Ready, Fault::meant)
    }

    /// What happens to it, in a few words.
    pub(super) fn says(&self) -> &'static str {
        if self.is_kept_waiting {
            return "it waits for the first server";
        }
        self.fault.map_or("nothing goes wrong", Fault::says)
    }

    /// Whether it is armed only once a neighbour is ready.
    pub(super) fn is_late(&self) -> bool {
        self.fault.is_some_and(Fault::needs_neighbour)
    }

    /// Whether its readiness is what late ones wait for.
    pub(super) fn is_neighbour(&self) -> bool {
        self.role != Role::Runner && self.cluster() == FORMING && self.meant() == Meant::Ready
    }

    pub(super) fn is_keyed(&self) -> bool {
        self.number.is_multiple_of(EVERY_KEYED)
    }

    fn cluster(&self) -> &'static str {
        if self.is_kept_waiting || self.fault == Some(Fault::FirstServerLost) {
            LOST
        } else {
            FORMING
        }
    }

    /// As its admin describes it.
    pub(super) fn spec(&self) -> HostSpec {
        let hardware = self.hardware();
        let joins = self.role != Role::Runner;
        HostSpec {
            name: self.name.clone(),
            role: self.role,
            cluster: joins.then(|| self.cluster().to_owned()),
            known_by: if self.is_keyed() {
                KnownBy::Key
            } else {
                KnownBy::Address
            },
            network: if joins {
                self.network(&hardware)
            } else {
                NetworkSpec::default()
            },
            macs: hardware.macs,
            ..HostSpec::default()
        }
    }

    /// Two ports in a bond, and a VLAN on top.
    fn network(&self, hardware: &Hardware) -> NetworkSpec {
        let [.., high, low] = self.number.to_be_bytes();
        NetworkSpec {
            bond: Some(BondSpec {
                ports: hardware.macs.clone(),
                ..BondSpec::default()
            }),
            vlans: vec![VlanSpec {
                id: VLAN,
                addresses: vec![format!("10.10.{high}.{low}/16")],
                ..VlanSpec::default()
            }],
            ..NetworkSpec::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn twenty_eight_hosts_show_every_fault_and_every_role() {
        let cast = cast(28);
        let faults: Vec<Fault> = cast.iter().filter_map(|part| part.fault).collect();
        assert_eq!(faults, Fault::ALL);
        let names: BTreeSet<&str> = cast.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names.len(), 28);
        assert_eq!(cast.iter().filter(|part| part.cluster() == LOST).count(), 2);
        for role in Role::ALL {
            assert!(
                cast.iter()
                    .any(|part| part.role == *role && part.meant() == Meant::Ready),
                "{role}"
            );
        }
        for part in &cast {
            assert!(
                !part.fault.is_some_and(Fault::needs_join) || part.role != Role::Runner,
                "{}",
                part.name
            );
        }
    }
}
