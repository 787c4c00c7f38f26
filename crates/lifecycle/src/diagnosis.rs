//! Why a machine is stuck, from what a server can see. The rows are those of the field (FACTS.md, section 8).

mod join;
mod lock;
mod network;
mod provider;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use lock::{LockEvidence, diagnose_lock};

use crate::{Fetch, LOCAL_BOOTS_BEFORE_STALL, Run, Stage};

pub use provider::diagnose_with;

/// The likely cause, as a word for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Armed, and no request at all.
    NeverAsked,
    /// Script fetched, kernel never.
    KernelNotFetched,
    /// Kernel fetched, rootfs never.
    RootfsNotFetched,
    /// Rootfs fetched, Ignition config never.
    ConfigNotFetched,
    /// Ignition config fetched, no live report.
    ConfigNotApplied,
    /// Live, and no claim.
    NoClaim,
    /// Installing, and no end of it.
    InstallStuck,
    /// Installed, and iPXE again and again.
    DiskDoesNotBoot,
    /// Installed, and no report from the disk.
    NoFirstBoot,
    /// First boot or layering, and no end of it.
    LayeringStuck,
    /// Layered, and the old deployment again, or nothing.
    DeploymentLost,
    /// Third boot, and the network is not what was asked.
    NetworkDiffers,
    /// Third boot, the bond's ports have links, and the switch does not speak LACP to them.
    NoLacpPartner,
    /// Third boot, all is right on the host, and nobody on its VLAN answers.
    VlanNotCarried,
    /// Third boot, and no word of the network.
    NetworkSilent,
    /// Somebody else's turn to join, or to be away for a new install.
    WaitingForTurn,
    /// Networked, and the join did not happen.
    JoinStuck,
    /// The host runs, and the cluster does not call its node Ready.
    NodeNotReady,
    /// The cluster or this server refused it.
    JoinRefused,
    /// A runner's network is proven, and its podman does not answer.
    PodmanSilent,
    /// A reboot lock held for long.
    LockHeld,
    /// The provider refuses or does not answer what brings the machine on.
    AtProvider,
    /// The host itself said that it failed.
    HostFailed,
}

/// Cause and advice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// For programs.
    pub cause: Cause,
    /// What is seen and what it probably means.
    pub says: String,
    /// What to look at or do.
    pub advice: String,
}

fn found(cause: Cause, says: String, advice: &str) -> Diagnosis {
    Diagnosis {
        cause,
        says,
        advice: advice.to_owned(),
    }
}

/// How long ago, in the largest unit that tells.
fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).max(SignedDuration::ZERO).as_secs();
    match seconds {
        0..=119 => format!("{seconds} s ago"),
        120..=7199 => format!("{} min ago", seconds / 60),
        _ => format!("{} h ago", seconds / 3600),
    }
}

/// Why the run is where it is. Of use when it is stalled or failed; nothing for a run that goes well or was cancelled.
#[must_use]
pub fn diagnose(run: &Run, now: Timestamp) -> Option<Diagnosis> {
    let since = ago(run.entered_at, now);
    match run.stage {
        Stage::Failed => {
            let ended = run.ended.as_ref()?;
            let in_stage = Run {
                stage: ended.stage,
                stalled_since: Some(run.entered_at),
                ..run.clone()
            };
            let last_word = run.evidence.last_word.as_ref();
            if ended.stage.boot() == Some(3) && last_word.is_some_and(|word| word.event == "join-failed") {
                return Some(found(
                    Cause::JoinRefused,
                    format!("failed while {}: {}", ended.stage, ended.cause),
                    join::refused(&ended.cause),
                ));
            }
            // As of its end: what is over does not change its cause.
            let at_its_end = stalled(&in_stage, &since, run.entered_at);
            let said_by_host = run
                .evidence
                .last_word
                .as_ref()
                .is_some_and(|word| word.event.ends_with("-failed"));
            let cause = match &at_its_end {
                Some(diagnosis) if !said_by_host => diagnosis.cause,
                _ => Cause::HostFailed,
            };
            let advice = at_its_end.map_or_else(String::new, |diagnosis| diagnosis.advice);
            Some(Diagnosis {
                cause,
                says: format!("failed while {}: {}", ended.stage, ended.cause),
                advice,
            })
        }
        Stage::Cancelled => None,
        _ if run.stalled_since.is_none() => join::waiting(run, now).or_else(|| lock::waiting(run, now)),
        _ => stalled(run, &since, now),
    }
}

fn stalled(run: &Run, since: &str, now: Timestamp) -> Option<Diagnosis> {
    let evidence = &run.evidence;
    let loops = evidence.local_scripts >= LOCAL_BOOTS_BEFORE_STALL;
    Some(match run.stage {
        Stage::Armed => found(
            Cause::NeverAsked,
            format!("armed {since} and nothing has asked for a script since"),
            "check that the machine is powered, that network boot comes before the disk, that the provider's network boot is on, and that its boot URL or the network's boot file is the one shown for this host",
        ),
        Stage::Netbooting => netbooting(run, now),
        Stage::Live => lock::waiting(run, now).unwrap_or_else(|| {
            found(
                Cause::NoClaim,
                format!("the live system reported {since} and has not claimed its disk since"),
                "look at the console for the disk check: no disk, several disks with none named, or one that holds something; then arm with a disk or with wipe",
            )
        }),
        Stage::Installing => {
            let percent = evidence.percent.map_or_else(
                || "no progress was reported".to_owned(),
                |percent| format!("the last progress was {percent} %"),
            );
            found(
                Cause::InstallStuck,
                format!("the claim was granted {since}, {percent} and no end of the install was reported"),
                "the disk is busy, slow or missing, the image could not be fetched, or its signature was refused: look at the journal of coreos-installer.service on the console",
            )
        }
        Stage::Installed
        | Stage::FirstBoot
        | Stage::Layering
        | Stage::Layered
        | Stage::LayeredBoot
        | Stage::Networked
        | Stage::Joining
        | Stage::Ready
            if loops =>
        {
            found(
                Cause::DiskDoesNotBoot,
                format!(
                    "{} and sent to its disk {} times in a row without a report from it",
                    run.stage, evidence.local_scripts
                ),
                "no or a stale UEFI entry, the wrong way of booting the disk for this firmware, or a dead disk: try another disk_boot setting (exit, exit-1, sanboot, chain-efi) and look at the console",
            )
        }
        Stage::Installed => found(
            Cause::NoFirstBoot,
            format!("the install was reported {since} and the installed system has not reported since"),
            "two file systems labelled boot, a disk that the firmware does not boot, or an installed config that failed to apply (emergency shell): look at the console",
        ),
        Stage::FirstBoot | Stage::Layering => found(
            Cause::LayeringStuck,
            format!(
                "the installed system runs, and layering its packages has not ended ({} {since})",
                run.stage
            ),
            "a package repository or its key cannot be reached, or a package conflicts with the base: look at the journal of thirdboot-layer.service",
        ),
        Stage::Layered => found(
            Cause::DeploymentLost,
            format!(
                "the layered deployment was staged {since} and was not seen running since (lost {} times before)",
                evidence.rollbacks
            ),
            "a staged deployment is finalised only at an orderly shutdown: check that the machine rebooted cleanly, and rpm-ostree status for a rollback",
        ),
        Stage::LayeredBoot => network::stuck(run, since),
        Stage::Networked | Stage::Joining if run.role.joins() => join::stuck(run, since, now),
        Stage::Networked | Stage::Joining => found(
            Cause::PodmanSilent,
            format!(
                "the network is proven, and podman has not answered ({} {since})",
                run.stage
            ),
            "look at the journal of thirdboot-runner.service and at podman info on the host",
        ),
        Stage::Ready | Stage::Failed | Stage::Cancelled => return None,
    })
}

fn netbooting(run: &Run, now: Timestamp) -> Diagnosis {
    let fetched = |what: Fetch| run.evidence.fetched.get(&what).map(|seen| ago(seen.last, now));
    let Some(kernel) = fetched(Fetch::Kernel) else {
        let script = run
            .evidence
            .script
            .map_or_else(|| "some time ago".to_owned(), |seen| ago(seen.last, now));
        return found(
            Cause::KernelNotFetched,
            format!("the install script was served {script} and the kernel was never fetched"),
            "iPXE refused the TLS chain (serve scripts and assets over plain HTTP to it), the kernel is gone from the mirror (404), or the name of the server does not resolve on that network",
        );
    };
    if let Some(config) = fetched(Fetch::LiveConfig) {
        return found(
            Cause::ConfigNotApplied,
            format!("the live config was served {config} and no report came since: it probably failed to apply"),
            "the machine is probably in an emergency shell: look at its console for Ignition's error; a wrong clock or DNS on the host also keeps its report from arriving",
        );
    }
    if let Some(rootfs) = fetched(Fetch::Rootfs) {
        return found(
            Cause::ConfigNotFetched,
            format!("the rootfs was served {rootfs} and the live config was never fetched"),
            "the initramfs lost its network, the carrier came too late (rd.net.timeout.carrier=30), or the base URL of configs cannot be reached from there",
        );
    }
    found(
        Cause::RootfsNotFetched,
        format!("the kernel was served {kernel} and the rootfs was never fetched"),
        "too little memory (2 GiB at least), no driver for the network card in the initramfs, or LACP that does not come up: look at the console",
    )
}
