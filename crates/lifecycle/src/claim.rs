//! "May I write this disk?": the live system's last question, and its answer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{BootId, Disk, Host, HostName, Identity, Permit, Purpose, Run, RunNumber, Stage};

/// The live system's question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The run whose permit is claimed.
    pub run: RunNumber,
    /// The boot that asks.
    pub boot_id: BootId,
    /// All MACs, serial and UUID of the machine.
    pub identity: Identity,
    /// The disk it would write.
    pub disk: Disk,
    /// Every disk of the machine, the chosen one among them.
    pub disks: Vec<Disk>,
}

/// The right to write, given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Which attempt this is, from 1.
    pub attempt: u8,
    /// How many the permit allows.
    pub of: u8,
}

/// Why nothing may be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimRefused {
    /// Do not write; the text says why, for a person at the console.
    #[error("{0}")]
    No(String),
    /// The disk already carries this very run's finished install: boot it.
    #[error("run {0} is already installed on this disk: boot it")]
    AlreadyInstalled(RunNumber),
}

fn no<T>(why: impl Into<String>) -> Result<T, ClaimRefused> {
    Err(ClaimRefused::No(why.into()))
}

/// Decides a claim. `others` are hosts that own one of the presented identifiers and are not `host`.
///
/// # Errors
/// Says why the disk must not be written. A refusal changes nothing.
pub fn judge_claim(
    host: &Host,
    run: &Run,
    claim: &Claim,
    others: &[HostName],
    now: Timestamp,
) -> Result<Grant, ClaimRefused> {
    if claim.run != run.number {
        return no(format!("run {} is over: the host's run is {}", claim.run, run.number));
    }
    let Purpose::Install { disk: selector, wipe } = &run.permit.purpose else {
        return no("this run only inspects: it never writes");
    };
    if !matches!(
        run.stage,
        Stage::Armed | Stage::Netbooting | Stage::Live | Stage::Installing
    ) {
        return match &run.ended {
            Some(ended) => no(format!("the run is {}: {}", run.stage, ended.cause)),
            None => no(format!("the run is {}: its permit is used up", run.stage)),
        };
    }
    if host.retired {
        return no("the host is retired");
    }
    if let Some(hold) = &host.hold {
        return no(format!("the host is on hold: {}", hold.reason));
    }
    if let Some(why) = run.permit.closed(now) {
        return no(why);
    }
    if let Some(why) = claim.identity.contradicts(host) {
        return no(format!("not the machine this permit is for: {why}"));
    }
    if claim.identity.is_empty() {
        return no("the machine presents no identifier: expected MACs, a serial or an SMBIOS UUID");
    }
    if !others.is_empty() {
        let names: Vec<&str> = others.iter().map(HostName::as_str).collect();
        return no(format!("an identifier of this machine belongs to {}", names.join(", ")));
    }
    right_disk(selector.as_ref(), claim)?;
    nothing_foreign(host, run, wipe, claim)?;
    attempt(run, claim)
}

/// The permit's disk, or the only eligible one.
fn right_disk(selector: Option<&crate::DiskSelector>, claim: &Claim) -> Result<(), ClaimRefused> {
    let disk = &claim.disk;
    if !claim.disks.iter().any(|other| other.is_same(disk)) {
        return no(format!(
            "the chosen disk {} is not among the machine's disks",
            disk.label()
        ));
    }
    if disk.read_only {
        return no(format!("{} is read-only", disk.label()));
    }
    if disk.size_bytes < crate::MIN_DISK_BYTES {
        return no(format!(
            "{} has {} bytes, expected at least {}",
            disk.label(),
            disk.size_bytes,
            crate::MIN_DISK_BYTES
        ));
    }
    if let Some(selector) = selector {
        if selector.names(disk) {
            return Ok(());
        }
        return no(format!(
            "the permit is for disk {}, not for {}",
            selector.as_str(),
            disk.label()
        ));
    }
    let eligible: Vec<&Disk> = claim.disks.iter().filter(|disk| disk.is_eligible()).collect();
    match eligible.as_slice() {
        [only] if only.is_same(disk) => Ok(()),
        [] | [_] => no(format!("{} is not an eligible disk", disk.label())),
        several => {
            let labels: Vec<String> = several.iter().map(|disk| disk.label()).collect();
            no(format!(
                "no disk was named and there are several: {}; arm with one of them",
                labels.join(", ")
            ))
        }
    }
}

/// The host's own earlier install may be overwritten; anything else only where the permit says `wipe`.
fn nothing_foreign(host: &Host, run: &Run, wipe: &[crate::DiskSelector], claim: &Claim) -> Result<(), ClaimRefused> {
    let may_wipe = |disk: &Disk| wipe.iter().any(|selector| selector.names(disk));
    let disk = &claim.disk;
    // What the machine says of the chosen disk in the list counts as much as what it says beside it.
    for told in std::iter::once(disk).chain(claim.disks.iter().filter(|other| other.is_same(disk))) {
        match &told.previous {
            Some(previous) if previous.host == host.name && previous.run == run.number && run.was_claimed() => {
                return Err(ClaimRefused::AlreadyInstalled(run.number));
            }
            Some(previous) if previous.host == host.name && previous.run >= run.number => {
                return no(format!(
                    "{} carries run {} of this host and the permit is for run {}: an older database must not wipe a newer install",
                    disk.label(),
                    previous.run,
                    run.number
                ));
            }
            Some(previous) if previous.host != host.name && !may_wipe(disk) => {
                return no(format!(
                    "{} carries an install of {}; arm with wipe to overwrite it",
                    disk.label(),
                    previous.host
                ));
            }
            _ => {}
        }
        if !told.holds.is_empty() && !may_wipe(disk) {
            return no(format!(
                "{} holds {}; arm with wipe to destroy it",
                disk.label(),
                told.holds.join(", ")
            ));
        }
    }
    for other in claim.disks.iter().filter(|other| !other.is_same(disk)) {
        let has_boot_label = other.previous.is_some() || other.holds.iter().any(|word| word == "boot-label");
        if has_boot_label && !may_wipe(other) {
            return no(format!(
                "{} carries a file system labelled boot, which would keep the new install from booting; arm with wipe to clear it",
                other.label()
            ));
        }
    }
    Ok(())
}

/// The same boot asking again for the same disk lost our answer; another boot is another attempt.
fn attempt(run: &Run, claim: &Claim) -> Result<Grant, ClaimRefused> {
    let Permit { attempts: of, .. } = run.permit;
    let Some(before) = &run.evidence.claimed else {
        return Ok(Grant { attempt: 1, of });
    };
    if !before.disk.is_same(&claim.disk) {
        return no(format!(
            "this run claimed {} before, not {}",
            before.disk.label(),
            claim.disk.label()
        ));
    }
    if before.boot_id == claim.boot_id {
        return Ok(Grant {
            attempt: before.attempt,
            of,
        });
    }
    if before.attempt >= of {
        return no(format!("all {of} attempts of this permit are used up"));
    }
    Ok(Grant {
        attempt: before.attempt + 1,
        of,
    })
}
