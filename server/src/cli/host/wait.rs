//! `thirdboot host wait`: until a run is where it should be, or will never be.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use clap::Args;
use thirdboot_api::control::{WaitAnswer, WaitOutcome};
use thirdboot_api::{Client, ClientError, EventQuery, StageName};

use super::live::{Live, change, line};
use crate::cli::events::WAIT_S;
use crate::cli::ttl::Ttl;
use crate::cli::{Connection, Failure, now};

/// Exit code when the time is over and the run is under way.
const TIME_IS_OVER: u8 = 4;
/// How often a terminal is drawn anew: ages are told in seconds.
const REDRAW: Duration = Duration::from_secs(1);
/// Pause before a server that went away is asked again.
const PAUSE: Duration = Duration::from_secs(2);

/// What is waited for, and how long.
#[derive(Debug, Args)]
pub(super) struct WaitOptions {
    /// The host's name.
    name: String,
    /// The stage that the run must reach, or pass.
    #[arg(long = "for", value_name = "STAGE", default_value = "ready", value_parser = stage)]
    stage: StageName,
    /// The run that must get there; without it the current one.
    #[arg(long, value_name = "NUMBER")]
    run: Option<u32>,
    /// Give up after this long: a number and s, m, h or d. Without it, never.
    #[arg(long, value_name = "TIME")]
    timeout: Option<Ttl>,
}

fn stage(text: &str) -> Result<StageName, String> {
    match StageName::from(text) {
        StageName::Other(_) => {
            let known: Vec<&str> = StageName::KNOWN.iter().map(StageName::as_str).collect();
            Err(format!("expected one of {}", known.join(", ")))
        }
        stage => Ok(stage),
    }
}

impl WaitOptions {
    pub(super) async fn run(mut self, connection: &Connection) -> Result<(), Failure> {
        let client = connection.client()?;
        let until = self
            .timeout
            .map(|timeout| Instant::now() + Duration::from_secs(timeout.seconds));
        let is_live = !connection.output.is_json() && std::io::stdout().is_terminal();
        let mut live = Live::new();
        let mut said = None;
        let mut has_begun = false;
        loop {
            let asked = client.wait(&self.name, self.stage.as_str(), self.run, 0).await;
            let Some(answer) = patiently(asked, has_begun).await? else {
                continue;
            };
            has_begun = true;
            // Armed again by somebody else, it is another run.
            self.run = self.run.or(answer.run.as_ref().map(|run| run.number));
            let is_end = answer.outcome != WaitOutcome::Timeout || until.is_some_and(|until| Instant::now() >= until);
            if is_live {
                live.draw(&answer, now())?;
            } else if said.as_ref() != Some(&change(&answer)) || is_end {
                said = Some(change(&answer));
                connection.output.line(&answer, || line(&answer, now()))?;
            }
            if is_end {
                return ended(&answer);
            }
            self.news(&client, &answer, until, is_live.then_some(&mut live)).await?;
        }
    }

    /// Until something happens to the host, or the time is over.
    async fn news(
        &self,
        client: &Client,
        answer: &WaitAnswer,
        until: Option<Instant>,
        mut live: Option<&mut Live>,
    ) -> Result<(), Failure> {
        let left_s = until.map_or(WAIT_S, |until| {
            until.saturating_duration_since(Instant::now()).as_secs() + 1
        });
        let query = EventQuery {
            host: Some(self.name.clone()),
            after: Some(answer.seen),
            limit: Some(1),
            wait_s: left_s.min(WAIT_S),
            ..EventQuery::default()
        };
        let mut asked = std::pin::pin!(client.search_events(&query));
        loop {
            tokio::select! {
                page = &mut asked => return patiently(page, true).await.map(drop),
                () = tokio::time::sleep(REDRAW), if live.is_some() => {
                    if let Some(live) = live.as_deref_mut() {
                        live.draw(answer, now())?;
                    }
                }
            }
        }
    }
}

/// A server that restarts is waited for, once it has answered at all.
async fn patiently<T>(answer: Result<T, ClientError>, has_begun: bool) -> Result<Option<T>, Failure> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if has_begun && error.is_passing() => {
            tokio::time::sleep(PAUSE).await;
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn ended(answer: &WaitAnswer) -> Result<(), Failure> {
    match answer.outcome {
        WaitOutcome::Reached => Ok(()),
        WaitOutcome::Failed | WaitOutcome::Cancelled | WaitOutcome::Superseded => Err(Failure::Told),
        WaitOutcome::Timeout => Err(Failure::Quiet(TIME_IS_OVER)),
    }
}
