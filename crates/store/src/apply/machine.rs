//! What a machine asks and says: scripts, claims, reports.

use thirdboot_lifecycle::{
    Claim, ClaimRefused, Event, Host, Identity, Observed, Refused, Report, Said, Script, SecretKind, Stage,
    differences, judge_claim, transition,
};

use super::{Applied, Change, Context, current, entry, moved, on_run, over};
use crate::{Actor, Answer, HostState, LogEntry, ReportAnswer};

pub(super) fn script_served(state: &HostState, script: Script, context: &Context<'_>) -> Applied {
    let event = match script {
        Script::Install(_) => Event::InstallScript,
        Script::Local => Event::LocalScript,
        Script::Hold(_) => {
            return Applied {
                change: Change::default(),
                answer: Ok(Answer::Done),
            };
        }
    };
    match (&state.run, script) {
        (Some(run), Script::Install(number)) if run.number != number => Applied::refuse(over(
            run.stage,
            format!("run {number} is over: the host's run is {}", run.number),
        )),
        (None, _) => Applied {
            change: Change::default(),
            answer: Ok(Answer::Done),
        },
        _ => on_run(state, &event, Actor::Host, context, Answer::Done),
    }
}

pub(super) fn claim_made(state: &HostState, claim: &Claim, context: &Context<'_>) -> Applied {
    let Some(run) = &state.run else {
        return Applied::refuse(ClaimRefused::No("the host was never armed".into()));
    };
    match judge_claim(&state.host, run, claim, context.others, context.now) {
        Ok(grant) => {
            let event = Event::Claimed {
                claim: Box::new(claim.clone()),
                grant,
            };
            let mut applied = on_run(state, &event, Actor::Host, context, Answer::Granted(grant));
            applied.change.host = pinned(&state.host, &claim.identity);
            applied
        }
        Err(refused @ ClaimRefused::AlreadyInstalled(_)) => {
            // The report of it was lost: the disk itself is the proof.
            let mut applied = on_run(state, &Event::FoundInstalled, Actor::Host, context, Answer::Done);
            if applied.answer.is_ok() {
                applied.change.host = preset_disk(
                    &state.host,
                    run.evidence
                        .claimed
                        .as_ref()
                        .and_then(|claimed| claimed.disk.serial.as_deref()),
                );
            }
            applied.answer = Err(refused.into());
            applied
        }
        Err(refused) => {
            let mut line = entry("claim", Actor::Host, Some(run));
            line.refused = Some(refused.to_string());
            Applied::refuse(refused).with(line)
        }
    }
}

/// The host with serial and UUID pinned, where it had none and the machine states them.
fn pinned(host: &Host, identity: &Identity) -> Option<Host> {
    let serial = host.serial.clone().or_else(|| identity.serial.clone());
    let uuid = host.uuid.clone().or_else(|| identity.uuid.clone());
    (serial != host.serial || uuid != host.uuid).then(|| Host {
        serial,
        uuid,
        ..host.clone()
    })
}

/// The host with its disk preset to the one that was installed, where none is set.
fn preset_disk(host: &Host, serial: Option<&str>) -> Option<Host> {
    let selector = serial?.parse().ok()?;
    let is_unset = host.install.disk.is_none();
    is_unset.then(|| {
        let mut host = host.clone();
        host.install.disk = Some(selector);
        host
    })
}

pub(super) fn report_made(
    state: &HostState,
    by: SecretKind,
    report: &Report,
    log: Option<&str>,
    context: &Context<'_>,
) -> Applied {
    let kind = report.said.kind();
    let mut line = entry(kind.as_str(), Actor::Host, state.run.as_ref());
    line.run = Some(report.run);
    line.report = Some((report.boot_id.to_string(), report.seq));
    line.message.clone_from(&report.message);
    line.log = log.map(str::to_owned);
    let observed = Observed::after(state.observed.as_ref(), report, context.now);
    let run = match current(state, report.run) {
        Ok(run) => run,
        // The previous run's system is still up until the new run claims: what it is, is worth knowing.
        Err(refused) if observed.is_none() || by != SecretKind::Host => return report_refused(refused, line),
        Err(_) => {
            let now_at = state.run.as_ref().map_or(Stage::Ready, |run| run.stage);
            let report_answer = Some(ReportAnswer::Recorded { stage: now_at });
            let change = Change {
                observed,
                report_answer,
                log: vec![line],
                ..Change::default()
            };
            return Applied {
                change,
                answer: Ok(Answer::Recorded(now_at)),
            };
        }
    };
    let facts_differ = match &report.said {
        Said::Network(facts) => differences(&state.host.network, facts),
        _ => Vec::new(),
    };
    let event = Event::Report {
        by,
        report: Box::new(report.clone()),
        differences: facts_differ,
    };
    match transition(run, &event, context.now) {
        Ok(next) => {
            let reached = next.stage;
            line.stage = Some(reached);
            let mut change = moved(run, next, vec![line]);
            change.host = match &report.said {
                // What another host owns is not pinned here: the next script and the claim say so.
                Said::Live { identity } if context.others.is_empty() => pinned(&state.host, identity),
                Said::Installed { disk_serial, .. } => preset_disk(&state.host, disk_serial.as_deref()),
                _ => None,
            };
            change.observed = observed;
            change.report_answer = Some(ReportAnswer::Recorded { stage: reached });
            Applied {
                change,
                answer: Ok(Answer::Recorded(reached)),
            }
        }
        Err(refused) => report_refused(refused, line),
    }
}

fn report_refused(refused: Refused, mut line: LogEntry) -> Applied {
    line.refused = Some(refused.why.clone());
    let mut applied = Applied::refuse(refused.clone()).with(line);
    applied.change.report_answer = Some(ReportAnswer::Refused {
        stage: refused.stage,
        why: refused.why,
        expected: refused.expected.iter().map(|&name| name.to_owned()).collect(),
        over: refused.over,
    });
    applied
}

/// Whoever presented identifiers that disagree is held by the decision; here it is only remembered.
pub(super) fn conflict_met(state: &HostState, why: &str, source: &str, context: &Context<'_>) -> Applied {
    let mut line = entry("conflict", Actor::Host, state.run.as_ref());
    line.message = Some(format!("{source}: {why}"));
    let change = Change {
        observed: Some(Observed::in_conflict(state.observed.as_ref(), why, source, context.now)),
        log: vec![line],
        ..Change::default()
    };
    Applied {
        change,
        answer: Ok(Answer::Done),
    }
}
