//! Ethernet addresses.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
