//! Versions of Ignition's specification.

use std::fmt;
use std::str::FromStr;

/// A stable version 3.x.0 of Ignition's specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(u8);

impl Version {
    /// The newest version this crate knows.
    pub const NEWEST: Self = Self(6);

    /// Version 3.`minor`.0, if this crate knows it.
    pub fn v3(minor: u8) -> Option<Self> {
        (minor <= Self::NEWEST.0).then_some(Self(minor))
    }

    /// The `x` of 3.x.0.
    pub fn minor(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "3.{}.0", self.0)
    }
}

/// The text is no version of Ignition's specification that this crate knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not one of Ignition's versions 3.0.0 to {newest}", newest = Version::NEWEST)]
pub struct UnknownVersion(String);

impl FromStr for Version {
    type Err = UnknownVersion;

    fn from_str(text: &str) -> Result<Self, UnknownVersion> {
        (0..=Self::NEWEST.0)
            .map(Self)
            .find(|version| version.to_string() == text)
            .ok_or_else(|| UnknownVersion(text.to_owned()))
    }
}
