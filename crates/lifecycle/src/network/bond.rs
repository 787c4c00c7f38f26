//! A bond: its ports, and the bonding driver's settings.

use serde::{Deserialize, Serialize};

use crate::{Mac, Platform};

/// Ports that act as one link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bond {
    /// The bonding driver's mode.
    #[serde(default)]
    pub mode: BondMode,
    /// Ports by MAC, never by name: names change with firmware.
    #[serde(default)]
    pub ports: Vec<Mac>,
    /// Link check interval in milliseconds.
    #[serde(default = "Bond::default_miimon_ms")]
    pub miimon_ms: u32,
    /// Delay before a lost link counts, in milliseconds; a multiple of the interval.
    #[serde(default = "Bond::default_delay_ms")]
    pub down_delay_ms: u32,
    /// Delay before a new link is used, in milliseconds; a multiple of the interval.
    #[serde(default = "Bond::default_delay_ms")]
    pub up_delay_ms: u32,
    /// How often the partner sends LACP frames; 802.3ad only.
    #[serde(default)]
    pub lacp_rate: LacpRate,
    /// Which port a frame leaves by; for the modes that spread by a hash.
    #[serde(default = "Bond::default_hash")]
    pub xmit_hash_policy: XmitHashPolicy,
    /// Bytes; none means the driver's 1500.
    #[serde(default)]
    pub mtu: Option<u32>,
}

impl Bond {
    fn default_miimon_ms() -> u32 {
        100
    }

    // A row of an older version says none of these, and meant Equinix's values.
    fn default_delay_ms() -> u32 {
        200
    }

    fn default_hash() -> XmitHashPolicy {
        XmitHashPolicy::Layer34
    }

    /// A bond of no ports with what is usual on `platform`: Equinix's published values where its switches are, else
    /// the kernel's own, but for the mode and for a link check, without which a dead port stays in use.
    #[must_use]
    pub fn preset(platform: Platform) -> Self {
        let (delay_ms, lacp_rate, xmit_hash_policy) = match platform {
            Platform::EquinixMetal => (200, LacpRate::Fast, XmitHashPolicy::Layer34),
            Platform::Metal => (0, LacpRate::Slow, XmitHashPolicy::Layer2),
        };
        Self {
            mode: BondMode::Lacp,
            ports: Vec::new(),
            miimon_ms: 100,
            down_delay_ms: delay_ms,
            up_delay_ms: delay_ms,
            lacp_rate,
            xmit_hash_policy,
            mtu: None,
        }
    }
}

/// Declares an enum whose variants are the kernel's own words.
macro_rules! kernel_words {
    ($(#[$attribute:meta])* $name:ident { $( $(#[$variant_attribute:meta])* $variant:ident = $word:literal, )+ }) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $name {
            $( $(#[$variant_attribute])* #[serde(rename = $word)] $variant, )+
        }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The kernel's name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    };
}

kernel_words! {
    /// The bonding driver's mode, named as the kernel names it.
    #[derive(Default)]
    BondMode {
        /// IEEE 802.3ad link aggregation.
        #[default]
        Lacp = "802.3ad",
        /// One port at a time.
        ActiveBackup = "active-backup",
        /// Frame by frame over all ports.
        BalanceRr = "balance-rr",
        /// By a hash of the addresses.
        BalanceXor = "balance-xor",
        /// Everything over every port.
        Broadcast = "broadcast",
        /// By load when sending.
        BalanceTlb = "balance-tlb",
        /// By load in both directions.
        BalanceAlb = "balance-alb",
    }
}

impl BondMode {
    /// Whether a hash decides which port a frame leaves by.
    #[must_use]
    pub fn hashes(self) -> bool {
        matches!(self, Self::Lacp | Self::BalanceXor | Self::BalanceTlb)
    }
}

kernel_words! {
    /// How often LACP frames are asked for.
    #[derive(Default)]
    LacpRate {
        /// Every 30 seconds.
        Slow = "slow",
        /// Every second.
        #[default]
        Fast = "fast",
    }
}

kernel_words! {
    /// What of a frame decides which port it leaves by.
    #[derive(Default)]
    XmitHashPolicy {
        /// MACs.
        #[default]
        Layer2 = "layer2",
        /// MACs and IP addresses.
        Layer23 = "layer2+3",
        /// IP addresses and ports.
        Layer34 = "layer3+4",
        /// MACs and IP addresses inside a tunnel.
        Encap23 = "encap2+3",
        /// IP addresses and ports inside a tunnel.
        Encap34 = "encap3+4",
        /// VLAN id and source MAC.
        VlanSrcMac = "vlan+srcmac",
    }
}
