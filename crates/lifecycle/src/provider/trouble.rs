//! What can be wrong between this server and a provider, and what to do about it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is wrong, as a word for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TroubleKind {
    /// This server has no token for the provider.
    NoToken,
    /// The provider refuses the token.
    TokenRefused,
    /// The provider knows no such machine.
    DeviceNotFound,
    /// The machine that the host names has none of the host's MACs.
    OtherMachine,
    /// The provider takes no more requests for a while.
    RateLimited,
    /// The provider does not answer, or not in a way that can be understood.
    Unreachable,
    /// The machine's ports cannot carry VLANs as they are.
    PortUnfit,
    /// VLANs could not be put on the machine's ports.
    VlansFailed,
    /// Nobody knows whether the provider carried out a power request.
    PowerUncertain,
    /// The provider refuses something else.
    Refused,
}

impl TroubleKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::NoToken,
        Self::TokenRefused,
        Self::DeviceNotFound,
        Self::OtherMachine,
        Self::RateLimited,
        Self::Unreachable,
        Self::PortUnfit,
        Self::VlansFailed,
        Self::PowerUncertain,
        Self::Refused,
    ];

    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoToken => "no-token",
            Self::TokenRefused => "token-refused",
            Self::DeviceNotFound => "device-not-found",
            Self::OtherMachine => "other-machine",
            Self::RateLimited => "rate-limited",
            Self::Unreachable => "unreachable",
            Self::PortUnfit => "port-unfit",
            Self::VlansFailed => "vlans-failed",
            Self::PowerUncertain => "power-uncertain",
            Self::Refused => "refused",
        }
    }

    /// Whether it is about the machine's VLANs.
    #[must_use]
    pub fn is_of_vlans(self) -> bool {
        matches!(self, Self::PortUnfit | Self::VlansFailed)
    }

    /// What to look at or do.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::NoToken => {
                "give the server a token of the provider: a file of mode 0600 (equinix_token_file), or the variable THIRDBOOT_EQUINIX_TOKEN; until then power the machine and put its VLANs on by hand"
            }
            Self::TokenRefused => {
                "give the server a token that may read and write this machine: replace the token's file, it is read again at the next look"
            }
            Self::DeviceNotFound => {
                "correct provider.device, or use a token of the project that the machine belongs to; a machine that was given back is gone"
            }
            Self::OtherMachine => {
                "correct provider.device, or the host's MACs; until one of them is a port's of that machine, it is left alone"
            }
            Self::RateLimited => "nothing: the server asks again when the provider allows it",
            Self::Unreachable => {
                "look at the provider's status page and at equinix_url; the server asks again by itself"
            }
            Self::PortUnfit => {
                "convert the machine's network at the provider to layer 3 bonded or hybrid bonded, and unfreeze it; the server puts the VLANs on then"
            }
            Self::VlansFailed => {
                "check at the provider that these VLANs exist in the machine's metro and project; the server tries again by itself"
            }
            Self::PowerUncertain => {
                "look at the provider's page whether the machine starts; if it does not, reboot it there: it boots from the network. The server asks no second time in this run, cancel it and arm again to have it ask"
            }
            Self::Refused => "look at what the provider says; the server tries again by itself",
        }
    }
}

/// Something is wrong between this server and the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// For programs.
    pub kind: TroubleKind,
    /// Since when.
    pub since: Timestamp,
    /// What is seen.
    pub says: String,
}
