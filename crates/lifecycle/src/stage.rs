//! Where a run stands.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a run stands. The first twelve are in the order of the three boots; the last two end a run as `ready` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// A permit was issued.
    Armed,
    /// The install script was asked for.
    Netbooting,
    /// The live system reports.
    Live,
    /// The claim was granted.
    Installing,
    /// The installer reported success.
    Installed,
    /// The installed system reports.
    FirstBoot,
    /// Packages are being layered.
    Layering,
    /// The layered deployment is staged.
    Layered,
    /// The layered deployment runs.
    LayeredBoot,
    /// Bond and VLAN (or the uplink) were verified.
    Networked,
    /// Join material was handed out.
    Joining,
    /// The node is Ready, or podman answers.
    Ready,
    /// Ended by a failure.
    Failed,
    /// Ended by an admin.
    Cancelled,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Self; 14] = [
        Self::Armed,
        Self::Netbooting,
        Self::Live,
        Self::Installing,
        Self::Installed,
        Self::FirstBoot,
        Self::Layering,
        Self::Layered,
        Self::LayeredBoot,
        Self::Networked,
        Self::Joining,
        Self::Ready,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Armed => "armed",
            Self::Netbooting => "netbooting",
            Self::Live => "live",
            Self::Installing => "installing",
            Self::Installed => "installed",
            Self::FirstBoot => "first-boot",
            Self::Layering => "layering",
            Self::Layered => "layered",
            Self::LayeredBoot => "layered-boot",
            Self::Networked => "networked",
            Self::Joining => "joining",
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The stage of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == name)
    }

    /// Which of the three boots it belongs to; none before the first and after a failed or cancelled run.
    #[must_use]
    pub fn boot(self) -> Option<u8> {
        match self {
            Self::Armed | Self::Failed | Self::Cancelled => None,
            Self::Netbooting | Self::Live | Self::Installing | Self::Installed => Some(1),
            Self::FirstBoot | Self::Layering | Self::Layered => Some(2),
            Self::LayeredBoot | Self::Networked | Self::Joining | Self::Ready => Some(3),
        }
    }

    /// Whether a run that is here has ended.
    #[must_use]
    pub fn is_end(self) -> bool {
        matches!(self, Self::Ready | Self::Failed | Self::Cancelled)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_on_the_wire_is_the_name_in_the_database() {
        for stage in Stage::ALL {
            assert_eq!(serde_json::to_value(stage).unwrap(), stage.as_str());
            assert_eq!(Stage::named(stage.as_str()), Some(stage));
        }
    }
}
