//! `POST /fleetlock/{lock secret}/v1/pre-reboot` and `…/v1/steady-state`: FleetLock, protocol version 1, as Zincati
//! speaks it. It sends no Content-Type, and understands no problem documents.

use axum::Json as Answered;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use thirdboot_lifecycle::{LockAsk, LockReason, SlotState, Stage};
use thirdboot_render::fleetlock_identity;
use thirdboot_store::{Actor, HostState, LockChange};

use super::asking::{cluster_of, group_of, question};
use super::patience::{Slow, is_well_again, nodes_beside};
use super::worker::release;
use crate::App;
use crate::boot::{self, Transport};
use crate::observe;
use crate::path::Path;
use crate::problem::Failure;
use crate::secrets::{Purpose, redact};

/// A body is two short words.
const MAX_BODY_BYTES: usize = 4096;
/// What a host's own monthly reboot says beside the protocol's header, so that people see what the slot is for.
const REASON: &str = "thirdboot-reason";

/// A refusal in FleetLock's words.
#[derive(Debug, Serialize)]
struct Refusal {
    kind: &'static str,
    value: String,
    #[serde(skip)]
    status: StatusCode,
}

impl Refusal {
    fn new(status: StatusCode, kind: &'static str, value: impl Into<String>) -> Self {
        Self {
            kind,
            value: value.into(),
            status,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Answered(self)).into_response()
    }
}

impl<E: Into<Failure>> From<E> for Refusal {
    /// The log is told more than the host.
    fn from(error: E) -> Self {
        let failure: Failure = error.into();
        let problem = failure.problem();
        let detail = problem.says().to_owned();
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // Logs its cause.
        drop(failure.into_response());
        Self::new(status, "unavailable", detail)
    }
}

#[derive(Debug, Deserialize)]
struct Body {
    client_params: ClientParams,
}

#[derive(Debug, Deserialize)]
struct ClientParams {
    id: String,
    group: String,
}

/// May this host be disrupted now?
pub(crate) async fn pre_reboot(State(app): State<App>, Path(secret): Path<String>, request: Request) -> Response {
    answered(asks(&app, &secret, request).await)
}

/// This host is well, and holds nothing any more.
pub(crate) async fn steady_state(State(app): State<App>, Path(secret): Path<String>, request: Request) -> Response {
    answered(returns(&app, &secret, request).await)
}

fn answered(result: Result<(), Refusal>) -> Response {
    match result {
        Ok(()) => StatusCode::OK.into_response(),
        Err(refusal) => {
            tracing::info!(kind = refusal.kind, why = %redact(&refusal.value), "reboot lock refused");
            refusal.into_response()
        }
    }
}

async fn asks(app: &App, secret: &str, request: Request) -> Result<(), Refusal> {
    let (state, reason) = client(app, secret, request).await?;
    let is_ready = state.run.as_ref().is_some_and(|run| match run.stage {
        Stage::Ready => true,
        // The system of before is up until the new run claims.
        _ => run.replaces.is_some() && !run.was_claimed(),
    });
    if !is_ready {
        let why = "this host was never ready: nothing of it may be disrupted yet";
        return Err(Refusal::new(StatusCode::CONFLICT, "not_ready", why));
    }
    is_wanted(app, &state, reason).await?;
    let late = |slow: Slow| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "cluster_slow", slow.to_string());
    // What was granted stays granted, whatever the cluster says: nobody waits for its word.
    let ask = if is_granted(app, &state).await? {
        LockAsk {
            // Should it be taken back at this moment, nothing is granted undrained.
            drains: cluster_of(&state).is_some(),
            ..question(app, &state, reason, None).await?
        }
    } else {
        let nodes = nodes_beside(app, &state).await.map_err(late)?;
        question(app, &state, reason, nodes.as_ref()).await?
    };
    let outcome = app.store.change_lock(LockChange::Ask(ask)).await?;
    if outcome.is_new {
        app.look_at_locks.notify_one();
    }
    let slot = outcome
        .slot
        .ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "unknown_client", "no such host"))?;
    match slot.state {
        SlotState::Granted => {
            tracing::info!(group = %slot.group, reason = %slot.reason, "reboot lock granted");
            Ok(())
        }
        SlotState::Reserved => {
            let how = slot.note.unwrap_or_else(|| "its drain begins".to_owned());
            Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "draining", how))
        }
        SlotState::Waiting | SlotState::Released => {
            let why = slot.note.unwrap_or_else(|| "no slot is free".to_owned());
            Err(Refusal::new(StatusCode::CONFLICT, "slots_held", why))
        }
    }
}

async fn is_granted(app: &App, state: &HostState) -> Result<bool, Refusal> {
    let slot = app.store.lock_of(state.id).await?;
    Ok(slot.is_some_and(|slot| slot.state == SlotState::Granted))
}

/// Whether its group's settings are for it. What was granted stays granted: the host may be on its way down.
async fn is_wanted(app: &App, state: &HostState, reason: LockReason) -> Result<(), Refusal> {
    let group = group_of(state);
    let settings = app.store.lock_group(&group).await?.value;
    let Err(not_now) = settings.permits(&group, reason, app.store.now()) else {
        return Ok(());
    };
    match app.store.lock_of(state.id).await? {
        Some(slot) if slot.state == SlotState::Granted => return Ok(()),
        // A place for another reason is not what this is about.
        Some(slot) if slot.state != SlotState::Released && slot.reason == reason => {
            release(app, &slot, &not_now.why).await?;
            app.look_at_locks.notify_one();
        }
        _ => {}
    }
    Err(Refusal::new(StatusCode::CONFLICT, not_now.kind, not_now.why))
}

async fn returns(app: &App, secret: &str, request: Request) -> Result<(), Refusal> {
    let (state, _) = client(app, secret, request).await?;
    let Some(slot) = app
        .store
        .lock_of(state.id)
        .await?
        .filter(|slot| slot.state != SlotState::Released)
    else {
        return Ok(());
    };
    if let LockReason::Reinstall { run } = slot.reason {
        // A word of the system that is being replaced, or of the new one before it is ready, gives nothing back.
        let is_ready = state
            .run
            .as_ref()
            .is_some_and(|now| now.number == run && now.stage == Stage::Ready);
        if !is_ready {
            let why = format!("run {run} is not ready");
            return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "node_not_ready", why));
        }
    }
    if slot.state.holds()
        && let Err(why) = is_well_again(app, &state).await
    {
        let note = LockChange::Note {
            host: state.id,
            note: Some(why.clone()),
        };
        app.store.change_lock(note).await?;
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "node_not_ready", why));
    }
    let release = LockChange::Release {
        host: state.id,
        if_asks: Some(slot.asks),
        by: Actor::Host,
        why: "it is back".to_owned(),
    };
    if app.store.change_lock(release).await?.is_new {
        tracing::info!(group = %slot.group, "reboot lock released");
        app.look_at_locks.notify_one();
    }
    Ok(())
}

/// Who asks, and what for. Nobody's body is read before its secret was.
async fn client(app: &App, secret: &str, request: Request) -> Result<(HostState, LockReason), Refusal> {
    Transport::of(app, request.extensions(), request.headers()).may_speak(app)?;
    let state = host_of(app, secret).await?;
    observe::concerns(&state);
    let malformed = |why: &str| Refusal::new(StatusCode::BAD_REQUEST, "malformed", why);
    let is_fleetlock = |headers: &HeaderMap| headers.get("fleet-lock-protocol").is_some_and(|value| value == "true");
    if !is_fleetlock(request.headers()) {
        return Err(malformed("expected the header fleet-lock-protocol: true"));
    }
    let reason = match request.headers().get(REASON) {
        Some(value) if value == "monthly" => LockReason::Monthly,
        _ => LockReason::Update,
    };
    let body = boot::bytes(request.into_body(), MAX_BODY_BYTES).await;
    let body = body.map_err(|failure| match failure.problem().status {
        413 => malformed("the body is longer than a question can be"),
        _ => failure.into(),
    })?;
    let Body { client_params } = serde_json::from_slice(&body)
        .map_err(|_| malformed("expected JSON: {\"client_params\": {\"id\": \"…\", \"group\": \"…\"}}"))?;
    let (id, group) = (fleetlock_identity(&state.host).id, group_of(&state));
    if client_params.id != id || client_params.group != group.as_str() {
        let why = format!(
            "this path is that of id {id} in group {group}: a host whose name, role or cluster changed has to be installed anew"
        );
        return Err(Refusal::new(StatusCode::FORBIDDEN, "wrong_client", why));
    }
    Ok((state, reason))
}

/// Whose secret it is. That of the system of before stays good until the new run claims.
async fn host_of(app: &App, secret: &str) -> Result<HostState, Refusal> {
    let unknown = || Refusal::new(StatusCode::NOT_FOUND, "unknown_client", "nobody has this path");
    let opened = app.secrets.open(Purpose::Lock, secret).ok_or_else(unknown)?;
    let state = app.store.host_by_id(opened.host).await?.ok_or_else(unknown)?;
    let run = state.run.as_ref().ok_or_else(unknown)?;
    let fits = |run: &thirdboot_lifecycle::Run| {
        run.key_generation == opened.generation && opened.fits_run_armed_at(run.permit.issued_at)
    };
    if fits(run) {
        return Ok(state);
    }
    if !run.was_claimed() && run.replaces.is_some() {
        let before = app.store.runs(state.id).await?;
        // Whichever is on the disk: of those that came later none claimed.
        let on_disk = before.iter().find(|before| before.was_claimed());
        if on_disk.is_some_and(fits) {
            return Ok(state);
        }
    }
    Err(unknown())
}
