//! What people do to a host: arm, hold, release, describe, retire, remove.

use jiff::Timestamp;
use thirdboot_lifecycle::{Hold, Host, Permit, Run, RunNumber, arm_refused};

use super::{Applied, Change, entry};
use crate::{Actor, Answer, Document, HostState, SubmitError};

fn outdated(state: &HostState, expected: u64) -> Option<Applied> {
    (state.version != expected).then(|| {
        Applied::refuse(SubmitError::Outdated {
            current: state.version,
            expected,
        })
    })
}

fn done(change: Change) -> Applied {
    Applied {
        change,
        answer: Ok(Answer::Done),
    }
}

pub(super) fn arm(state: &HostState, permit: &Permit, documents: &[Document], expected: u64, by: &Actor) -> Applied {
    if let Some(refusal) = outdated(state, expected) {
        return refusal;
    }
    if let Some(why) = arm_refused(&state.host, state.run.as_ref()) {
        return Applied::refuse(SubmitError::NotNow(why));
    }
    let number = state.run.as_ref().map_or(RunNumber(1), |run| run.number.next());
    let mut run = Run::begin(number, &state.host, permit.clone());
    let before = state.run.as_ref().filter(|run| run.has_been_ready());
    run.replaces = before.map(|before| before.group_in_force(&state.host));
    let host = state.host.adopted.then(|| Host {
        adopted: false,
        ..state.host.clone()
    });
    let log = vec![entry("armed", by.clone(), Some(&run))];
    let change = Change {
        host,
        run: Some(run),
        documents: Some(documents.to_vec()),
        log,
        ..Change::default()
    };
    Applied {
        change,
        answer: Ok(Answer::Armed(number)),
    }
}

pub(super) fn hold(state: &HostState, reason: &str, by: &Actor, now: Timestamp) -> Applied {
    let hold = Hold {
        reason: reason.to_owned(),
        since: now,
    };
    let mut line = entry("hold", by.clone(), state.run.as_ref());
    line.message = Some(reason.to_owned());
    let host = Host {
        hold: Some(hold),
        ..state.host.clone()
    };
    done(Change {
        host: Some(host),
        closes_permit: true,
        log: vec![line],
        ..Change::default()
    })
}

pub(super) fn release(state: &HostState, by: &Actor) -> Applied {
    if state.host.hold.is_none() && !state.host.adopted {
        return Applied::refuse(SubmitError::NotNow("the host is not on hold".into()));
    }
    let host = Host {
        hold: None,
        adopted: false,
        ..state.host.clone()
    };
    let log = vec![entry("release", by.clone(), state.run.as_ref())];
    done(Change {
        host: Some(host),
        log,
        ..Change::default()
    })
}

pub(super) fn update(state: &HostState, host: &Host, expected: u64, by: &Actor) -> Applied {
    if let Some(refusal) = outdated(state, expected) {
        return refusal;
    }
    let current = &state.host;
    let host = Host {
        hold: current.hold.clone(),
        adopted: current.adopted,
        retired: current.retired,
        key_generation: current.key_generation,
        ..host.clone()
    };
    let log = vec![entry("updated", by.clone(), state.run.as_ref())];
    done(Change {
        host: Some(host),
        log,
        ..Change::default()
    })
}

/// Changes the host itself, and logs that under this name.
fn described(state: &HostState, event: &str, by: &Actor, change: impl FnOnce(&mut Host)) -> Applied {
    let mut host = state.host.clone();
    change(&mut host);
    done(Change {
        host: Some(host),
        log: vec![entry(event, by.clone(), state.run.as_ref())],
        ..Change::default()
    })
}

fn not_now(why: impl Into<String>) -> Applied {
    Applied::refuse(SubmitError::NotNow(why.into()))
}

/// Legal when no run is under way: the machine must not be left half-way.
pub(super) fn retire(state: &HostState, by: &Actor) -> Applied {
    match &state.run {
        _ if state.host.retired => not_now("the host is retired already"),
        Some(run) if !run.stage.is_end() => not_now(format!(
            "run {} is {}: cancel it first, or wait until it has ended",
            run.number, run.stage
        )),
        _ => described(state, "retired", by, |host| host.retired = true),
    }
}

pub(super) fn unretire(state: &HostState, by: &Actor) -> Applied {
    if !state.host.retired {
        return not_now("the host is not retired");
    }
    described(state, "unretired", by, |host| host.retired = false)
}

/// The secrets of a run that is under way stay as they are: its documents carry them.
pub(super) fn rotate_key(state: &HostState, by: &Actor) -> Applied {
    match state.host.key_generation.checked_add(1) {
        Some(next) => described(state, "key-rotated", by, |host| host.key_generation = next),
        None => not_now("the host's keys were rotated as often as they can be: add it anew"),
    }
}

pub(super) fn remove(state: &HostState) -> Applied {
    if !state.host.retired {
        return not_now("the host is not retired: retire it first");
    }
    done(Change {
        remove: true,
        ..Change::default()
    })
}
