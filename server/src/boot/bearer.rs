//! Who speaks: the bearer secrets of claims, reports and joins.

use axum::extract::{FromRequest as _, Request};
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use thirdboot_api::ProblemType;
use thirdboot_lifecycle::{RunNumber, SecretKind};
use thirdboot_store::HostState;

use super::{Json, Transport};
use crate::App;
use crate::observe;
use crate::problem::Failure;
use crate::secrets::{Opened, Purpose};

/// A host that showed a genuine secret of one of its runs.
#[derive(Debug)]
pub(super) struct Speaker {
    /// As it is now.
    pub(super) state: HostState,
    /// The run that the secret belongs to: the current one, or one before it.
    pub(super) run: RunNumber,
    /// Which of the run's secrets.
    pub(super) kind: SecretKind,
}

/// The token of `Authorization: Bearer`.
pub(crate) fn token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Who speaks, and what they say. Nobody's body is read before its secret was: strangers must not fill the memory.
pub(super) async fn heard<T: DeserializeOwned>(
    app: &App,
    allowed: &[SecretKind],
    request: Request,
) -> Result<(Speaker, T), Failure> {
    Transport::of(app, request.extensions(), request.headers()).may_speak(app)?;
    let speaker = Speaker::of(app, request.headers(), allowed).await?;
    let Json(body) = Json::from_request(request, &()).await?;
    Ok((speaker, body))
}

impl Speaker {
    /// Who speaks with a live or a host secret.
    async fn of(app: &App, headers: &HeaderMap, allowed: &[SecretKind]) -> Result<Self, Failure> {
        let text = token(headers).ok_or_else(Failure::unauthorized)?;
        let (opened, kind) = allowed
            .iter()
            .find_map(|kind| app.secrets.open(purpose(*kind), text).map(|opened| (opened, *kind)))
            .ok_or_else(Failure::unauthorized)?;
        let state = app
            .store
            .host_by_id(opened.host)
            .await?
            .ok_or_else(Failure::unauthorized)?;
        observe::concerns(&state);
        if !is_known(&state, opened) {
            return Err(Failure::unauthorized());
        }
        Ok(Self {
            state,
            run: opened.run,
            kind,
        })
    }

    /// Refuses a body that speaks of another run than its secret.
    pub(super) fn speaks_of(&self, run: u32) -> Result<(), Failure> {
        if self.run == RunNumber(run) {
            return Ok(());
        }
        let detail = format!("the secret belongs to run {}, the body speaks of run {run}", self.run);
        Err(Failure::field("run", detail))
    }

    /// Refuses who speaks for a run that is over: the host's previous system may speak until the new run claims.
    pub(super) fn may_speak(&self) -> Result<(), Failure> {
        let Some(current) = &self.state.run else {
            return Err(Failure::new(ProblemType::RunOver, "the host has no run"));
        };
        let is_previous = current.number == self.run.next() && self.kind == SecretKind::Host && !current.was_claimed();
        if current.number == self.run || is_previous {
            return Ok(());
        }
        let detail = format!("run {} is over: the host's run is {}", self.run, current.number);
        Err(Failure::new(ProblemType::RunOver, detail))
    }
}

fn purpose(kind: SecretKind) -> Purpose {
    match kind {
        SecretKind::Live => Purpose::Live,
        SecretKind::Host => Purpose::Host,
    }
}

/// A genuine secret that a rotation of the host's keys took back is not known any more.
fn is_known(state: &HostState, opened: Opened) -> bool {
    match &state.run {
        Some(run) if run.number == opened.run => {
            opened.generation == run.key_generation && opened.fits_run_armed_at(run.permit.issued_at)
        }
        _ => opened.generation == state.host.key_generation,
    }
}
