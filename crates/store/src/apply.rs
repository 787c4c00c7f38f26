//! What a submission does to a host. Pure: every backend runs it inside its transaction.

use jiff::Timestamp;
use thirdboot_lifecycle::{
    Claim, ClaimRefused, Deadlines, Event, Hold, Host, HostName, Identity, Observed, Refused, Report, Run, RunNumber,
    Said, Script, SecretKind, Stage, Verdict, arm_refused, diagnose, differences, judge_claim, transition, verdict_at,
};

use crate::{Actor, Answer, Document, HostState, LogEntry, ReportAnswer, Submission, SubmitError};

/// What `apply` needs to know beside the host.
#[derive(Debug)]
pub struct Context<'a> {
    /// Now, by the store's clock.
    pub now: Timestamp,
    /// The deadlines in force.
    pub deadlines: &'a Deadlines,
    /// Other hosts that own one of `Submission::identity`.
    pub others: &'a [HostName],
}

/// What to write. Everything that is `None` or empty stays as it is.
#[derive(Debug, Default)]
pub struct Change {
    /// The description changed.
    pub host: Option<Host>,
    /// The run changed or began.
    pub run: Option<Run>,
    /// What was observed changed.
    pub observed: Option<Observed>,
    /// A new run began with these documents; they replace those of the run before.
    pub documents: Option<Vec<Document>>,
    /// The current run's documents are served no more: forget them.
    pub forget_documents: bool,
    /// A right to wipe was given away or taken back: an older copy of the database must be recognised by that.
    pub closes_permit: bool,
    /// Lines for the log.
    pub log: Vec<LogEntry>,
    /// How this report is answered now and whenever it comes again.
    pub report_answer: Option<ReportAnswer>,
}

/// What to write, and what to answer once it is written. A refusal may come with lines for the log.
#[derive(Debug)]
pub struct Applied {
    /// What to write.
    pub change: Change,
    /// What to answer.
    pub answer: Result<Answer, SubmitError>,
}

impl Applied {
    fn refuse(error: impl Into<SubmitError>) -> Self {
        Self {
            change: Change::default(),
            answer: Err(error.into()),
        }
    }

    fn with(mut self, entry: LogEntry) -> Self {
        self.change.log.push(entry);
        self
    }
}

/// Applies `submission` to `state`.
#[must_use]
pub fn apply(state: &HostState, submission: &Submission, context: &Context<'_>) -> Applied {
    match submission {
        Submission::Arm {
            permit,
            documents,
            expected_version,
            by,
        } => {
            if let Some(refusal) = outdated(state, *expected_version) {
                return refusal;
            }
            if let Some(why) = arm_refused(&state.host, state.run.as_ref()) {
                return Applied::refuse(SubmitError::NotNow(why));
            }
            let number = state.run.as_ref().map_or(RunNumber(1), |run| run.number.next());
            let run = Run::begin(number, &state.host, permit.clone());
            let host = state.host.adopted.then(|| Host {
                adopted: false,
                ..state.host.clone()
            });
            let log = vec![entry("armed", by.clone(), Some(&run))];
            let change = Change {
                host,
                run: Some(run),
                documents: Some(documents.clone()),
                log,
                ..Change::default()
            };
            Applied {
                change,
                answer: Ok(Answer::Armed(number)),
            }
        }
        Submission::Cancel { by } => on_run(
            state,
            &Event::Cancel { by: by.to_string() },
            by.clone(),
            context,
            Answer::Done,
        ),
        Submission::Hold { reason, by } => {
            let hold = Hold {
                reason: reason.clone(),
                since: context.now,
            };
            let mut line = entry("hold", by.clone(), state.run.as_ref());
            line.message = Some(reason.clone());
            let change = Change {
                host: Some(Host {
                    hold: Some(hold),
                    ..state.host.clone()
                }),
                closes_permit: true,
                log: vec![line],
                ..Change::default()
            };
            Applied {
                change,
                answer: Ok(Answer::Done),
            }
        }
        Submission::Release { by } => {
            if state.host.hold.is_none() && !state.host.adopted {
                return Applied::refuse(SubmitError::NotNow("the host is not on hold".into()));
            }
            let host = Host {
                hold: None,
                adopted: false,
                ..state.host.clone()
            };
            let log = vec![entry("release", by.clone(), state.run.as_ref())];
            Applied {
                change: Change {
                    host: Some(host),
                    log,
                    ..Change::default()
                },
                answer: Ok(Answer::Done),
            }
        }
        Submission::Update {
            host,
            expected_version,
            by,
        } => {
            if let Some(refusal) = outdated(state, *expected_version) {
                return refusal;
            }
            let current = &state.host;
            let host = Host {
                hold: current.hold.clone(),
                adopted: current.adopted,
                retired: current.retired,
                key_generation: current.key_generation,
                ..(**host).clone()
            };
            let log = vec![entry("updated", by.clone(), state.run.as_ref())];
            Applied {
                change: Change {
                    host: Some(host),
                    log,
                    ..Change::default()
                },
                answer: Ok(Answer::Done),
            }
        }
        Submission::Script { script } => script_served(state, *script, context),
        Submission::Fetched { run, what } => match current(state, *run) {
            Ok(_) => on_run(state, &Event::Fetched(*what), Actor::Host, context, Answer::Done),
            Err(refused) => Applied::refuse(refused),
        },
        Submission::Claim(claim) => claim_made(state, claim, context),
        Submission::Report { by, report, log } => report_made(state, *by, report, log.as_deref(), context),
        Submission::JoinHandedOut { run, boot_id } => match current(state, *run) {
            Ok(_) => on_run(
                state,
                &Event::JoinHandedOut {
                    boot_id: boot_id.clone(),
                },
                Actor::Host,
                context,
                Answer::Done,
            ),
            Err(refused) => Applied::refuse(refused),
        },
        Submission::Due => due(state, context),
        Submission::VoidPermit { why } => {
            let event = Event::PermitVoided { why: why.clone() };
            on_run(state, &event, Actor::Server, context, Answer::Done)
        }
    }
}

fn outdated(state: &HostState, expected: u64) -> Option<Applied> {
    (state.version != expected).then(|| {
        Applied::refuse(SubmitError::Outdated {
            current: state.version,
            expected,
        })
    })
}

/// The run of that number, if it is the current one.
fn current(state: &HostState, number: RunNumber) -> Result<&Run, Refused> {
    match &state.run {
        Some(run) if run.number == number => Ok(run),
        Some(run) => Err(over(
            run.stage,
            format!("run {number} is over: the host's run is {}", run.number),
        )),
        None => Err(over(Stage::Cancelled, format!("run {number} never was"))),
    }
}

fn over(stage: Stage, why: String) -> Refused {
    Refused {
        event: "report",
        stage,
        why,
        expected: Vec::new(),
        over: true,
    }
}

fn entry(event: &str, by: Actor, run: Option<&Run>) -> LogEntry {
    LogEntry {
        event: event.to_owned(),
        by,
        run: run.map(|run| run.number),
        stage: run.map(|run| run.stage),
        refused: None,
        report: None,
        message: None,
        log: None,
    }
}

/// Moves the current run by `event`.
fn on_run(state: &HostState, event: &Event, by: Actor, context: &Context<'_>, answer: Answer) -> Applied {
    let Some(run) = &state.run else {
        return Applied::refuse(SubmitError::NotNow("the host was never armed".into()));
    };
    match transition(run, event, context.now) {
        Ok(next) => {
            let mut line = entry(event.kind().as_str(), by, Some(&next));
            line.message = match event {
                Event::Fetched(what) => Some(what.as_str().to_owned()),
                Event::Claimed { claim, grant } => Some(format!(
                    "{} (attempt {} of {})",
                    claim.disk.label(),
                    grant.attempt,
                    grant.of
                )),
                _ => next
                    .ended
                    .as_ref()
                    .filter(|_| next.stage != run.stage)
                    .map(|ended| ended.cause.clone()),
            };
            Applied {
                change: moved(run, next, vec![line]),
                answer: Ok(answer),
            }
        }
        Err(refused) => {
            let mut line = entry(event.kind().as_str(), by, Some(run));
            line.refused = Some(refused.to_string());
            Applied::refuse(refused).with(line)
        }
    }
}

/// The change from `before` to `next`.
fn moved(before: &Run, next: Run, log: Vec<LogEntry>) -> Change {
    let serves = |run: &Run| {
        matches!(
            run.stage,
            Stage::Armed | Stage::Netbooting | Stage::Live | Stage::Installing
        )
    };
    let claims = |run: &Run| run.evidence.claimed.as_ref().map(|claimed| claimed.attempt);
    let closes_permit =
        (before.permit.voided.is_none() && next.permit.voided.is_some()) || claims(before) != claims(&next);
    Change {
        forget_documents: serves(before) && !serves(&next),
        closes_permit,
        run: Some(next),
        log,
        ..Change::default()
    }
}

fn script_served(state: &HostState, script: Script, context: &Context<'_>) -> Applied {
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

fn claim_made(state: &HostState, claim: &Claim, context: &Context<'_>) -> Applied {
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

fn report_made(
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
    let observed = observed(report, context.now);
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
                Said::Live { identity } => pinned(&state.host, identity),
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

/// What a report says the machine is, if it says so.
fn observed(report: &Report, now: Timestamp) -> Option<Observed> {
    let of = |os_version: &Option<String>, deployment: Option<&String>| Observed {
        at: now,
        boot_id: report.boot_id.clone(),
        os_version: os_version.clone(),
        deployment: deployment.cloned(),
        network: None,
    };
    match &report.said {
        Said::FirstBoot { os_version, deployment } => Some(of(os_version, deployment.as_ref())),
        Said::LayeredBoot { os_version, deployment } => Some(of(os_version, Some(deployment))),
        Said::Booted {
            os_version,
            deployment,
            network,
        } => Some(Observed {
            network: network.clone(),
            ..of(os_version, deployment.as_ref())
        }),
        _ => None,
    }
}

fn due(state: &HostState, context: &Context<'_>) -> Applied {
    let Some(run) = &state.run else {
        return Applied {
            change: Change::default(),
            answer: Ok(Answer::Done),
        };
    };
    let event = match verdict_at(run, context.deadlines, context.now) {
        // Rewriting the run moves its due time, should the deadlines have changed.
        Verdict::Nothing => {
            return Applied {
                change: Change {
                    run: Some(run.clone()),
                    ..Change::default()
                },
                answer: Ok(Answer::Done),
            };
        }
        Verdict::Expire => Event::PermitExpired,
        Verdict::Stall => Event::Stall,
        Verdict::GiveUp => {
            let cause = diagnose(run, context.now)
                .map_or_else(|| "no sign of life for too long".to_owned(), |diagnosis| diagnosis.says);
            Event::GiveUp { cause }
        }
    };
    on_run(state, &event, Actor::Server, context, Answer::Done)
}
