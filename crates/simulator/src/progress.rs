//! What a simulated machine does at the moment, for whoever watches.

use std::fmt;

/// A machine did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The machine's name, as given to the fleet.
    pub machine: String,
    /// What it does now.
    pub step: Step,
}

/// What a machine does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Power is on, the firmware looks around.
    Firmware,
    /// iPXE was told to wait, for this reason.
    Held(String),
    /// iPXE loads kernel and initramfs.
    Loading,
    /// The live system comes up.
    LiveBoot,
    /// It asks whether it may write.
    Claiming,
    /// It writes its disk, in percent.
    Installing(u8),
    /// It shuts down to boot again.
    Rebooting,
    /// It boots from its disk.
    DiskBoot,
    /// It layers packages.
    Layering,
    /// It brings up its network.
    Network,
    /// It asks to join, or waits for its turn.
    Joining,
    /// It waits for its turn to reboot into an update.
    Waiting,
    /// It is well again after its reboot, and about to give its slot back.
    Back,
    /// It is what it was to become.
    Ready,
    /// It hangs, for this reason; nobody told the server.
    Hangs(String),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Firmware => f.write_str("firmware"),
            Self::Held(reason) => write!(f, "held: {reason}"),
            Self::Loading => f.write_str("iPXE loads"),
            Self::LiveBoot => f.write_str("live system boots"),
            Self::Claiming => f.write_str("claims its disk"),
            Self::Installing(percent) => write!(f, "writes its disk, {percent} %"),
            Self::Rebooting => f.write_str("reboots"),
            Self::DiskBoot => f.write_str("boots from disk"),
            Self::Layering => f.write_str("layers packages"),
            Self::Network => f.write_str("brings up its network"),
            Self::Joining => f.write_str("joins"),
            Self::Waiting => f.write_str("waits for its turn to reboot"),
            Self::Back => f.write_str("is back from its reboot"),
            Self::Ready => f.write_str("ready"),
            Self::Hangs(why) => f.write_str(why),
        }
    }
}
