//! What comes in through the one door.

use thirdboot_lifecycle::{BootId, DeviceId, Host, NodeWord, ProviderLook};
use thirdboot_lifecycle::{Claim, Fetch, Grant, Identity, Permit, Report, RunNumber, Said, Script, SecretKind, Stage};

use crate::{Actor, Document, HostId, ReportKey};

/// A change that somebody wants of one host.
#[derive(Debug, Clone)]
pub enum Submission {
    /// A person allows a machine to be wiped (or inspected): begins a run.
    Arm {
        /// What is allowed.
        permit: Permit,
        /// What the run will be served.
        documents: Vec<Document>,
        /// The row's version that the documents were rendered from.
        expected_version: u64,
        /// Who.
        by: Actor,
    },
    /// A person ends the current run.
    Cancel {
        /// Who.
        by: Actor,
    },
    /// A person puts the brake on.
    Hold {
        /// Why.
        reason: String,
        /// Who.
        by: Actor,
    },
    /// A person takes the brake off; also releases an adopted machine.
    Release {
        /// Who.
        by: Actor,
    },
    /// A person replaces the description.
    Update {
        /// The new description; hold, adoption, retirement and key generation stay as they are.
        host: Box<Host>,
        /// The row's version it was made from.
        expected_version: u64,
        /// Who.
        by: Actor,
    },
    /// A person takes the host out of service: it gets its disk and cannot be armed.
    Retire {
        /// Who.
        by: Actor,
    },
    /// A person takes it into service again.
    Unretire {
        /// Who.
        by: Actor,
    },
    /// A person makes its boot and lock secrets new.
    RotateKey {
        /// Who.
        by: Actor,
    },
    /// A person removes a retired host with all that is kept of it.
    Remove,
    /// A script is about to be served.
    Script {
        /// Which.
        script: Script,
    },
    /// A file of the run was served in full.
    Fetched {
        /// Of which run.
        run: RunNumber,
        /// What.
        what: Fetch,
    },
    /// The live system asks whether it may write.
    Claim(Box<Claim>),
    /// The host reports.
    Report {
        /// With which secret.
        by: SecretKind,
        /// What.
        report: Box<Report>,
        /// A log tail, already cut and redacted.
        log: Option<String>,
    },
    /// Join material is about to be handed out.
    JoinHandedOut {
        /// To which run.
        run: RunNumber,
        /// To which boot.
        boot_id: BootId,
    },
    /// It asked to join and is about to be told to wait.
    JoinWaits {
        /// Which run.
        run: RunNumber,
        /// Whose turn it is and why, for people.
        why: String,
    },
    /// It wanted to claim, and is about to be told to wait: its new install would disrupt too much.
    ClaimWaits {
        /// Which run.
        run: RunNumber,
        /// What for, for people.
        why: String,
    },
    /// The cluster's API was asked about the node of a run.
    NodeSeen {
        /// Which run.
        run: RunNumber,
        /// What it says.
        word: NodeWord,
    },
    /// A machine presented identifiers of this host and others that disagree.
    Conflict {
        /// What disagrees.
        why: String,
        /// Where it asked from.
        source: String,
    },
    /// The provider was asked about the machine. Refused once the host names another one.
    AtProvider {
        /// Which machine.
        device: DeviceId,
        /// What came of it.
        look: Box<ProviderLook>,
    },
    /// The reconciler looks whether something is due.
    Due,
    /// The permit allows nothing more: the database is not the one that issued it last.
    VoidPermit {
        /// Why, for people.
        why: String,
    },
}

impl Submission {
    /// The identifiers whose other owners `apply` must know, loaded in the same transaction.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Claim(claim) => Some(&claim.identity),
            Self::Report { report, .. } => match &report.said {
                Said::Live { identity } => Some(identity),
                _ => None,
            },
            _ => None,
        }
    }

    /// The key under which its answer is kept, for reports.
    #[must_use]
    pub fn report_key(&self, host: HostId) -> Option<ReportKey> {
        match self {
            Self::Report { report, .. } => Some(ReportKey {
                host,
                run: report.run,
                boot_id: report.boot_id.clone(),
                seq: report.seq,
            }),
            _ => None,
        }
    }
}

/// The answer to a submission that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Done.
    Done,
    /// Armed: this run began.
    Armed(RunNumber),
    /// The claim was granted.
    Granted(Grant),
    /// The report was recorded; the run's stage after it.
    Recorded(Stage),
}
