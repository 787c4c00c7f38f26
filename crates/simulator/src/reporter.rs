//! The reporter: numbers its reports, keeps what was not heard, and knows when to stop.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Map, Value};
use thirdboot_api::boot::{ReportBody, ReportEvent};
use thirdboot_api::{ClientError, ProblemType, StageName, Token};
use uuid::Uuid;

use crate::ignition::Config;
use crate::wire::{Address, Trouble};
use crate::{Pace, Wire};

/// Where the reporter's settings stand, in the live config and in the installed one.
const ENVIRONMENT: &str = "/etc/thirdboot/reporter.env";

/// Pause before an unheard report is sent again; doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

impl Address {
    /// Reads the reporter's settings out of a config.
    pub(crate) fn of(config: &Config) -> Result<Self, Trouble> {
        let missing = |what: &str| Trouble::unreadable("config", format!("no {what} in {ENVIRONMENT}"));
        let bytes = config.file(ENVIRONMENT)?.ok_or_else(|| missing("file"))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let line = |key: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
                .map(|value| value.trim().trim_matches(['"', '\'']))
                .ok_or_else(|| missing(key))
        };
        Ok(Self {
            url: line("THIRDBOOT_URL")?.trim_end_matches('/').to_owned(),
            secret: Token::new(line("THIRDBOOT_SECRET")?),
            run: line("THIRDBOOT_RUN")?.parse().map_err(|_| missing("number"))?,
        })
    }
}

/// Something a host says.
#[derive(Debug, Clone)]
pub(crate) struct Saying {
    event: ReportEvent,
    percent: Option<u8>,
    message: Option<String>,
    facts: Map<String, Value>,
}

impl Saying {
    pub(crate) fn of(event: ReportEvent) -> Self {
        Self {
            event,
            percent: None,
            message: None,
            facts: Map::new(),
        }
    }

    pub(crate) fn percent(mut self, percent: u8) -> Self {
        self.percent = Some(percent);
        self
    }

    pub(crate) fn message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    pub(crate) fn facts(mut self, facts: Map<String, Value>) -> Self {
        self.facts = facts;
        self
    }

    pub(crate) fn fact(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(key.to_owned(), value.into());
        self
    }
}

/// What became of what a host said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Recorded; the run stands at this stage.
    Recorded(StageName),
    /// Refused or malformed: dropped, for this reason.
    Dropped(String),
    /// The run is over: nothing more is sent.
    Over,
}

/// Reports that wait to be heard, oldest first. On an installed system they survive a reboot.
pub(crate) type Unsent = VecDeque<ReportBody>;

/// One boot's reporter.
#[derive(Debug)]
pub(crate) struct Reporter {
    /// Where it reports, and as whom.
    pub(crate) to: Address,
    /// The boot it speaks of.
    pub(crate) boot_id: String,
    wire: Wire,
    pace: Pace,
    seq: u64,
    /// Reports that wait to be heard.
    pub(crate) unsent: Unsent,
    /// Every first answer is lost on its way.
    is_deaf: bool,
}

impl Reporter {
    pub(crate) fn new(wire: Wire, pace: Pace, to: Address, unsent: Unsent, is_deaf: bool) -> Self {
        Self {
            to,
            boot_id: Uuid::new_v4().to_string(),
            wire,
            pace,
            seq: 0,
            unsent,
            is_deaf,
        }
    }

    /// Says one thing, and waits until it and all before it were heard.
    pub(crate) async fn say(&mut self, saying: Saying) -> Heard {
        self.seq += 1;
        self.unsent.push_back(ReportBody {
            run: self.to.run,
            boot_id: self.boot_id.clone(),
            seq: self.seq,
            at: Some(own_clock()),
            event: saying.event,
            percent: saying.percent,
            message: saying.message,
            log: None,
            facts: saying.facts,
        });
        let mut heard = Heard::Dropped("nothing was to be said".to_owned());
        while let Some(report) = self.unsent.front().cloned() {
            heard = self.send(&report).await;
            self.unsent.pop_front();
            if heard == Heard::Over {
                self.unsent.clear();
            }
        }
        heard
    }

    /// Sends one report until it was heard.
    async fn send(&self, report: &ReportBody) -> Heard {
        let mut pause = FIRST_PAUSE;
        let mut is_lost = self.is_deaf;
        loop {
            let answer = self.wire.report(&self.to, report).await;
            match answer {
                _ if is_lost => is_lost = false,
                Ok(answer) => return Heard::Recorded(answer.stage),
                Err(error) if error.is(ProblemType::RunOver) => return Heard::Over,
                Err(error) if is_final(&error) => return Heard::Dropped(error.to_string()),
                Err(_) => {}
            }
            self.pace.pause(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// 409, 413 and 422 are dropped; 401, 5xx and no answer are kept and sent again.
fn is_final(error: &ClientError) -> bool {
    matches!(error.status(), Some(409 | 413 | 422))
}

/// A host reads its own clock; the server must not depend on it.
#[expect(clippy::disallowed_methods, reason = "this is the host's clock, not the server's")]
fn own_clock() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
