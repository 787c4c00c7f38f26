//! What is wrong with a machine beside its run: derived anew from what was seen, each time somebody looks. An alert
//! changes nothing: no run, no boot answer.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Deployment, Host, LockEvidence, Observed, Run, Stage, diagnose_lock, differences};

/// The kind of alert, as a word for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertKind {
    /// The booted deployment lacks packages that were to be layered.
    PackagesMissing,
    /// The network is not what the host's description asks for.
    NetworkDiffers,
    /// Sent to its disk, and no word from it since.
    NotBack,
    /// An older deployment runs than was seen before.
    RolledBack,
    /// A machine presented identifiers of this host and others that disagree.
    IdentifiersConflict,
    /// Holds a reboot lock for long.
    LockHeld,
    /// Its provider refuses or does not answer what is asked for it.
    AtProvider,
}

impl AlertKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::PackagesMissing,
        Self::NetworkDiffers,
        Self::NotBack,
        Self::RolledBack,
        Self::IdentifiersConflict,
        Self::LockHeld,
        Self::AtProvider,
    ];

    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PackagesMissing => "packages-missing",
            Self::NetworkDiffers => "network-differs",
            Self::NotBack => "not-back",
            Self::RolledBack => "rolled-back",
            Self::IdentifiersConflict => "identifiers-conflict",
            Self::LockHeld => "lock-held",
            Self::AtProvider => "at-provider",
        }
    }
}

/// Something is wrong with a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// For programs.
    pub kind: AlertKind,
    /// Since when, as far as is known.
    pub since: Timestamp,
    /// What is seen.
    pub says: String,
    /// What to look at or do.
    pub advice: String,
}

/// After how long silence and waiting become an alert, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertLimits {
    /// Between the local-disk script and the `booted` report.
    pub not_back_s: u32,
    /// Of a reboot lock.
    pub lock_held_s: u32,
    /// How long after its last sign a conflict is still told.
    pub conflict_s: u32,
}

impl Default for AlertLimits {
    /// POST, boot and the report's own patience take some machines ten minutes; a lock waits for a drain and a reboot.
    fn default() -> Self {
        Self {
            not_back_s: 15 * 60,
            lock_held_s: 60 * 60,
            conflict_s: 24 * 60 * 60,
        }
    }
}

/// What is wrong with the machine of `host` at `now`; `lock` is the reboot lock that it holds. In the order of the kinds.
#[must_use]
pub fn alerts(
    host: &Host,
    run: Option<&Run>,
    observed: Option<&Observed>,
    lock: Option<&LockEvidence>,
    limits: &AlertLimits,
    now: Timestamp,
) -> Vec<Alert> {
    if host.retired {
        return Vec::new();
    }
    let mut found = Vec::new();
    // While a run is under way its own diagnosis tells; what the machine was before is to be overwritten.
    let installed = run.filter(|run| run.stage.is_end() && (run.stage == Stage::Ready || run.was_installed()));
    if let (Some(_), Some(observed)) = (installed, observed) {
        found.extend(packages_missing(observed));
        found.extend(network_differs(host, observed));
    }
    found.extend(installed.and_then(|run| not_back(run, limits, now)));
    if let (Some(_), Some(observed)) = (installed, observed) {
        found.extend(rolled_back(observed));
    }
    found.extend(observed.and_then(|observed| conflict(observed, limits, now)));
    found.extend(lock.and_then(|lock| lock_held(lock, limits, now)));
    found.extend(observed.and_then(at_provider));
    found
}

fn alert(kind: AlertKind, since: Timestamp, says: String, advice: &str) -> Alert {
    Alert {
        kind,
        since,
        says,
        advice: advice.to_owned(),
    }
}

fn is_past(since: Timestamp, limit_s: u32, now: Timestamp) -> bool {
    now.duration_since(since) >= SignedDuration::from_secs(i64::from(limit_s))
}

fn packages_missing(observed: &Observed) -> Option<Alert> {
    let missing = observed.missing.as_ref().filter(|missing| !missing.is_empty())?;
    Some(alert(
        AlertKind::PackagesMissing,
        observed.at,
        format!("the booted deployment lacks {}", missing.join(", ")),
        "look at rpm-ostree status on the machine: a package was removed, or an update could not layer it",
    ))
}

fn network_differs(host: &Host, observed: &Observed) -> Option<Alert> {
    let differs = differences(&host.network, observed.network.as_ref()?);
    (!differs.is_empty()).then(|| {
        alert(
            AlertKind::NetworkDiffers,
            observed.at,
            format!("the network is not what was asked: {}", differs.join("; ")),
            "check the switch's VLANs and LACP for this machine's ports; a description that was changed since the install needs a new one",
        )
    })
}

fn not_back(run: &Run, limits: &AlertLimits, now: Timestamp) -> Option<Alert> {
    let since = run.evidence.local_since?;
    is_past(since, limits.not_back_s, now).then(|| {
        let scripts = run.evidence.local_scripts;
        let times = if scripts == 1 {
            "once".to_owned()
        } else {
            format!("{scripts} times")
        };
        alert(
            AlertKind::NotBack,
            since,
            format!("it rebooted and was sent to its disk {times}, and has not reported since"),
            "look at its console: the disk does not boot, the new deployment hangs, or its network does not come up",
        )
    })
}

fn rolled_back(observed: &Observed) -> Option<Alert> {
    let running = observed.deployment.as_ref()?;
    let newest = observed
        .deployments
        .last()
        .filter(|newest| newest.checksum != *running)?;
    let name = |deployment: &Deployment| {
        deployment
            .os_version
            .clone()
            .unwrap_or_else(|| deployment.checksum.chars().take(12).collect())
    };
    let before = observed.deployments.iter().find(|known| known.checksum == *running)?;
    Some(alert(
        AlertKind::RolledBack,
        observed.at,
        format!("it runs {} again, after {} ran before", name(before), name(newest)),
        "look at rpm-ostree status and at the journal of the newer deployment's boot: somebody rolled back, or it failed its health check",
    ))
}

fn conflict(observed: &Observed, limits: &AlertLimits, now: Timestamp) -> Option<Alert> {
    let conflict = observed.conflict.as_ref()?;
    (!is_past(conflict.last, limits.conflict_s, now)).then(|| {
        alert(
            AlertKind::IdentifiersConflict,
            conflict.since,
            format!(
                "a machine at {} asked for a script and is held: {}",
                conflict.source, conflict.why
            ),
            "a network card or a mainboard moved: correct the MACs, serial and UUID of the hosts concerned",
        )
    })
}

fn at_provider(observed: &Observed) -> Option<Alert> {
    let trouble = observed.provider.as_ref()?.trouble.as_ref()?;
    Some(alert(
        AlertKind::AtProvider,
        trouble.since,
        format!("at the provider: {}", trouble.says),
        trouble.kind.advice(),
    ))
}

fn lock_held(lock: &LockEvidence, limits: &AlertLimits, now: Timestamp) -> Option<Alert> {
    is_past(lock.since, lock.limit_s.unwrap_or(limits.lock_held_s), now).then(|| {
        let diagnosis = diagnose_lock(lock, now);
        alert(AlertKind::LockHeld, lock.since, diagnosis.says, &diagnosis.advice)
    })
}
