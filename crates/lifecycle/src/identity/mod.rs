//! What a machine presents of itself, and whether it all points at one host.

mod mac;
mod serial;

use serde::{Deserialize, Serialize};

pub use mac::Mac;
pub use serial::{BootId, Serial, SmbiosUuid};

use crate::{Host, HostName};

/// What a machine presents when it asks: every identifier that survived the placeholder check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// MACs of its network cards; a script request names one, a claim all.
    pub macs: Vec<Mac>,
    /// Its SMBIOS serial.
    pub serial: Option<Serial>,
    /// Its SMBIOS UUID.
    pub uuid: Option<SmbiosUuid>,
}

impl Identity {
    /// Whether nothing at all was presented.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.macs.is_empty() && self.serial.is_none() && self.uuid.is_none()
    }

    /// Why these identifiers cannot be those of `host`, if so. What the host does not state cannot be contradicted.
    #[must_use]
    pub fn contradicts(&self, host: &Host) -> Option<String> {
        if let (Some(theirs), Some(ours)) = (&self.serial, &host.serial)
            && theirs != ours
        {
            return Some(format!("serial is {theirs}, expected {ours}"));
        }
        if let (Some(theirs), Some(ours)) = (&self.uuid, &host.uuid)
            && theirs != ours
        {
            return Some(format!("SMBIOS UUID is {theirs}, expected {ours}"));
        }
        let has_cards = host.cards().next().is_some();
        let none_is_ours = !self.macs.is_empty() && has_cards && !host.cards().any(|card| self.macs.contains(&card));
        none_is_ours.then(|| {
            let listed: Vec<String> = self.macs.iter().map(Mac::to_string).collect();
            format!("none of its MACs ({}) is the host's", listed.join(", "))
        })
    }
}

/// Whose identifiers they are.
#[derive(Debug, Clone, PartialEq)]
pub enum Identified<'a> {
    /// All of them point at this host, and none at another.
    Host(&'a Host),
    /// They point at several hosts, or contradict the one they point at.
    Conflict {
        /// The hosts concerned, in the order of their names.
        hosts: Vec<HostName>,
        /// What disagrees.
        why: String,
    },
    /// No host has any of them.
    Unknown,
}

/// Decides whose `identity` it is. `by_key` is the host whose boot secret was presented; `matches` are all hosts that
/// have at least one of the identifiers.
#[must_use]
pub fn identify<'a>(identity: &Identity, by_key: Option<&'a Host>, matches: &'a [Host]) -> Identified<'a> {
    let mut candidates: Vec<&Host> = by_key.into_iter().chain(matches).collect();
    candidates.sort_by(|a, b| a.name.cmp(&b.name));
    candidates.dedup_by(|a, b| a.name == b.name);
    match candidates.as_slice() {
        [] => Identified::Unknown,
        [host] => match identity.contradicts(host) {
            None => Identified::Host(host),
            Some(why) => Identified::Conflict {
                hosts: vec![host.name.clone()],
                why,
            },
        },
        several => {
            let names: Vec<&str> = several.iter().map(|host| host.name.as_str()).collect();
            Identified::Conflict {
                hosts: several.iter().map(|host| host.name.clone()).collect(),
                why: format!("the identifiers belong to several hosts: {}", names.join(", ")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::tests::host;

    #[test]
    fn a_nic_that_moved_to_another_machine_is_a_conflict() {
        let mut first = host("first");
        first.serial = Serial::stated("S1");
        let second = host("second");
        let presented = Identity {
            macs: second.macs.clone(),
            serial: Serial::stated("S1"),
            uuid: None,
        };
        let both = [first, second];
        assert!(matches!(identify(&presented, None, &both), Identified::Conflict { hosts, .. } if hosts.len() == 2));
    }

    #[test]
    fn another_serial_than_the_pinned_one_is_a_conflict() {
        let mut pinned = host("first");
        pinned.serial = Serial::stated("S1");
        let presented = Identity {
            macs: pinned.macs.clone(),
            serial: Serial::stated("S2"),
            uuid: None,
        };
        let hosts = [pinned];
        assert!(
            matches!(identify(&presented, None, &hosts), Identified::Conflict { why, .. } if why.contains("expected S1"))
        );
    }

    #[test]
    fn a_key_with_another_hosts_mac_is_a_conflict() {
        let (mine, other) = (host("mine"), host("other"));
        let presented = Identity {
            macs: other.macs.clone(),
            ..Identity::default()
        };
        let matches = [other];
        assert!(matches!(
            identify(&presented, Some(&mine), &matches),
            Identified::Conflict { .. }
        ));
    }

    #[test]
    fn nobody_has_them() {
        assert_eq!(identify(&Identity::default(), None, &[]), Identified::Unknown);
    }
}
