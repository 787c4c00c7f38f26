//! Serials and UUIDs, and the words that vendors leave where there is none.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::text::checked_text;

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

checked_text!(Serial, InvalidSerial);

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

/// The SMBIOS system UUID, as iPXE's `${uuid}` and the kernel's `product_uuid` give it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SmbiosUuid(Box<str>);

impl SmbiosUuid {
    /// What a machine said, or nothing where it said a placeholder or no UUID at all.
    #[must_use]
    pub fn stated(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// The kernel's `/proc/sys/kernel/random/boot_id`: new at every boot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BootId(Box<str>);

impl BootId {
    /// What a host said, or nothing where it said no UUID.
    #[must_use]
    pub fn stated(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl FromStr for SmbiosUuid {
    type Err = InvalidUuid;

    fn from_str(text: &str) -> Result<Self, InvalidUuid> {
        canonical_uuid(text).map(Self)
    }
}

impl FromStr for BootId {
    type Err = InvalidUuid;

    fn from_str(text: &str) -> Result<Self, InvalidUuid> {
        canonical_uuid(text).map(Self)
    }
}

checked_text!(SmbiosUuid, InvalidUuid);
checked_text!(BootId, InvalidUuid);

#[cfg(test)]
mod tests {
    use super::*;

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
}
