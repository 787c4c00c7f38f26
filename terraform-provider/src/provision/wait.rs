//! Waiting for a run: until it is there, fails, stalls, the time is over, or Terraform's user stops.

use std::time::Duration;

use thirdboot_api::control::{WaitAnswer, WaitOutcome};
use thirdboot_api::{Client, StageName};
use thirdboot_terraform_plugin::{Diagnostics, Object, Path, Stop};
use tokio::time::{Instant, sleep, timeout_at};

use super::schema::FAIL;
use super::text;
use crate::checks;
use crate::told::told;

/// One request waits at most so long: a proxy in between must not think that it hangs.
const ASK_FOR_S: u64 = 25;
/// A server that is restarted is asked again after this.
pub(super) const PAUSE_WHEN_AWAY: Duration = Duration::from_secs(2);

/// What is waited for, and for how long.
pub(super) struct Wait<'a> {
    host: &'a str,
    run: u32,
    stage: &'a str,
    limit: Duration,
    fails_when_stalled: bool,
}

/// How a wait ended.
pub(super) enum Ended {
    /// The run is there, or beyond.
    Reached(StageName),
    /// Terraform's user wants to stop.
    Stopped(StageName),
    /// It is not there, and why. The stage where it is known.
    Failed(Option<StageName>, Diagnostics),
}

impl<'a> Wait<'a> {
    pub(super) fn of(planned: &'a Object, host: &'a str, run: u64) -> Result<Self, Diagnostics> {
        Ok(Self {
            host,
            run: u32::try_from(run).map_err(|_| {
                Diagnostics::error(
                    Path::attribute("run"),
                    "There is no such run",
                    "Runs are counted from 1.",
                )
            })?,
            stage: text(planned, "wait_for"),
            limit: Duration::from_secs(seconds(planned, "timeout")?),
            fails_when_stalled: text(planned, "on_stall") == FAIL,
        })
    }

    pub(super) async fn run(&self, client: &Client, stop: &mut Stop) -> Ended {
        let end = Instant::now() + self.limit;
        let mut last = Seen::default();
        loop {
            let asked = tokio::select! {
                biased;
                () = stop.wait() => return Ended::Stopped(last.stage.unwrap_or(StageName::Armed)),
                asked = self.ask(client, end) => asked,
            };
            match asked {
                Some(Ok(answer)) => {
                    if let Some(ended) = self.ended(&answer) {
                        return ended;
                    }
                    last = Seen {
                        stage: answer.stage.clone(),
                        answer: Some(answer),
                        away: None,
                    };
                }
                Some(Err(error)) if error.is_passing() => {
                    last.away = Some(error.to_string());
                    tokio::select! {
                        () = stop.wait() => return Ended::Stopped(last.stage.unwrap_or(StageName::Armed)),
                        () = sleep(PAUSE_WHEN_AWAY) => {}
                    }
                }
                Some(Err(error)) => {
                    let summary = format!("The wait for {} ended", self.host);
                    return Ended::Failed(last.stage, told(&error, None, &summary));
                }
                None => {}
            }
            if Instant::now() >= end {
                return self.too_late(last);
            }
        }
    }

    /// One question; none when the time is over before it is answered.
    async fn ask(&self, client: &Client, end: Instant) -> Option<Result<WaitAnswer, thirdboot_api::ClientError>> {
        let left_s = end.saturating_duration_since(Instant::now()).as_secs();
        let answer = client.wait(self.host, self.stage, Some(self.run), ASK_FOR_S.min(left_s));
        // A server that accepts and says nothing is no reason to wait longer than was asked for.
        let grace = Duration::from_secs(1);
        timeout_at(end + grace, answer).await.ok()
    }

    fn ended(&self, answer: &WaitAnswer) -> Option<Ended> {
        let stage = answer.stage.clone();
        let (host, run) = (self.host, self.run);
        let at = stage.as_ref().map_or("armed", StageName::as_str).to_owned();
        let (stage, summary) = match answer.outcome {
            WaitOutcome::Reached => return Some(Ended::Reached(stage.unwrap_or_else(|| self.stage.into()))),
            WaitOutcome::Timeout if answer.stalled && self.fails_when_stalled => {
                (stage, format!("{host} is stalled while {at}"))
            }
            WaitOutcome::Timeout => return None,
            WaitOutcome::Failed => (Some(StageName::Failed), format!("{host} failed while {at}")),
            WaitOutcome::Cancelled => (Some(StageName::Cancelled), format!("{host} was cancelled while {at}")),
            WaitOutcome::Superseded => (
                Some(StageName::Cancelled),
                format!("Run {run} of {host} is over: another one began"),
            ),
        };
        Some(Ended::Failed(stage, self.error(summary, answer)))
    }

    fn too_late(&self, last: Seen) -> Ended {
        let (host, minutes) = (self.host, self.limit.as_secs() / 60);
        let limit = if minutes > 0 {
            format!("{minutes} min")
        } else {
            format!("{} s", self.limit.as_secs())
        };
        let at = last.stage.as_ref().map_or("armed", StageName::as_str);
        let summary = format!("{host} is not {} after {limit}: it is {at}", self.stage);
        let found = match (&last.away, &last.answer) {
            (Some(away), _) => Diagnostics::error(
                Path::attribute("host"),
                summary,
                format!("The server could not be asked any more: {away}"),
            ),
            (None, Some(answer)) => self.error(summary, answer),
            (None, None) => Diagnostics::error(
                Path::attribute("timeout"),
                summary,
                "The server did not answer in time.",
            ),
        };
        Ended::Failed(last.stage, found)
    }

    /// Stage, cause and advice.
    fn error(&self, summary: String, answer: &WaitAnswer) -> Diagnostics {
        let mut lines = vec![format!("Run {} of {}, waited for {}.", self.run, self.host, self.stage)];
        if let Some(stage) = &answer.stage {
            lines.push(format!("Stage:  {stage}"));
        }
        if let Some(cause) = &answer.cause {
            lines.push(format!("Cause:  {cause}"));
        }
        if let Some(says) = &answer.says {
            lines.push(format!("Seen:   {says}"));
        }
        if let Some(advice) = &answer.advice {
            lines.push(format!("Advice: {advice}"));
        }
        for alert in &answer.alerts {
            lines.push(format!("Alert:  {} ({})", alert.says, alert.advice));
        }
        if !matches!(
            answer.outcome,
            WaitOutcome::Failed | WaitOutcome::Cancelled | WaitOutcome::Superseded
        ) {
            lines.push("The run goes on: the next apply waits for it again, and arms nothing.".to_owned());
        }
        Diagnostics::error(Path::attribute("host"), summary, lines.join("\n"))
    }
}

/// What was last heard.
#[derive(Default)]
struct Seen {
    stage: Option<StageName>,
    answer: Option<WaitAnswer>,
    /// Why the server could not be asked.
    away: Option<String>,
}

/// A span of time in whole seconds.
pub(super) fn seconds(planned: &Object, name: &str) -> Result<u64, Diagnostics> {
    let duration = checks::duration_of(text(planned, name)).map(|duration| duration.as_secs());
    let seconds = duration.and_then(|seconds| u64::try_from(seconds).ok());
    seconds.ok_or_else(|| {
        Diagnostics::error(
            Path::attribute(name),
            format!("{name} cannot be this"),
            "Expected a span of time such as 45m.",
        )
    })
}
