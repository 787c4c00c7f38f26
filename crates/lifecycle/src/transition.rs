//! The one function that moves a run.

use jiff::Timestamp;

use crate::evidence::Staged;
use crate::{
    BootId, Claimed, Ended, Event, EventKind, Evidence, Installed, JoinWait, LastWord, NodeSeen, NodeWord, Purpose,
    ROWS, ReadyBy, Report, Role, Run, Said, Seen, Stage, Then, row_for,
};

/// How often a staged deployment may be lost before the run fails.
pub const MAX_ROLLBACKS: u8 = 3;

/// How many local-disk scripts in a row without a report mean that the disk does not boot.
pub const LOCAL_BOOTS_BEFORE_STALL: u8 = 3;

/// An event that is not legal here. It changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{event} is refused: {why}")]
pub struct Refused {
    /// The event's name.
    pub event: &'static str,
    /// The run's stage.
    pub stage: Stage,
    /// Why, for people.
    pub why: String,
    /// Which events were expected instead, by name.
    pub expected: Vec<&'static str>,
    /// The run has ended: nothing more of it will ever be taken.
    pub over: bool,
}

impl Refused {
    /// A refusal of `kind` for a run in `stage`.
    #[must_use]
    pub fn new(stage: Stage, kind: EventKind, why: impl Into<String>) -> Self {
        let over = matches!(stage, Stage::Failed | Stage::Cancelled);
        let expected = ROWS
            .iter()
            .filter(|row| row.from == stage && row.then.targets(stage) != [stage])
            .map(|row| row.on.as_str());
        Self {
            event: kind.as_str(),
            stage,
            why: why.into(),
            expected: expected.collect(),
            over,
        }
    }
}

/// Moves `run` by `event`. Pure: the run that comes back is the whole effect.
///
/// # Errors
/// An event that is not legal in the run's stage, or whose evidence contradicts it, is refused and changes nothing.
pub fn transition(run: &Run, event: &Event, now: Timestamp) -> Result<Run, Refused> {
    let kind = event.kind();
    let refuse = |why: String| Err(Refused::new(run.stage, kind, why));
    let Some(row) = row_for(run.stage, kind) else {
        return refuse(format!("the run is {}", run.stage));
    };
    if let Some(why) = contradiction(run, event, now) {
        return refuse(why);
    }
    let to = match row.then {
        Then::Stay => run.stage,
        Then::Go(stage) | Then::Infer(stage) => stage,
        Then::Either(_) => choose(run, event),
    };
    let mut next = run.clone();
    record(&mut next, event, now);
    enter(&mut next, to, event, now);
    Ok(next)
}

/// What speaks against an event that the table allows.
fn contradiction(run: &Run, event: &Event, now: Timestamp) -> Option<String> {
    match event {
        Event::JoinHandedOut { .. } if !run.role.joins() => Some("a runner joins nothing".into()),
        Event::PermitExpired if now < run.permit.expires_at => {
            Some(format!("the permit is valid until {}", run.permit.expires_at))
        }
        Event::Claimed { .. } if run.permit.closed(now).is_some() => run.permit.closed(now),
        Event::Claimed { .. } if run.permit.purpose == Purpose::Inspect => Some("this run only inspects".into()),
        Event::Report { by, report, .. } => {
            if report.said.secret().is_some_and(|needed| needed != *by) {
                return Some("it came with the secret of another stage".into());
            }
            report_contradiction(run, report)
        }
        _ => None,
    }
}

fn report_contradiction(run: &Run, report: &Report) -> Option<String> {
    match report.said {
        Said::Joining if !run.role.joins() => Some("a runner joins nothing".into()),
        Said::Ready if run.stage == Stage::Networked && run.role != Role::Runner => {
            Some("no join material was handed out yet".into())
        }
        Said::LayeredBoot { .. } => {
            let staged = run.evidence.staged.as_ref()?;
            let not_rebooted = run.stage == Stage::Layered && staged.boot_id == report.boot_id;
            not_rebooted
                .then(|| "the boot that staged the deployment cannot be the one that runs it: reboot first".into())
        }
        _ => None,
    }
}

/// Where an event leads whose outcome depends on the evidence.
fn choose(run: &Run, event: &Event) -> Stage {
    let (report, differences) = match event {
        Event::Report {
            report, differences, ..
        } => (report, differences),
        Event::NodeSeen(NodeWord::Ready) => return Stage::Ready,
        _ => return run.stage,
    };
    match &report.said {
        Said::Ready if run.stage == Stage::Joining => {
            let contradicted = run.evidence.node.as_ref().is_some_and(|seen| seen.word.contradicts());
            if contradicted { Stage::Joining } else { Stage::Ready }
        }
        Said::Note { inspection: true } if run.permit.purpose == Purpose::Inspect => Stage::Cancelled,
        Said::Network(_) if differences.is_empty() => Stage::Networked,
        said if lost_staging(run, &report.boot_id, said) => {
            if run.evidence.rollbacks >= MAX_ROLLBACKS {
                Stage::Failed
            } else {
                Stage::Layering
            }
        }
        Said::LayeredBoot { .. } if run.stage == Stage::Layered => Stage::LayeredBoot,
        _ => run.stage,
    }
}

/// Whether another boot than the one that staged runs something else than what was staged.
fn lost_staging(run: &Run, boot_id: &BootId, said: &Said) -> bool {
    let Some(staged) = &run.evidence.staged else {
        return false;
    };
    let runs_it = match said {
        Said::LayeredBoot { deployment, .. } => *deployment == staged.deployment,
        Said::FirstBoot { deployment, .. } => deployment.as_ref() == Some(&staged.deployment),
        Said::Layering => false,
        _ => true,
    };
    !runs_it && *boot_id != staged.boot_id
}

/// Keeps what the event shows.
fn record(run: &mut Run, event: &Event, now: Timestamp) {
    match event {
        Event::InstallScript => run.evidence.script = Some(Seen::again(run.evidence.script, now)),
        Event::LocalScript => {
            run.evidence.local_scripts = run.evidence.local_scripts.saturating_add(1);
            run.evidence.local_since.get_or_insert(now);
            if run.evidence.local_scripts >= LOCAL_BOOTS_BEFORE_STALL {
                run.stalled_since.get_or_insert(now);
            }
        }
        Event::Fetched(what) => {
            let before = run.evidence.fetched.get(what).copied();
            if before.is_none() {
                run.stalled_since = None;
            }
            run.evidence.fetched.insert(*what, Seen::again(before, now));
        }
        Event::Claimed { claim, grant } => {
            run.evidence.note_boot(1, &claim.boot_id, now);
            let is_repeat = run
                .evidence
                .claimed
                .as_ref()
                .is_some_and(|claimed| claimed.attempt == grant.attempt);
            if !is_repeat {
                run.evidence.percent = None;
                run.evidence.claimed = Some(Claimed {
                    boot_id: claim.boot_id.clone(),
                    attempt: grant.attempt,
                    disk: claim.disk.clone(),
                    at: now,
                });
            }
        }
        Event::Report {
            report, differences, ..
        } => record_report(run, report, differences, now),
        Event::PermitVoided { why } => run.permit.void(now, why),
        Event::PermitExpired => run.permit.void(now, "its time is over"),
        Event::Stall => {
            run.stalled_since.get_or_insert(now);
        }
        Event::JoinWaits { why } => wait(&mut run.evidence.join_wait, why, now),
        Event::ClaimWaits { why } => wait(&mut run.evidence.claim_wait, why, now),
        Event::NodeSeen(word) => {
            run.evidence.node = Some(NodeSeen {
                at: now,
                word: word.clone(),
            });
        }
        // What an earlier try to join left is no word on this one.
        Event::JoinHandedOut { .. } => run.evidence.join_wait = None,
        Event::FoundInstalled | Event::Cancel { .. } | Event::GiveUp { .. } => {}
    }
}

/// It asked again and waits, perhaps for something else than before.
fn wait(place: &mut Option<JoinWait>, why: &str, now: Timestamp) {
    let before = place.take().filter(|wait| wait.why == why);
    *place = Some(JoinWait {
        since: before.map_or(now, |wait| wait.since),
        asked_at: now,
        why: why.to_owned(),
    });
}

fn record_report(run: &mut Run, report: &Report, differences: &[String], now: Timestamp) {
    let lost = lost_staging(run, &report.boot_id, &report.said);
    let was_looping = run.evidence.local_scripts >= LOCAL_BOOTS_BEFORE_STALL;
    let is_new = is_new(&run.evidence, report, differences);
    let evidence = &mut run.evidence;
    evidence.local_scripts = 0;
    evidence.local_since = None;
    if is_new || was_looping {
        run.stalled_since = None;
    }
    if is_new {
        evidence.moved_at = Some(now);
        let name = report.said.kind().as_str();
        if !evidence.heard.iter().any(|heard| heard == name) {
            evidence.heard.push(name.to_owned());
        }
    }
    evidence.last_word = Some(LastWord {
        at: now,
        event: report.said.kind().as_str().to_owned(),
        message: report.message.clone(),
    });
    if let Some(role) = boot_role(&report.said) {
        evidence.note_boot(role, &report.boot_id, now);
    }
    match &report.said {
        Said::Installing { percent } => evidence.percent = percent.or(evidence.percent),
        Said::Installed {
            image,
            version,
            disk_serial,
            config_sha256,
        } => {
            evidence.installed = Some(Installed {
                image: image.clone(),
                version: version.clone(),
                disk_serial: disk_serial.clone(),
                config_sha256: config_sha256.clone(),
            });
            evidence.inferred.retain(|stage| *stage != Stage::Installed);
        }
        Said::FirstBoot { os_version, deployment } => {
            let boot = evidence.note_boot(2, &report.boot_id, now);
            boot.os_version.clone_from(os_version);
            boot.deployment.clone_from(deployment);
            if evidence.first_deployment.is_none() {
                evidence.first_deployment.clone_from(deployment);
            }
        }
        Said::Layered { deployment } => {
            evidence.staged = Some(Staged {
                deployment: deployment.clone(),
                boot_id: report.boot_id.clone(),
            });
        }
        Said::LayeredBoot { os_version, deployment } => {
            let boot = evidence.note_boot(3, &report.boot_id, now);
            boot.os_version.clone_from(os_version);
            boot.deployment = Some(deployment.clone());
            evidence.staged.get_or_insert_with(|| Staged {
                deployment: deployment.clone(),
                boot_id: report.boot_id.clone(),
            });
        }
        Said::Network(facts) => {
            evidence.network = Some(facts.clone());
            evidence.network_differs = differences.to_vec();
        }
        _ => {}
    }
    if lost {
        evidence.rollbacks = evidence.rollbacks.saturating_add(1);
        evidence.staged = None;
    }
}

/// Whether a report shows something that was not known in this stage: a host that waits says the same every minute.
fn is_new(evidence: &Evidence, report: &Report, differences: &[String]) -> bool {
    let kind = report.said.kind().as_str();
    match &report.said {
        Said::Installing { percent } if *percent > evidence.percent => return true,
        Said::Network(_) if evidence.network_differs != differences => return true,
        _ => {}
    }
    !evidence.heard.iter().any(|heard| heard == kind)
}

/// Which of the three boots a report belongs to.
fn boot_role(said: &Said) -> Option<u8> {
    match said {
        Said::Live { .. } | Said::Installing { .. } | Said::Installed { .. } | Said::InstallFailed => Some(1),
        Said::FirstBoot { .. } | Said::Layering | Said::Layered { .. } | Said::LayerFailed => Some(2),
        Said::LayeredBoot { .. } | Said::Network(_) | Said::Joining | Said::Ready | Said::JoinFailed => Some(3),
        Said::Booted { .. } | Said::Note { .. } => None,
    }
}

/// Enters `to`, which may be the stage the run is in.
fn enter(run: &mut Run, to: Stage, event: &Event, now: Timestamp) {
    let from = run.stage;
    if from == to {
        return;
    }
    let was_skipped =
        |stage: &Stage| from < *stage && *stage < to && !(*stage == Stage::Joining && run.role == Role::Runner);
    if matches!(to, Stage::Failed | Stage::Cancelled) {
        let cause = cause(run, event);
        run.permit.void(now, &cause);
        run.ended = Some(Ended { stage: from, cause });
    } else {
        for skipped in Stage::ALL.into_iter().filter(was_skipped) {
            if !run.evidence.inferred.contains(&skipped) {
                run.evidence.inferred.push(skipped);
            }
        }
        if to == Stage::Ready {
            run.evidence.ready_by = Some(match event {
                Event::NodeSeen(_) => ReadyBy::Api,
                _ if run
                    .evidence
                    .node
                    .as_ref()
                    .is_some_and(|seen| seen.word == NodeWord::Ready) =>
                {
                    ReadyBy::Api
                }
                _ => ReadyBy::OwnWord,
            });
        }
        if to >= Stage::Installed {
            if matches!(event, Event::FoundInstalled) {
                run.evidence.inferred.push(Stage::Installed);
            }
            run.evidence.installed.get_or_insert_default();
            run.permit.void(now, "it was used: the install is complete");
        }
    }
    run.stage = to;
    run.evidence.heard.clear();
    run.entered_at = now;
    run.stalled_since = None;
}

/// Why a run fails or is cancelled by this event, for people.
fn cause(run: &Run, event: &Event) -> String {
    match event {
        Event::Cancel { by } => format!("cancelled by {by}"),
        Event::PermitVoided { why } => why.clone(),
        Event::PermitExpired => "the permit expired before the claim".to_owned(),
        Event::GiveUp { cause } => cause.clone(),
        Event::Report { report, .. } => match (&report.said, &report.message) {
            (Said::Note { .. }, _) => "the inspection is complete".to_owned(),
            (Said::InstallFailed | Said::LayerFailed | Said::JoinFailed, Some(message)) => message.clone(),
            (Said::InstallFailed, None) => "the install failed and the host gave no reason".to_owned(),
            (Said::LayerFailed, None) => "layering failed and the host gave no reason".to_owned(),
            (Said::JoinFailed, None) => "the join failed and the host gave no reason".to_owned(),
            _ => format!(
                "the staged deployment was lost {} times: the host keeps booting the old one",
                run.evidence.rollbacks
            ),
        },
        _ => "ended".to_owned(),
    }
}
