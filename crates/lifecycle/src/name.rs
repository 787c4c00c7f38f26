//! Names of hosts and clusters, and the number of a run.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::text::checked_text;

/// What a name must look like, for errors.
const SHAPE: &str =
    "1 to 63 characters of a-z, 0-9 and '-', beginning and ending with a letter or digit (RFC 1123 label)";

/// A name that is no RFC 1123 label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not a name: expected {SHAPE}")]
pub struct InvalidName {
    given: String,
}

/// RFC 1123: Kubernetes uses the same rule for a node's name, and iPXE prints it on a console.
fn is_label(text: &str) -> bool {
    let ends_well = |c: Option<&u8>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && ends_well(bytes.first())
        && ends_well(bytes.last())
        && bytes
            .iter()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == b'-')
}

/// A host's name: its hostname, its node name and its name in every URL of the API.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostName(Box<str>);

/// A cluster's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClusterName(Box<str>);

fn label(text: &str) -> Result<Box<str>, InvalidName> {
    if is_label(text) {
        return Ok(text.into());
    }
    let given = text.chars().take(80).collect();
    Err(InvalidName { given })
}

impl FromStr for HostName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        label(text).map(Self)
    }
}

impl FromStr for ClusterName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        label(text).map(Self)
    }
}

checked_text!(HostName, InvalidName);
checked_text!(ClusterName, InvalidName);

/// The number of a provisioning attempt, counted per host from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunNumber(pub u32);

impl RunNumber {
    /// The number of the run after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for RunNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_an_rfc_1123_label() {
        for good in ["a", "node-1", "0", &"x".repeat(63)] {
            assert!(good.parse::<HostName>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a.b", "a b", "a\n", "ä", &"x".repeat(64)] {
            assert!(bad.parse::<HostName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_error_says_what_was_expected() {
        let error = "Node_1".parse::<HostName>().unwrap_err().to_string();
        assert!(error.contains("\"Node_1\"") && error.contains("RFC 1123"), "{error}");
    }
}
