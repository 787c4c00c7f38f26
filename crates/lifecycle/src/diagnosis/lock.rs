//! Reboot locks: who holds one for long, and who waits for one before it is installed again.

use jiff::{SignedDuration, Timestamp};

use super::{Cause, Diagnosis, ago, found};
use crate::{GroupName, LockReason, Run, SlotState, Stage};

/// A reboot lock that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockEvidence {
    /// Its group.
    pub group: GroupName,
    /// Whether the node is still being drained.
    pub state: SlotState,
    /// Since when the host holds it.
    pub since: Timestamp,
    /// What for.
    pub reason: LockReason,
    /// What is known beside that, for people.
    pub note: Option<String>,
    /// After how long that is an alert, in seconds, where the group says so.
    pub limit_s: Option<u32>,
}

/// Why a reboot lock is held for longer than its limit.
#[must_use]
pub fn diagnose_lock(lock: &LockEvidence, now: Timestamp) -> Diagnosis {
    let mut says = format!(
        "the reboot lock of group {} was taken {} for {}",
        lock.group,
        ago(lock.since, now),
        lock.reason
    );
    if let Some(note) = &lock.note {
        says.push_str(": ");
        says.push_str(note);
    }
    let advice = match lock.reason {
        LockReason::Reinstall { .. } => {
            "the new install did not become ready: look at its run; once it is known that the machine is well, or gone for good, release the lock with `thirdboot lock release`: it never expires by itself"
        }
        LockReason::Update | LockReason::Monthly => {
            "the host never came back, its node does not become Ready, or somebody is logged in and holds the reboot up: look at its console; once it is known to be well, or gone for good, release the lock with `thirdboot lock release`: it never expires by itself"
        }
    };
    found(Cause::LockHeld, says, advice)
}

/// A live system that waits asks every 15 seconds, of which one in a minute is noted: after this it is silent.
const STILL_ASKS: SignedDuration = SignedDuration::from_mins(5);

/// It wants to be installed again, and that would disrupt too much: nothing is wrong with this host.
pub(super) fn waiting(run: &Run, now: Timestamp) -> Option<Diagnosis> {
    let asks_on = |asked_at| now.duration_since(asked_at) < STILL_ASKS;
    let wait = run.evidence.claim_wait.as_ref();
    let wait = wait.filter(|wait| run.stage == Stage::Live && asks_on(wait.asked_at))?;
    let says = format!(
        "the live system runs, and waits for its group's lock since {}: {}",
        ago(wait.since, now),
        wait.why
    );
    Some(found(
        Cause::WaitingForTurn,
        says,
        "nothing is wrong with this host: look at those that hold the lock with `thirdboot lock list`",
    ))
}
