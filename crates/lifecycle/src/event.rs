//! What can happen to a run.

use serde::{Deserialize, Serialize};

use crate::{BootId, Claim, Grant, Identity, NetworkFacts, NodeWord, RunNumber};

/// Something that happened to a run. Claims arrive judged, network proofs compared: both need the host, a run does not.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Its install script was served.
    InstallScript,
    /// Its local-disk script was served.
    LocalScript,
    /// One of its files was served in full.
    Fetched(Fetch),
    /// Its claim was granted by `judge_claim`.
    Claimed {
        /// What was claimed.
        claim: Box<Claim>,
        /// What was granted.
        grant: Grant,
    },
    /// The live system found this very run's finished install on the disk.
    FoundInstalled,
    /// The host reports.
    Report {
        /// Which kind of secret the report came with.
        by: SecretKind,
        /// What it says.
        report: Box<Report>,
        /// Where the reported network differs from what was asked; empty is proof.
        differences: Vec<String>,
    },
    /// Join material was handed out to this boot.
    JoinHandedOut {
        /// The boot that asked.
        boot_id: BootId,
    },
    /// It asked to join and was told to wait.
    JoinWaits {
        /// Whose turn it is and why, for people.
        why: String,
    },
    /// It wanted to claim, and was told to wait: its new install would disrupt too much.
    ClaimWaits {
        /// What for, for people.
        why: String,
    },
    /// The cluster's API was asked about its node.
    NodeSeen(NodeWord),
    /// An admin cancels it.
    Cancel {
        /// Who, for the log.
        by: String,
    },
    /// Its permit is void from now on: the database was restored, or is another one than the epoch file says.
    PermitVoided {
        /// Why, for people.
        why: String,
    },
    /// The permit's time is over.
    PermitExpired,
    /// The stage's first deadline passed.
    Stall,
    /// The stage's second deadline passed.
    GiveUp {
        /// The diagnosis at that moment, for people.
        cause: String,
    },
}

/// An event's kind: what the table of transitions is keyed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each is the event or report of that name")]
pub enum EventKind {
    InstallScript,
    LocalScript,
    Fetched,
    Claimed,
    FoundInstalled,
    Live,
    Installing,
    Installed,
    InstallFailed,
    FirstBoot,
    Layering,
    Layered,
    LayerFailed,
    LayeredBoot,
    Network,
    JoinHandedOut,
    JoinWaits,
    ClaimWaits,
    NodeSeen,
    Joining,
    Ready,
    JoinFailed,
    Booted,
    Note,
    Cancel,
    PermitVoided,
    PermitExpired,
    Stall,
    GiveUp,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 29] = [
        Self::InstallScript,
        Self::LocalScript,
        Self::Fetched,
        Self::Claimed,
        Self::FoundInstalled,
        Self::Live,
        Self::Installing,
        Self::Installed,
        Self::InstallFailed,
        Self::FirstBoot,
        Self::Layering,
        Self::Layered,
        Self::LayerFailed,
        Self::LayeredBoot,
        Self::Network,
        Self::JoinHandedOut,
        Self::JoinWaits,
        Self::ClaimWaits,
        Self::NodeSeen,
        Self::Joining,
        Self::Ready,
        Self::JoinFailed,
        Self::Booted,
        Self::Note,
        Self::Cancel,
        Self::PermitVoided,
        Self::PermitExpired,
        Self::Stall,
        Self::GiveUp,
    ];

    /// The name in the log, on the wire and in the diagram.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InstallScript => "install-script",
            Self::LocalScript => "local-script",
            Self::Fetched => "fetched",
            Self::Claimed => "claimed",
            Self::FoundInstalled => "found-installed",
            Self::Live => "live",
            Self::Installing => "installing",
            Self::Installed => "installed",
            Self::InstallFailed => "install-failed",
            Self::FirstBoot => "first-boot",
            Self::Layering => "layering",
            Self::Layered => "layered",
            Self::LayerFailed => "layer-failed",
            Self::LayeredBoot => "layered-boot",
            Self::Network => "network",
            Self::JoinHandedOut => "join-handed-out",
            Self::JoinWaits => "join-waits",
            Self::ClaimWaits => "claim-waits",
            Self::NodeSeen => "node-seen",
            Self::Joining => "joining",
            Self::Ready => "ready",
            Self::JoinFailed => "join-failed",
            Self::Booted => "booted",
            Self::Note => "note",
            Self::Cancel => "cancel",
            Self::PermitVoided => "permit-voided",
            Self::PermitExpired => "permit-expired",
            Self::Stall => "stall",
            Self::GiveUp => "give-up",
        }
    }
}

/// A file that a run fetches, each of them evidence of how far a boot came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fetch {
    /// The live kernel.
    Kernel,
    /// The live initramfs.
    Initramfs,
    /// The pointer config, as an initrd or as JSON.
    Pointer,
    /// The live root file system.
    Rootfs,
    /// The live Ignition config.
    LiveConfig,
    /// The disk image.
    Image,
    /// Its signature.
    ImageSignature,
    /// Any other asset.
    Other,
}

impl Fetch {
    /// The name in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Initramfs => "initramfs",
            Self::Pointer => "pointer",
            Self::Rootfs => "rootfs",
            Self::LiveConfig => "live-config",
            Self::Image => "image",
            Self::ImageSignature => "image-signature",
            Self::Other => "other",
        }
    }
}

/// Which of a run's two reporting secrets a request came with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecretKind {
    /// Of the live system: live reports and the claim.
    Live,
    /// Of the installed system: everything after.
    Host,
}

/// What a host says of itself. (run, `boot_id`, seq) names it.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The run it belongs to.
    pub run: RunNumber,
    /// The boot it was made in.
    pub boot_id: BootId,
    /// Counted by the host, per boot.
    pub seq: u64,
    /// What is said.
    pub said: Said,
    /// In the host's own words, for people.
    pub message: Option<String>,
}

/// The events of PROTOCOL.md, each with the facts it must carry.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names are PROTOCOL.md's")]
pub enum Said {
    Live {
        identity: Identity,
    },
    Installing {
        percent: Option<u8>,
    },
    Installed {
        image: Option<String>,
        version: Option<String>,
        disk_serial: Option<String>,
        config_sha256: Option<String>,
    },
    InstallFailed,
    FirstBoot {
        os_version: Option<String>,
        deployment: Option<String>,
    },
    Layering,
    Layered {
        deployment: String,
    },
    LayerFailed,
    LayeredBoot {
        os_version: Option<String>,
        deployment: String,
    },
    Network(NetworkFacts),
    Joining,
    Ready,
    JoinFailed,
    Booted {
        os_version: Option<String>,
        deployment: Option<String>,
        network: Option<NetworkFacts>,
        missing: Option<Vec<String>>,
    },
    Note {
        inspection: bool,
    },
}

impl Said {
    /// Its kind in the table.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        match self {
            Self::Live { .. } => EventKind::Live,
            Self::Installing { .. } => EventKind::Installing,
            Self::Installed { .. } => EventKind::Installed,
            Self::InstallFailed => EventKind::InstallFailed,
            Self::FirstBoot { .. } => EventKind::FirstBoot,
            Self::Layering => EventKind::Layering,
            Self::Layered { .. } => EventKind::Layered,
            Self::LayerFailed => EventKind::LayerFailed,
            Self::LayeredBoot { .. } => EventKind::LayeredBoot,
            Self::Network(_) => EventKind::Network,
            Self::Joining => EventKind::Joining,
            Self::Ready => EventKind::Ready,
            Self::JoinFailed => EventKind::JoinFailed,
            Self::Booted { .. } => EventKind::Booted,
            Self::Note { .. } => EventKind::Note,
        }
    }

    /// Which secret such a report must come with; none means either.
    #[must_use]
    pub fn secret(&self) -> Option<SecretKind> {
        match self {
            Self::Live { .. } | Self::Installing { .. } | Self::Installed { .. } | Self::InstallFailed => {
                Some(SecretKind::Live)
            }
            Self::FirstBoot { .. }
            | Self::Layering
            | Self::Layered { .. }
            | Self::LayerFailed
            | Self::LayeredBoot { .. }
            | Self::Network(_)
            | Self::Joining
            | Self::Ready
            | Self::JoinFailed
            | Self::Booted { .. } => Some(SecretKind::Host),
            Self::Note { .. } => None,
        }
    }
}

impl Event {
    /// Its kind in the table.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        match self {
            Self::InstallScript => EventKind::InstallScript,
            Self::LocalScript => EventKind::LocalScript,
            Self::Fetched(_) => EventKind::Fetched,
            Self::Claimed { .. } => EventKind::Claimed,
            Self::FoundInstalled => EventKind::FoundInstalled,
            Self::Report { report, .. } => report.said.kind(),
            Self::JoinHandedOut { .. } => EventKind::JoinHandedOut,
            Self::JoinWaits { .. } => EventKind::JoinWaits,
            Self::ClaimWaits { .. } => EventKind::ClaimWaits,
            Self::NodeSeen(_) => EventKind::NodeSeen,
            Self::Cancel { .. } => EventKind::Cancel,
            Self::PermitVoided { .. } => EventKind::PermitVoided,
            Self::PermitExpired => EventKind::PermitExpired,
            Self::Stall => EventKind::Stall,
            Self::GiveUp { .. } => EventKind::GiveUp,
        }
    }
}
