//! The right to wipe and install.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{DiskSelector, Power};

/// How often one permit's claim may be granted, power cuts included.
pub const DEFAULT_ATTEMPTS: u8 = 3;

/// The right to wipe and install, held by one run. Issued by arming, taken by the claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permit {
    /// What it allows.
    pub purpose: Purpose,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// From this moment on it allows nothing more.
    pub expires_at: Timestamp,
    /// How many claims it grants at most.
    pub attempts: u8,
    /// How the provider brings the machine to its network boot; none means that a person does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power: Option<Power>,
    /// Set once it was taken back: by a cancel, its expiry, a failure, or a database that was restored.
    pub voided: Option<Voided>,
}

/// What a permit allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Boot live, claim, write one disk.
    Install {
        /// The only disk that may be written; none means the only eligible one.
        disk: Option<DiskSelector>,
        /// Disks whose contents may be destroyed although something is recognisable on them.
        wipe: Vec<DiskSelector>,
    },
    /// Boot live, report disks and cards, write nothing: no claim is ever granted.
    Inspect,
}

/// When and why a permit was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voided {
    /// When.
    pub at: Timestamp,
    /// Why, for people.
    pub why: String,
}

impl Permit {
    /// Why it allows nothing any more, if so.
    #[must_use]
    pub fn closed(&self, now: Timestamp) -> Option<String> {
        if let Some(voided) = &self.voided {
            return Some(format!("the permit was taken back at {}: {}", voided.at, voided.why));
        }
        (now >= self.expires_at).then(|| format!("the permit expired at {}", self.expires_at))
    }

    /// Takes it back, unless that happened before.
    pub fn void(&mut self, at: Timestamp, why: &str) {
        if self.voided.is_none() {
            self.voided = Some(Voided {
                at,
                why: why.to_owned(),
            });
        }
    }
}
