//! What a submission does to a host. Pure: every backend runs it inside its transaction.

mod machine;
mod people;
mod provider;

use jiff::Timestamp;
use thirdboot_lifecycle::{
    Deadlines, Event, Host, HostName, Observed, Refused, Run, RunNumber, Stage, Verdict, diagnose_with, transition,
    verdict_at,
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
    /// The host goes, with all that is kept of it.
    pub remove: bool,
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
        } => people::arm(state, permit, documents, *expected_version, by),
        Submission::Cancel { by } => {
            let event = Event::Cancel { by: by.to_string() };
            on_run(state, &event, by.clone(), context, Answer::Done)
        }
        Submission::Hold { reason, by } => people::hold(state, reason, by, context.now),
        Submission::Release { by } => people::release(state, by),
        Submission::Update {
            host,
            expected_version,
            by,
        } => people::update(state, host, *expected_version, by),
        Submission::Retire { by } => people::retire(state, by),
        Submission::Unretire { by } => people::unretire(state, by),
        Submission::RotateKey { by } => people::rotate_key(state, by),
        Submission::Remove => people::remove(state),
        Submission::Script { script } => machine::script_served(state, *script, context),
        Submission::Fetched { run, what } => match current(state, *run) {
            Ok(_) => on_run(state, &Event::Fetched(*what), Actor::Host, context, Answer::Done),
            Err(refused) => Applied::refuse(refused),
        },
        Submission::Claim(claim) => machine::claim_made(state, claim, context),
        Submission::Report { by, report, log } => machine::report_made(state, *by, report, log.as_deref(), context),
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
        Submission::JoinWaits { run, why } => match current(state, *run) {
            Ok(_) => {
                let event = Event::JoinWaits { why: why.clone() };
                on_run(state, &event, Actor::Host, context, Answer::Done)
            }
            Err(refused) => Applied::refuse(refused),
        },
        Submission::ClaimWaits { run, why } => match current(state, *run) {
            Ok(_) => {
                let event = Event::ClaimWaits { why: why.clone() };
                on_run(state, &event, Actor::Host, context, Answer::Done)
            }
            Err(refused) => Applied::refuse(refused),
        },
        Submission::NodeSeen { run, word } => match current(state, *run) {
            Ok(_) => on_run(
                state,
                &Event::NodeSeen(word.clone()),
                Actor::Server,
                context,
                Answer::Done,
            ),
            Err(refused) => Applied::refuse(refused),
        },
        Submission::Conflict { why, source } => machine::conflict_met(state, why, source, context),
        Submission::AtProvider { device, look } => provider::looked(state, device, look, context.now),
        Submission::Due => due(state, context),
        Submission::VoidPermit { why } => {
            let event = Event::PermitVoided { why: why.clone() };
            on_run(state, &event, Actor::Server, context, Answer::Done)
        }
    }
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
                Event::JoinWaits { why } | Event::ClaimWaits { why } => Some(why.clone()),
                Event::NodeSeen(word) => Some(word.to_string()),
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
            let cause = diagnose_with(run, state.observed.as_ref(), context.now)
                .map_or_else(|| "no sign of life for too long".to_owned(), |diagnosis| diagnosis.says);
            Event::GiveUp { cause }
        }
    };
    on_run(state, &event, Actor::Server, context, Answer::Done)
}
