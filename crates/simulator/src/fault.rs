//! Ways to fail, each seen in the field.

use std::fmt;

/// One way in which a machine fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Armed, and nobody presses the button.
    NeverPowersOn,
    /// iPXE gets its script and refuses the kernel's TLS chain.
    KernelNotFetched,
    /// Too little memory: the kernel starts and never gets as far as the rootfs.
    RootfsNotFetched,
    /// The initramfs loses its network after the rootfs.
    ConfigNotFetched,
    /// The live config is fetched and fails to apply: emergency shell.
    ConfigNotApplied,
    /// The live system runs, and its disk check hangs on a dying disk.
    CheckHangs,
    /// The disk holds a Ceph OSD that nobody allowed to wipe: the claim is refused.
    DiskHoldsCeph,
    /// The installer stops at 40 %.
    InstallStuck,
    /// Power is lost in mid-install, and comes back.
    PowerCut,
    /// The firmware does not boot the disk and asks the network again and again.
    DiskDoesNotBoot,
    /// The installed system ends in the emergency shell of its first boot.
    NoFirstBoot,
    /// A package conflicts with the base.
    LayeringFails,
    /// The package repository never answers.
    LayeringStuck,
    /// Power is lost before the staged deployment was finalised, once.
    StagingLostOnce,
    /// The staged deployment is never finalised.
    StagingAlwaysLost,
    /// The switch does not carry the VLAN. Only a neighbour that does not answer tells: it needs one that was ready when
    /// the machine was armed.
    VlanMissing,
    /// The layered system runs, and its network check hangs.
    NetworkSilent,
    /// The first server of a cluster dies before it has begun it.
    FirstServerLost,
    /// The cluster refuses the node: a stale Node object.
    JoinRefused,
    /// The machine dies while it joins.
    SilentAfterJoin,
    /// Every answer to a report or a claim is lost once: the host says everything twice.
    LostAnswers,
}

/// The end that a machine is meant to come to, with the diagnosis' cause where it is not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meant {
    /// Ready.
    Ready,
    /// The run fails, by the host's own word or by a rule.
    Failed(&'static str),
    /// The run stalls; past its second deadline it fails, with the same cause.
    Stuck(&'static str),
}

impl Meant {
    /// The cause that the diagnosis is meant to name.
    #[must_use]
    pub fn cause(self) -> Option<&'static str> {
        match self {
            Self::Ready => None,
            Self::Failed(cause) | Self::Stuck(cause) => Some(cause),
        }
    }
}

impl fmt::Display for Meant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready => "ready",
            Self::Failed(_) => "failed",
            Self::Stuck(_) => "stalled",
        })?;
        self.cause().map_or(Ok(()), |cause| write!(f, " ({cause})"))
    }
}

impl Fault {
    /// Every fault, in the order of the three boots.
    pub const ALL: [Self; 21] = [
        Self::NeverPowersOn,
        Self::KernelNotFetched,
        Self::RootfsNotFetched,
        Self::ConfigNotFetched,
        Self::ConfigNotApplied,
        Self::CheckHangs,
        Self::DiskHoldsCeph,
        Self::InstallStuck,
        Self::PowerCut,
        Self::DiskDoesNotBoot,
        Self::NoFirstBoot,
        Self::LayeringFails,
        Self::LayeringStuck,
        Self::StagingLostOnce,
        Self::StagingAlwaysLost,
        Self::VlanMissing,
        Self::NetworkSilent,
        Self::FirstServerLost,
        Self::JoinRefused,
        Self::SilentAfterJoin,
        Self::LostAnswers,
    ];

    /// What happens to the machine, in a few words.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Self::NeverPowersOn => "nobody powers it on",
            Self::KernelNotFetched => "iPXE refuses the kernel's TLS chain",
            Self::RootfsNotFetched => "too little memory for the live system",
            Self::ConfigNotFetched => "the initramfs loses its network",
            Self::ConfigNotApplied => "the live config fails to apply",
            Self::CheckHangs => "the disk check hangs",
            Self::DiskHoldsCeph => "the disk holds a Ceph OSD",
            Self::InstallStuck => "the installer stops at 40 %",
            Self::PowerCut => "a power cut in mid-install",
            Self::DiskDoesNotBoot => "the firmware does not boot the disk",
            Self::NoFirstBoot => "the first boot ends in the emergency shell",
            Self::LayeringFails => "a package conflicts with the base",
            Self::LayeringStuck => "the package repository never answers",
            Self::StagingLostOnce => "the staged deployment is lost once",
            Self::StagingAlwaysLost => "the staged deployment is always lost",
            Self::VlanMissing => "the switch does not carry the VLAN",
            Self::NetworkSilent => "the network check hangs",
            Self::FirstServerLost => "the first server of its cluster dies",
            Self::JoinRefused => "the cluster refuses the node",
            Self::SilentAfterJoin => "it dies while it joins",
            Self::LostAnswers => "every answer is lost once",
        }
    }

    /// The end that is meant.
    #[must_use]
    pub fn meant(self) -> Meant {
        match self {
            Self::PowerCut | Self::StagingLostOnce | Self::LostAnswers => Meant::Ready,
            Self::DiskHoldsCeph | Self::LayeringFails => Meant::Failed("host-failed"),
            Self::JoinRefused => Meant::Failed("join-refused"),
            Self::StagingAlwaysLost => Meant::Failed("deployment-lost"),
            Self::NeverPowersOn => Meant::Stuck("never-asked"),
            Self::KernelNotFetched => Meant::Stuck("kernel-not-fetched"),
            Self::RootfsNotFetched => Meant::Stuck("rootfs-not-fetched"),
            Self::ConfigNotFetched => Meant::Stuck("config-not-fetched"),
            Self::ConfigNotApplied => Meant::Stuck("config-not-applied"),
            Self::CheckHangs => Meant::Stuck("no-claim"),
            Self::InstallStuck => Meant::Stuck("install-stuck"),
            Self::DiskDoesNotBoot => Meant::Stuck("disk-does-not-boot"),
            Self::NoFirstBoot => Meant::Stuck("no-first-boot"),
            Self::LayeringStuck => Meant::Stuck("layering-stuck"),
            Self::VlanMissing => Meant::Stuck("vlan-not-carried"),
            Self::NetworkSilent => Meant::Stuck("network-silent"),
            Self::FirstServerLost | Self::SilentAfterJoin => Meant::Stuck("join-stuck"),
        }
    }

    /// The stage in which the run is meant to get stuck or to fail; none for a machine that becomes ready.
    #[must_use]
    pub fn stage(self) -> Option<&'static str> {
        Some(match self {
            Self::PowerCut | Self::StagingLostOnce | Self::LostAnswers => return None,
            Self::NeverPowersOn => "armed",
            Self::KernelNotFetched | Self::RootfsNotFetched | Self::ConfigNotFetched | Self::ConfigNotApplied => {
                "netbooting"
            }
            Self::CheckHangs | Self::DiskHoldsCeph => "live",
            Self::InstallStuck => "installing",
            Self::DiskDoesNotBoot | Self::NoFirstBoot => "installed",
            Self::LayeringFails | Self::LayeringStuck => "layering",
            Self::StagingAlwaysLost => "layered",
            Self::VlanMissing | Self::NetworkSilent => "layered-boot",
            Self::FirstServerLost | Self::JoinRefused | Self::SilentAfterJoin => "joining",
        })
    }

    /// What the advice must speak of; none for a machine that becomes ready.
    #[must_use]
    pub fn advice(self) -> Option<&'static str> {
        Some(match self {
            Self::PowerCut | Self::StagingLostOnce | Self::LostAnswers => return None,
            Self::NeverPowersOn => "the machine is powered",
            Self::KernelNotFetched => "TLS chain",
            Self::RootfsNotFetched => "memory",
            Self::ConfigNotFetched => "initramfs lost its network",
            Self::ConfigNotApplied => "emergency shell",
            Self::CheckHangs | Self::DiskHoldsCeph => "disk check",
            Self::InstallStuck => "the disk is busy",
            Self::DiskDoesNotBoot => "disk_boot",
            Self::NoFirstBoot => "two file systems labelled boot",
            Self::LayeringFails | Self::LayeringStuck => "package repository",
            Self::StagingAlwaysLost => "orderly shutdown",
            Self::VlanMissing => "does not carry this VLAN",
            Self::NetworkSilent => "thirdboot-network.service",
            Self::JoinRefused => "delete it",
            Self::FirstServerLost | Self::SilentAfterJoin => "journal of k3s",
        })
    }

    /// Whether it only shows beside a neighbour that was ready before.
    #[must_use]
    pub fn needs_neighbour(self) -> bool {
        self == Self::VlanMissing
    }

    /// Whether it only happens to a machine that joins a cluster.
    #[must_use]
    pub fn needs_join(self) -> bool {
        matches!(self, Self::FirstServerLost | Self::JoinRefused | Self::SilentAfterJoin)
    }
}
