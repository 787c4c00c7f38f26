//! The reporter: numbers its reports, keeps what was not heard, and knows when to stop.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use jiff::Timestamp;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::fetch::{self, Fetched};
use super::ignition::Config;

/// Where the reporter's settings stand, in the live config and in the installed one.
pub const ENVIRONMENT: &str = "/etc/thirdboot/reporter.env";

/// How long a report is retried before a test calls it stranded.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a host knows of itself from its config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Base URL of `/v1/…`.
    pub url: String,
    /// The bearer secret of this boot.
    pub secret: String,
    /// The run it belongs to.
    pub run: u64,
    /// The host's name.
    pub host: String,
    /// The CA (PEM) that its scripts pin; none when they trust what the system trusts.
    pub ca_pem: Option<Vec<u8>>,
}

impl Identity {
    /// Reads the reporter's environment file out of a config.
    ///
    /// # Errors
    /// When the file is missing, readable by others, or lacks a line.
    pub fn of(config: &Config) -> Result<Self> {
        ensure!(
            config.file_mode(ENVIRONMENT) == Some(0o600),
            "{ENVIRONMENT} is not 0600"
        );
        let text = String::from_utf8(config.file(ENVIRONMENT)?)?;
        let line = |key: &str| {
            text.lines()
                .find_map(|l| l.strip_prefix(key)?.strip_prefix('='))
                .map(|v| v.trim_matches('"').to_owned())
                .with_context(|| format!("no {key} in {ENVIRONMENT}"))
        };
        Ok(Self {
            url: line("THIRDBOOT_URL")?.trim_end_matches('/').to_owned(),
            secret: line("THIRDBOOT_SECRET")?,
            run: line("THIRDBOOT_RUN")?.parse()?,
            host: line("THIRDBOOT_HOST")?,
            ca_pem: line("THIRDBOOT_CA").ok().map(|path| config.file(&path)).transpose()?,
        })
    }

    /// What its scripts speak with: `client`, or one that pins the CA.
    ///
    /// # Errors
    /// When the CA is none.
    pub fn client(&self, client: Client) -> Result<Client> {
        self.ca_pem.as_deref().map_or(Ok(client), fetch::client_trusting)
    }
}

/// Something a host says.
#[derive(Clone, Debug)]
pub struct Event(Value);

impl Event {
    /// An event by its protocol name.
    pub fn new(name: &str) -> Self {
        Self(json!({"event": name}))
    }

    /// The installer's progress.
    pub fn installing(percent: u8) -> Self {
        Self::new("installing").with("percent", percent)
    }

    /// The same with a field set.
    #[must_use]
    pub fn with(mut self, field: &str, value: impl Into<Value>) -> Self {
        self.0[field] = value.into();
        self
    }
}

/// What the server made of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Recorded; the run stands at this stage.
    Recorded(String),
    /// Refused, with the problem's type and what was expected.
    Refused {
        /// The problem's `type`.
        kind: String,
        /// The problem's `expected`.
        expected: Value,
    },
    /// Not taken and not worth keeping.
    Dropped(StatusCode),
}

/// One boot's reporter.
#[derive(Debug)]
pub struct Reporter {
    /// Who it speaks for.
    pub identity: Identity,
    /// The boot it speaks of.
    pub boot_id: Uuid,
    client: Client,
    next: u64,
    unsent: VecDeque<Value>,
    over: bool,
}

impl Reporter {
    /// A reporter for one boot; its numbers start at 1.
    pub fn new(client: Client, identity: Identity, boot_id: Uuid) -> Self {
        Self {
            identity,
            boot_id,
            client,
            next: 1,
            unsent: VecDeque::new(),
            over: false,
        }
    }

    /// Puts an event at the end of the queue and gives its number.
    pub fn queue(&mut self, event: Event) -> u64 {
        let seq = self.next;
        self.next += 1;
        let mut report = event.0;
        report["run"] = self.identity.run.into();
        report["boot_id"] = self.boot_id.to_string().into();
        report["seq"] = seq.into();
        report["at"] = own_clock().into();
        self.unsent.push_back(report);
        seq
    }

    /// How many reports were not heard yet.
    pub fn unsent(&self) -> usize {
        self.unsent.len()
    }

    /// The number of the report that is sent next.
    pub fn first_unsent(&self) -> Option<u64> {
        self.unsent.front()?["seq"].as_u64()
    }

    /// Sends the oldest unsent report; none when nothing is left to send or nobody took it.
    ///
    /// # Errors
    /// When the answer is outside the protocol.
    pub async fn send_one(&mut self) -> Result<Option<Answer>> {
        let Some(report) = self.unsent.front().filter(|_| !self.over) else {
            return Ok(None);
        };
        let Ok(answer) = self.post("/v1/report", report).await else {
            return Ok(None);
        };
        let Some(answer) = judge(&answer)? else { return Ok(None) };
        self.unsent.pop_front();
        self.over = matches!(&answer, Answer::Refused { kind, .. } if kind.ends_with("/run-over"));
        Ok(Some(answer))
    }

    /// Says one thing and waits until it and all before it were heard.
    ///
    /// # Errors
    /// When nobody hears it within a minute, or the run is over.
    pub async fn say(&mut self, event: Event) -> Result<Answer> {
        self.queue(event);
        let mut last = None;
        let end = tokio::time::Instant::now() + PATIENCE;
        let mut pause = Duration::from_millis(20);
        while !self.unsent.is_empty() && !self.over {
            match self.send_one().await? {
                Some(answer) => last = Some(answer),
                None if tokio::time::Instant::now() > end => bail!("stranded: nobody hears"),
                None => tokio::time::sleep(pause).await,
            }
            pause = (pause * 2).min(Duration::from_secs(1));
        }
        last.context("the run is over: nothing is sent any more")
    }

    /// Says one thing that must be recorded, and gives the stage.
    ///
    /// # Errors
    /// When it is refused or dropped.
    pub async fn tell(&mut self, event: Event) -> Result<String> {
        let told = event.0.to_string();
        match self.say(event).await? {
            Answer::Recorded(stage) => Ok(stage),
            other => bail!("{told}: {other:?}"),
        }
    }

    /// Fetches a URL that an answer named.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn fetch(&self, url: &str) -> Result<Fetched> {
        fetch::get(&self.client, url).await
    }

    /// A post under this boot's secret, once.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Fetched> {
        let url = format!("{}{path}", self.identity.url);
        let request = self.client.post(&url).bearer_auth(&self.identity.secret).json(body);
        fetch::answer(request).await.with_context(|| url)
    }
}

/// What the protocol makes of a status: kept (none) or done with.
fn judge(answer: &Fetched) -> Result<Option<Answer>> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |key: &str| body[key].as_str().map(str::to_owned);
    Ok(match answer.status.as_u16() {
        200 => Some(Answer::Recorded(text("stage").context("200 without a stage")?)),
        409 => Some(Answer::Refused {
            kind: text("type").context("409 without a type")?,
            expected: body["expected"].clone(),
        }),
        413 | 422 => Some(Answer::Dropped(answer.status)),
        401 | 500..=599 => None,
        other => bail!("{other} is no answer to a report: {}", answer.text()),
    })
}

/// A host reads its own clock; the server must not depend on it.
#[expect(clippy::disallowed_methods, reason = "this is the host's clock, not the server's")]
fn own_clock() -> String {
    Timestamp::now().to_string()
}
