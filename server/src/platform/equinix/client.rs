//! Requests to the API: with deadlines, retried with jitter where that does no harm, within the provider's limit.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use backon::{ExponentialBuilder, Retryable as _};
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Response, StatusCode, Url, redirect};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use thirdboot_api::innermost;
use thirdboot_lifecycle::{DeviceId, TroubleKind};

use super::limit::Limit;
use super::token::{NoToken, Token};
use super::wire::{Assignments, Batch, Batches, Device, Errors, Event, Events};
use crate::bounded;
use crate::platform::PlatformOptions;

/// Of one request, its answer included.
const REQUEST_LIMIT: Duration = Duration::from_millis(if cfg!(test) { 300 } else { 20_000 });
/// Pause before the second try; doubled each time, and jittered.
const FIRST_PAUSE: Duration = Duration::from_millis(if cfg!(test) { 2 } else { 500 });
/// Tries beside the first one.
const RETRIES: usize = 3;
/// A longer pause is not waited for within a look.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// The answer with a machine's events is some 50 KiB.
const MAX_ANSWER_BYTES: usize = 1 << 20;
/// What is told of an answer.
const MAX_SAID_CHARS: usize = 300;

/// Asks the API.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    token: Token,
    limit: Limit,
}

/// Why something was not done.
#[derive(Debug)]
pub(in crate::platform) struct Fault {
    /// For programs, and the advice that goes with it.
    pub(in crate::platform) kind: TroubleKind,
    /// What is seen.
    pub(in crate::platform) says: String,
    /// Of the answer, where there was one.
    status: Option<StatusCode>,
    again: Again,
    /// Whether what was asked may have been done all the same.
    pub(super) may_be_done: bool,
}

/// What a batch makes of its VLANs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VlanState {
    Assigned,
    Unassigned,
}

/// Whether the same request may be made once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    No,
    Soon,
    After(Duration),
}

impl Fault {
    pub(super) fn new(kind: TroubleKind, says: impl Into<String>) -> Self {
        Self {
            kind,
            says: clean(&says.into()),
            status: None,
            again: Again::No,
            may_be_done: false,
        }
    }

    fn again(self, again: Again) -> Self {
        Self { again, ..self }
    }

    /// The request went out, and no answer says what came of it.
    fn unanswered(self, is_repeatable: bool) -> Self {
        let again = if is_repeatable { Again::Soon } else { Again::No };
        Self {
            again,
            may_be_done: true,
            ..self
        }
    }
}

impl From<NoToken> for Fault {
    fn from(error: NoToken) -> Self {
        Self::new(TroubleKind::NoToken, error.to_string())
    }
}

/// One line without control characters, cut.
pub(super) fn clean(text: &str) -> String {
    let line = text.split(|c: char| c.is_control() || c.is_whitespace());
    let line: Vec<_> = line.filter(|word| !word.is_empty()).collect();
    line.join(" ").chars().take(MAX_SAID_CHARS).collect()
}

impl Client {
    pub(super) fn new(options: &PlatformOptions) -> anyhow::Result<Self> {
        let token = Token::find(options.equinix_token_file.as_ref())?;
        // A file that cannot be used is told at the start; without any token there is nothing to use.
        if let Err(error @ NoToken::Unusable { .. }) = token.read() {
            bail!(error);
        }
        Ok(Self {
            http: reqwest::Client::builder()
                .user_agent(concat!("thirdboot/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(REQUEST_LIMIT / 2)
                .timeout(REQUEST_LIMIT)
                // The token would go wherever one leads.
                .redirect(redirect::Policy::none())
                .build()
                .context("no HTTP client for providers")?,
            base: base(&options.equinix_url)?,
            token,
            limit: Limit::default(),
        })
    }

    pub(super) fn token(&self) -> Result<SecretString, NoToken> {
        self.token.read()
    }

    pub(super) async fn device(&self, id: &DeviceId) -> Result<Device, Fault> {
        let found = self.ask(Method::GET, &format!("/devices/{id}"), None).await;
        found.map_err(|fault| match fault.status {
            Some(StatusCode::NOT_FOUND) => Fault::new(TroubleKind::DeviceNotFound, format!("it knows no device {id}")),
            _ => fault,
        })
    }

    pub(super) async fn change(&self, id: &DeviceId, change: &Value) -> Result<Device, Fault> {
        self.ask(Method::PUT, &format!("/devices/{id}"), Some(change)).await
    }

    /// Asks once, whatever becomes of it: what is asked was decided on what the machine was a moment ago.
    pub(super) async fn act(&self, id: &DeviceId, action: &Value) -> Result<(), Fault> {
        let path = format!("/devices/{id}/actions");
        let answer = self.once(&Method::POST, &path, Some(action)).await?;
        // Something else than the API may have said so.
        if answer.is_empty() || serde_json::from_slice::<Value>(&answer).is_ok() {
            return Ok(());
        }
        let says = format!("{} was answered with what cannot be read", named(&Method::POST, &path));
        Err(Fault::new(TroubleKind::Unreachable, says).unanswered(false))
    }

    pub(super) async fn events(&self, id: &DeviceId, page: usize, per_page: usize) -> Result<Vec<Event>, Fault> {
        let path = format!("/devices/{id}/events?page={page}&per_page={per_page}");
        let page: Events = self.ask(Method::GET, &path, None).await?;
        Ok(page.events)
    }

    /// VLANs that a port carries, in the order of their ids.
    pub(super) async fn assigned(&self, port: &str) -> Result<Vec<u16>, Fault> {
        let path = format!("{}/vlan-assignments", port_path(port)?);
        let all: Assignments = self.ask(Method::GET, &path, None).await?;
        let carried = all.vlan_assignments.into_iter().filter(|one| one.state == "assigned");
        let mut ids: Vec<u16> = carried.map(|one| one.vlan).collect();
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    pub(super) async fn batches(&self, port: &str) -> Result<Vec<Batch>, Fault> {
        let path = format!("{}/vlan-assignments/batches", port_path(port)?);
        let all: Batches = self.ask(Method::GET, &path, None).await?;
        Ok(all.batches)
    }

    pub(super) async fn batch(&self, port: &str, id: &str) -> Result<Batch, Fault> {
        let path = format!("{}/vlan-assignments/batches/{}", port_path(port)?, segment(id)?);
        self.ask(Method::GET, &path, None).await
    }

    /// Begins a batch that puts VLANs on a port, tagged, or takes them off.
    pub(super) async fn assign(&self, port: &str, vlans: &[u16], to: VlanState) -> Result<Batch, Fault> {
        let state = match to {
            VlanState::Assigned => "assigned",
            VlanState::Unassigned => "unassigned",
        };
        let path = format!("{}/vlan-assignments/batches", port_path(port)?);
        let wanted: Vec<_> = vlans
            .iter()
            .map(|id| json!({"vlan": id.to_string(), "state": state, "native": false}))
            .collect();
        let body = json!({"vlan_assignments": wanted});
        self.ask(Method::POST, &path, Some(&body)).await
    }

    async fn ask<T: DeserializeOwned>(&self, method: Method, path: &str, body: Option<&Value>) -> Result<T, Fault> {
        let answer = self.send(&method, path, body).await?;
        serde_json::from_slice(&answer).map_err(|error| {
            let says = format!(
                "{} was answered with what cannot be read: {error}",
                named(&method, path)
            );
            Fault::new(TroubleKind::Unreachable, says)
        })
    }

    /// The body of a good answer.
    async fn send(&self, method: &Method, path: &str, body: Option<&Value>) -> Result<Vec<u8>, Fault> {
        let backoff = ExponentialBuilder::default()
            .with_min_delay(FIRST_PAUSE)
            .with_max_times(RETRIES)
            .with_jitter();
        (|| self.once(method, path, body))
            .retry(backoff)
            .when(|fault: &Fault| match fault.again {
                Again::No => false,
                Again::Soon => true,
                Again::After(pause) => pause <= MAX_WAIT,
            })
            .adjust(|fault, usual| match fault.again {
                Again::After(pause) => usual.map(|usual| usual.max(pause)),
                _ => usual,
            })
            .await
    }

    async fn once(&self, method: &Method, path: &str, body: Option<&Value>) -> Result<Vec<u8>, Fault> {
        if let Some(pause) = self.limit.pause() {
            return Err(limited(pause));
        }
        let token = self.token.read()?;
        let unusable = |_| {
            Fault::new(
                TroubleKind::NoToken,
                "the token cannot stand in a header: expected plain text",
            )
        };
        let mut secret = HeaderValue::from_str(token.expose_secret()).map_err(unusable)?;
        secret.set_sensitive(true);
        let mut request = self
            .http
            .request(method.clone(), format!("{}{path}", self.base))
            .header("X-Auth-Token", secret);
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        // What may have been done is not done again unseen: the next look shows it.
        let is_repeatable = *method != Method::POST;
        let answer = request.send().await.map_err(|error| {
            let fault = broken(method, path, &error);
            if error.is_connect() {
                fault.again(Again::Soon)
            } else {
                fault.unanswered(is_repeatable)
            }
        })?;
        self.judged(method, path, answer, is_repeatable).await
    }

    async fn judged(
        &self,
        method: &Method,
        path: &str,
        answer: Response,
        is_repeatable: bool,
    ) -> Result<Vec<u8>, Fault> {
        let status = answer.status();
        let pause = self
            .limit
            .note(answer.headers(), status == StatusCode::TOO_MANY_REQUESTS);
        if let Some(pause) = pause {
            return Err(limited(pause));
        }
        let body = bounded::body(answer, MAX_ANSWER_BYTES)
            .await
            .map_err(|error| broken(method, path, &error).unanswered(is_repeatable))?;
        let Some(body) = body else {
            let says = format!(
                "{} was answered with more than {MAX_ANSWER_BYTES} bytes",
                named(method, path)
            );
            return Err(Fault::new(TroubleKind::Unreachable, says).unanswered(false));
        };
        if status.is_success() {
            return Ok(body);
        }
        let said = said(&body);
        let says = format!("{} was answered with {}{said}", named(method, path), status.as_u16());
        Err(match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Fault::new(TroubleKind::TokenRefused, says),
            _ if status.is_server_error() => Fault::new(TroubleKind::Unreachable, says).unanswered(is_repeatable),
            _ if status.is_client_error() => Fault {
                status: Some(status),
                ..Fault::new(TroubleKind::Refused, says)
            },
            _ => Fault::new(TroubleKind::Unreachable, says),
        })
    }
}

/// HTTPS, unless it is this very machine: a token goes there.
fn base(url: &str) -> anyhow::Result<String> {
    let parsed = Url::parse(url).with_context(|| format!("equinix_url {url:?}"))?;
    let host = parsed.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let is_safe = parsed.scheme() == "https" || parsed.scheme() == "http" && is_here;
    ensure!(
        is_safe && parsed.query().is_none() && parsed.fragment().is_none() && parsed.username().is_empty(),
        "equinix_url {url:?}: expected an https URL without user, query and fragment (http on loopback only)"
    );
    Ok(parsed.as_str().trim_end_matches('/').to_owned())
}

/// An id that the provider gave, as a part of a path.
fn segment(id: &str) -> Result<&str, Fault> {
    let is_plain =
        (1..=64).contains(&id.len()) && id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_');
    if is_plain {
        Ok(id)
    } else {
        Err(Fault::new(TroubleKind::Unreachable, "it gave an id that is none"))
    }
}

fn port_path(port: &str) -> Result<String, Fault> {
    Ok(format!("/ports/{}", segment(port)?))
}

fn named(method: &Method, path: &str) -> String {
    format!("{method} {}", path.split('?').next().unwrap_or(path))
}

fn limited(pause: Duration) -> Fault {
    let says = format!("it takes no more requests for {} s", pause.as_secs().max(1));
    Fault::new(TroubleKind::RateLimited, says).again(Again::After(pause))
}

fn broken(method: &Method, path: &str, error: &reqwest::Error) -> Fault {
    let why = if error.is_timeout() {
        "it takes too long".to_owned()
    } else {
        // It does not hold the token.
        innermost(error)
    };
    Fault::new(
        TroubleKind::Unreachable,
        format!("{} was not answered: {why}", named(method, path)),
    )
}

/// What the API says is wrong, if it says so in its own way.
fn said(body: &[u8]) -> String {
    let errors: Errors = serde_json::from_slice(body).unwrap_or_default();
    let said: Vec<_> = errors.errors.into_iter().chain(errors.error).collect();
    if said.is_empty() {
        String::new()
    } else {
        format!(": {}", clean(&said.join("; ")))
    }
}
