//! What is served, and what is asked of every request.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Map, Value};

use crate::answer::{Fault, error, not_found};
use crate::state::Inner;
use crate::{Shared, batches, devices};

pub(crate) fn router(shared: Shared) -> Router {
    let api = Router::new()
        .route("/devices/{id}", get(devices::show).put(devices::change))
        .route("/devices/{id}/actions", post(devices::act))
        .route("/devices/{id}/events", get(devices::events))
        .route("/ports/{id}/vlan-assignments", get(batches::assigned))
        .route(
            "/ports/{id}/vlan-assignments/batches",
            get(batches::list).post(batches::create),
        )
        .route("/ports/{id}/vlan-assignments/batches/{batch}", get(batches::show));
    Router::new()
        .nest("/metal/v1", api)
        .fallback(unknown)
        .layer(from_fn_with_state(shared.clone(), guard))
        .with_state(shared)
}

async fn unknown(State(shared): State<Shared>, request: Request) -> Response {
    let line = format!("{} {}: no such path", request.method(), request.uri().path());
    shared.lock().violations.push(line);
    not_found()
}

/// Counts, breaks what is to be broken, and lets nobody in without the token.
async fn guard(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let path = request.uri().path().trim_start_matches("/metal/v1").to_owned();
    let fault = {
        let mut inner = shared.lock();
        let line = format!("{} {path}", request.method());
        inner.asked.push(line.clone());
        inner.heard.notify_waiters();
        form(&mut inner, &request);
        if let Some((_, id, change)) = inner.meanwhile.take_if(|(end, ..)| line.ends_with(end.as_str()))
            && let Some(device) = inner.devices.get_mut(&id)
        {
            change(device);
        }
        let standing = inner.standing.as_ref().filter(|(end, _)| line.ends_with(end.as_str()));
        let standing = standing.map(|(_, fault)| fault.clone());
        inner.faults.pop_front().or(standing)
    };
    let is_lost = fault == Some(Fault::Lost);
    if let Some(fault) = fault
        && let Some(answer) = fault.answer().await
    {
        return answer;
    }
    let given = request
        .headers()
        .get("x-auth-token")
        .map(|token| token.as_bytes().to_vec());
    let is_let_in = given.as_deref() == Some(shared.lock().token.as_bytes());
    if !is_let_in {
        return error(StatusCode::UNAUTHORIZED, "Invalid authentication token");
    }
    let answer = next.run(request).await;
    if is_lost {
        return error(StatusCode::GATEWAY_TIMEOUT, "no answer from upstream");
    }
    answer
}

/// What every client of the API sends, and what none may.
fn form(inner: &mut Inner, request: &Request) {
    let headers = request.headers();
    let line = format!("{} {}", request.method(), request.uri().path());
    if headers.contains_key(header::AUTHORIZATION) {
        inner.violations.push(format!("{line}: Authorization"));
    }
    if !headers.contains_key(header::USER_AGENT) {
        inner.violations.push(format!("{line}: no User-Agent"));
    }
    let has_body = headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0");
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/json");
    if has_body && !is_json {
        inner
            .violations
            .push(format!("{line}: its body is not said to be JSON"));
    }
    if request.uri().query().is_some_and(|query| query.contains(&inner.token)) {
        inner.violations.push(format!("{line}: the token in its query"));
    }
}

/// An object with no other keys than these; or what is wrong with it.
pub(crate) fn only(inner: &mut Inner, body: &str, keys: &[&str]) -> Result<Map<String, Value>, String> {
    let Ok(Value::Object(object)) = serde_json::from_str(body) else {
        inner.violations.push(format!("no object: {body}"));
        return Err("expected a JSON object".to_owned());
    };
    match object.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => {
            inner.violations.push(format!("the API knows no {key} here"));
            Err(format!("{key} is not known"))
        }
        None => Ok(object),
    }
}
