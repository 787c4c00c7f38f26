//! What a machine that asks for a script gets. Decided anew at every boot.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Host, Identified, Run, RunNumber, Stage};

/// The script a machine gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Script {
    /// Starts the live system of this run.
    Install(RunNumber),
    /// Boots the disk.
    Local,
    /// Polls, and boots nothing.
    Hold(HoldReason),
}

/// Why a machine is kept waiting. The words of PROTOCOL.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HoldReason {
    /// No host has its identifiers, or it may not ask for an install this way.
    Unknown,
    /// An admin holds it.
    Held,
    /// Its identifiers disagree.
    Conflict,
    /// The permit's attempts are used up and the disk is in pieces.
    Attempts,
    /// The run ended between claim and install: the disk is in pieces.
    FailedAfterClaim,
    /// Adopted, and neither armed nor released yet.
    Adopted,
}

impl HoldReason {
    /// The word in the script's second line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Held => "held",
            Self::Conflict => "conflict",
            Self::Attempts => "attempts",
            Self::FailedAfterClaim => "failed-after-claim",
            Self::Adopted => "adopted",
        }
    }
}

/// What is known of whoever asks, apart from whose identifiers they present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asker {
    /// Came with the host's boot secret, or from a configured source prefix for a host known by address. Guards
    /// install answers only, never disk boots.
    pub may_install: bool,
    /// What an unknown machine gets: its disk, or a hold.
    pub unknown_boots_disk: bool,
}

/// Decides which script a machine gets. `run` is the identified host's last run.
#[must_use]
pub fn decide(identified: &Identified<'_>, run: Option<&Run>, asker: Asker, now: Timestamp) -> Script {
    match identified {
        Identified::Host(host) => decide_for(host, run, asker.may_install, now),
        Identified::Conflict { .. } => Script::Hold(HoldReason::Conflict),
        Identified::Unknown if asker.unknown_boots_disk => Script::Local,
        Identified::Unknown => Script::Hold(HoldReason::Unknown),
    }
}

fn decide_for(host: &Host, run: Option<&Run>, may_install: bool, now: Timestamp) -> Script {
    if host.retired {
        return Script::Local;
    }
    if host.hold.is_some() {
        return Script::Hold(HoldReason::Held);
    }
    let Some(run) = run else {
        return if host.adopted {
            Script::Hold(HoldReason::Adopted)
        } else {
            Script::Local
        };
    };
    let install = if may_install {
        Script::Install(run.number)
    } else {
        Script::Hold(HoldReason::Unknown)
    };
    let permit_is_open = run.permit.closed(now).is_none();
    #[expect(clippy::match_same_arms, reason = "one arm a row of the design's table")]
    match run.stage {
        Stage::Armed | Stage::Netbooting | Stage::Live if permit_is_open => install,
        // Expired, and the reconciler has not stored it yet: nothing was touched.
        Stage::Armed | Stage::Netbooting | Stage::Live => Script::Local,
        Stage::Installing if !run.has_attempts_left() => Script::Hold(HoldReason::Attempts),
        Stage::Installing if permit_is_open => install,
        Stage::Installing => Script::Hold(HoldReason::FailedAfterClaim),
        Stage::Installed
        | Stage::FirstBoot
        | Stage::Layering
        | Stage::Layered
        | Stage::LayeredBoot
        | Stage::Networked
        | Stage::Joining
        | Stage::Ready => Script::Local,
        Stage::Failed | Stage::Cancelled if run.was_claimed() && !run.was_installed() => {
            Script::Hold(HoldReason::FailedAfterClaim)
        }
        Stage::Failed | Stage::Cancelled => Script::Local,
    }
}
