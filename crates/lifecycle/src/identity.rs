//! What a machine presents of itself, and whether it all points at one host.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Host, HostName};

/// An Ethernet address. Read in any usual notation (`aa:bb:…`, `aa-bb-…`, `aabb.ccdd.eeff`, `aabbccddeeff`), written with colons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mac([u8; 6]);

/// Text that is no MAC address of a network card.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a MAC address: expected six bytes such as 52:54:00:aa:bb:01, neither all zeros nor multicast")]
pub struct InvalidMac(String);

impl FromStr for Mac {
    type Err = InvalidMac;

    fn from_str(text: &str) -> Result<Self, InvalidMac> {
        let bad = || InvalidMac(text.chars().take(40).collect());
        let separators: Vec<char> = text.chars().filter(|c| !c.is_ascii_hexdigit()).collect();
        let shape_is_known = match separators.first() {
            None => text.len() == 12,
            Some(first @ (':' | '-')) => {
                separators.len() == 5
                    && separators.iter().all(|c| c == first)
                    && text.split(*first).all(|part| part.len() == 2)
            }
            Some('.') => separators.len() == 2 && text.split('.').all(|part| part.len() == 4),
            Some(_) => false,
        };
        if !shape_is_known {
            return Err(bad());
        }
        let digits: Vec<u8> = text
            .chars()
            .filter_map(|c| c.to_digit(16))
            .filter_map(|d| u8::try_from(d).ok())
            .collect();
        let mut bytes = [0; 6];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair[0] << 4 | pair[1];
        }
        let is_multicast = bytes[0] & 1 == 1;
        if digits.len() != 12 || is_multicast || bytes == [0; 6] {
            Err(bad())
        } else {
            Ok(Self(bytes))
        }
    }
}

impl TryFrom<String> for Mac {
    type Error = InvalidMac;

    fn try_from(text: String) -> Result<Self, InvalidMac> {
        text.parse()
    }
}

impl From<Mac> for String {
    fn from(mac: Mac) -> Self {
        mac.to_string()
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { ":" };
            write!(f, "{separator}{byte:02x}")?;
        }
        Ok(())
    }
}

/// Words that vendors leave in the serial field of boards that have none, lower case.
const PLACEHOLDERS: [&str; 14] = [
    "to be filled by o.e.m.",
    "to be filled by o.e.m",
    "default string",
    "system serial number",
    "not specified",
    "not applicable",
    "not available",
    "none",
    "n/a",
    "na",
    "unknown",
    "empty",
    "chassis serial number",
    "123456789",
];

fn is_placeholder(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let mut significant = lower.chars().filter(char::is_ascii_alphanumeric);
    let Some(first) = significant.next() else { return true };
    PLACEHOLDERS.contains(&lower.as_str()) || ("0fx".contains(first) && significant.all(|c| c == first))
}

/// A serial number as the machine states it: trimmed, at most 128 printable characters, never a placeholder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Serial(Box<str>);

/// A serial that cannot identify a machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} does not identify a machine: expected 1 to 128 printable characters that are no vendor's placeholder")]
pub struct InvalidSerial(String);

impl Serial {
    /// What a machine said, or nothing where it said a placeholder.
    #[must_use]
    pub fn stated(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    /// The serial as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Serial {
    type Err = InvalidSerial;

    fn from_str(text: &str) -> Result<Self, InvalidSerial> {
        let trimmed = text.trim();
        let is_printable = trimmed.chars().all(|c| c == ' ' || c.is_ascii_graphic());
        if trimmed.is_empty() || trimmed.len() > 128 || !is_printable || is_placeholder(trimmed) {
            return Err(InvalidSerial(text.chars().take(80).collect()));
        }
        Ok(Self(trimmed.into()))
    }
}

impl TryFrom<String> for Serial {
    type Error = InvalidSerial;

    fn try_from(text: String) -> Result<Self, InvalidSerial> {
        text.parse()
    }
}

impl From<Serial> for String {
    fn from(serial: Serial) -> Self {
        serial.0.into()
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text that is no UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a UUID of a machine or boot: expected 8-4-4-4-12 hexadecimal digits, not all alike")]
pub struct InvalidUuid(String);

fn canonical_uuid(text: &str) -> Result<Box<str>, InvalidUuid> {
    let trimmed = text.trim();
    let groups: Vec<usize> = trimmed.split('-').map(str::len).collect();
    let is_hex = trimmed.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
    if groups != [8, 4, 4, 4, 12] || !is_hex || is_placeholder(trimmed) {
        return Err(InvalidUuid(text.chars().take(60).collect()));
    }
    Ok(trimmed.to_ascii_lowercase().into())
}

macro_rules! uuid {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// What a machine said, or nothing where it said a placeholder or no UUID at all.
            #[must_use]
            pub fn stated(text: &str) -> Option<Self> {
                text.parse().ok()
            }

            /// The UUID in lower case.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidUuid;

            fn from_str(text: &str) -> Result<Self, InvalidUuid> {
                canonical_uuid(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidUuid;

            fn try_from(text: String) -> Result<Self, InvalidUuid> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(uuid: $name) -> Self {
                uuid.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

uuid! {
    /// The SMBIOS system UUID, as iPXE's `${uuid}` and the kernel's `product_uuid` give it.
    SmbiosUuid
}

uuid! {
    /// The kernel's `/proc/sys/kernel/random/boot_id`: new at every boot.
    BootId
}

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
        let none_is_ours =
            !self.macs.is_empty() && !host.macs.is_empty() && !self.macs.iter().any(|mac| host.macs.contains(mac));
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
    fn a_mac_is_read_in_any_usual_notation() {
        for text in [
            "52:54:00:AA:bb:01",
            "52-54-00-aa-bb-01",
            "5254.00aa.bb01",
            "525400aabb01",
        ] {
            assert_eq!(text.parse::<Mac>().unwrap().to_string(), "52:54:00:aa:bb:01", "{text}");
        }
        for text in [
            "",
            "52:54:00:aa:bb",
            "52:54:00:aa:bb:01:02",
            "52:54-00:aa:bb:01",
            "5:254:00:aa:bb:01",
            "00:00:00:00:00:00",
            "01:00:5e:00:00:01",
            "zz:54:00:aa:bb:01",
            "５２:54:00:aa:bb:01",
        ] {
            assert!(text.parse::<Mac>().is_err(), "{text}");
        }
    }

    #[test]
    fn placeholders_identify_nobody() {
        for text in [
            "",
            "  ",
            "To Be Filled By O.E.M.",
            "Default string",
            "0000000000",
            "N/A",
            "FFFFFFFF",
            "xxxxxxx",
            "..",
            "-",
        ] {
            assert_eq!(Serial::stated(text), None, "{text:?}");
        }
        for text in [
            "00000000-0000-0000-0000-000000000000",
            "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
            "no uuid",
            "",
        ] {
            assert_eq!(SmbiosUuid::stated(text), None, "{text:?}");
        }
        assert_eq!(Serial::stated(" ABC123 ").unwrap().as_str(), "ABC123");
    }

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
