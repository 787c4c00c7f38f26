//! A host as its admin describes it, and the brakes an admin can put on it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ClusterName, DiskSelector, HostName, Mac, Network, Platform, Provider, Serial, SmbiosUuid};

/// One machine, as described by its admin, with what was pinned at its first live boot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Unique in the fleet.
    pub name: HostName,
    /// Network cards; a MAC belongs to one host only.
    #[serde(default)]
    pub macs: Vec<Mac>,
    /// Stated by the admin, or pinned at the first live boot.
    #[serde(default)]
    pub serial: Option<Serial>,
    /// Stated by the admin, or pinned at the first live boot.
    #[serde(default)]
    pub uuid: Option<SmbiosUuid>,
    /// Its processor's architecture.
    #[serde(default)]
    pub arch: Arch,
    /// Where it stands and how it is powered.
    #[serde(default)]
    pub platform: Platform,
    /// Which machine it is at its provider, where there is one to be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,
    /// What it becomes.
    #[serde(default)]
    pub role: Role,
    /// The cluster that a server or an agent joins.
    #[serde(default)]
    pub cluster: Option<ClusterName>,
    /// How a request is recognised as this host's.
    #[serde(default)]
    pub known_by: KnownBy,
    /// What the installed system brings up.
    #[serde(default)]
    pub network: Network,
    /// How it is installed and booted.
    #[serde(default)]
    pub install: Install,
    /// OpenSSH public keys of the user `core`.
    #[serde(default)]
    pub ssh_keys: Vec<String>,
    /// A crypt(5) hash for the console login of `core`, if any.
    #[serde(default)]
    pub console_password_hash: Option<String>,
    /// NTP servers; none means those of the operating system.
    #[serde(default)]
    pub time_servers: Vec<String>,
    /// Packages to layer on the second boot.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Free labels for people, filters and templates.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The admin's brake, if on.
    #[serde(default)]
    pub hold: Option<Hold>,
    /// Adopted from the unknown machines and not yet armed or released.
    #[serde(default)]
    pub adopted: bool,
    /// Out of service: gets its local disk and cannot be armed.
    #[serde(default)]
    pub retired: bool,
    /// Bumped by rotating the host's keys: goes into its boot and lock secrets.
    #[serde(default)]
    pub key_generation: u16,
}

impl Host {
    /// Every card that is known to be its own: those listed, and those named as ports.
    pub fn cards(&self) -> impl Iterator<Item = Mac> {
        self.macs.iter().copied().chain(self.network.ports())
    }
}

/// An admin's brake: the host's script polls and boots nothing until released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Why, in the admin's words.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
}

/// Processor architecture, as Fedora CoreOS names it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arch {
    /// 64-bit x86.
    #[default]
    #[serde(rename = "x86_64")]
    X86_64,
    /// 64-bit Arm.
    Aarch64,
}

impl Arch {
    /// The name in file names and stream metadata.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Aarch64 => "aarch64",
        }
    }
}

/// What a host becomes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// k3s control plane.
    Server,
    /// k3s worker.
    #[default]
    Agent,
    /// CI runner with podman; no k3s, joins nothing.
    Runner,
}

impl Role {
    /// Whether it joins a cluster.
    #[must_use]
    pub fn joins(self) -> bool {
        match self {
            Self::Server | Self::Agent => true,
            Self::Runner => false,
        }
    }

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Agent => "agent",
            Self::Runner => "runner",
        }
    }
}

/// How a request is recognised as a host's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KnownBy {
    /// Only its boot URL counts: where a provider runs iPXE.
    Key,
    /// MAC, serial and UUID count, from configured source prefixes: on a network of one's own.
    #[default]
    Address,
}

/// How a host is installed, and how its disk is booted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Install {
    /// Which disk; none means the only eligible one.
    #[serde(default)]
    pub disk: Option<DiskSelector>,
    /// How iPXE hands over to the disk.
    #[serde(default)]
    pub disk_boot: DiskBoot,
    /// Kernel consoles such as `ttyS1,115200n8`, the primary one last.
    #[serde(default)]
    pub console: Vec<String>,
    /// Further arguments for the kernels of the live and the installed system.
    #[serde(default)]
    pub kernel_arguments: Vec<String>,
    /// A pinned version of the operating system; none means the mirror's current one.
    #[serde(default)]
    pub version: Option<String>,
}

/// How iPXE hands over to the disk: firmwares differ (FACTS: a bare `exit` on some UEFI means "booted").
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiskBoot {
    /// `exit`: fall through to the next boot device.
    #[default]
    Exit,
    /// `exit 1`: for firmware that takes the success status for "booted".
    #[serde(rename = "exit-1")]
    Exit1,
    /// `sanboot --no-describe --drive 0x80`: BIOS only.
    Sanboot,
    /// Chain to the disk's own EFI loader.
    ChainEfi,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A host whose MAC and nothing else follows from its name.
    pub(crate) fn host(name: &str) -> Host {
        let sum = name
            .bytes()
            .fold(0_u16, |sum, byte| sum.wrapping_mul(31).wrapping_add(u16::from(byte)));
        let [high, low] = sum.to_be_bytes();
        let json = format!(r#"{{"name":"{name}","macs":["52:54:00:00:{high:02x}:{low:02x}"]}}"#);
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn an_unknown_field_is_refused() {
        let error = serde_json::from_str::<Host>(r#"{"name":"a","mac":[]}"#)
            .unwrap_err()
            .to_string();
        assert!(error.contains("unknown field `mac`"), "{error}");
    }

    #[test]
    fn names_on_the_wire_are_stable() {
        let json = serde_json::to_value((
            Arch::X86_64,
            Platform::EquinixMetal,
            Role::Runner,
            KnownBy::Key,
            DiskBoot::Exit1,
        ))
        .unwrap();
        assert_eq!(
            json,
            serde_json::json!(["x86_64", "equinix-metal", "runner", "key", "exit-1"])
        );
    }
}
