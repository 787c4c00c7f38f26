//! What a run's documents are made from.

use std::net::IpAddr;

use thirdboot_lifecycle::{GroupSettings, Host, PackageSources, Permit, RunNumber};

use crate::{BaseUrl, FileName, Overlay, Secret};

/// The files of one version of the operating system, as the mirror names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssetNames {
    /// The version, such as `43.20260901.3.0`.
    pub version: String,
    /// The live kernel.
    pub kernel: FileName,
    /// The live initramfs.
    pub initramfs: FileName,
    /// The live root file system.
    pub rootfs: FileName,
    /// The disk image; none means the one embedded in the live system.
    pub image: Option<FileName>,
}

/// Everything that one run's documents are made from. The same facts give the same bytes.
#[derive(Debug, Clone, Copy)]
pub struct RunFacts<'a> {
    /// The host.
    pub host: &'a Host,
    /// Its run.
    pub run: RunNumber,
    /// The run's permit: says which disk, which may be wiped, or that this only inspects.
    pub permit: &'a Permit,
    /// Base of configs, assets, claims, reports and joins.
    pub config_base: &'a BaseUrl,
    /// Base of what programs fetch that do not know our CA: a disk image.
    pub assets_base: &'a BaseUrl,
    /// For live reports and the claim.
    pub live: &'a Secret,
    /// For the installed system's reports and the join.
    pub host_secret: &'a Secret,
    /// For reboot locks.
    pub lock: &'a Secret,
    /// In the path of configs and assets.
    pub conf: &'a Secret,
    /// What is installed.
    pub assets: &'a AssetNames,
    /// What its role has beside the host's own packages, and where packages come from.
    pub sources: &'a PackageSources,
    /// How the hosts of its group update themselves, and when they reboot.
    pub updates: &'a GroupSettings,
    /// Addresses of ready hosts on its VLANs: one of them must answer before the VLAN counts as proven.
    pub peers: &'a [IpAddr],
    /// The VLAN of its cluster, where known.
    pub join_vlan: Option<u16>,
    /// The CA that hosts pin, as PEM.
    pub ca_pem: Option<&'a str>,
    /// Users' templates that go on top of the installed config.
    pub overlay: Overlay<'a>,
}
