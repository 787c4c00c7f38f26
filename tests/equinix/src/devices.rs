//! Machines: shown, changed, acted upon.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::Shared;
use crate::answer::{not_found, unprocessable};
use crate::routes::only;

pub(crate) async fn show(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    match shared.lock().devices.get(&id) {
        Some(device) => Json(device.shown()).into_response(),
        None => not_found(),
    }
}

pub(crate) async fn change(State(shared): State<Shared>, Path(id): Path<String>, body: String) -> Response {
    let mut inner = shared.lock();
    let body = match only(&mut inner, &body, &["always_pxe", "ipxe_script_url"]) {
        Ok(body) => body,
        Err(refused) => return unprocessable(&refused),
    };
    let Some(device) = inner.devices.get_mut(&id) else {
        return not_found();
    };
    if device.operating_system != "custom_ipxe" {
        return unprocessable("always_pxe is only available to custom_ipxe");
    }
    if let Some(value) = body.get("always_pxe") {
        let Some(always) = value.as_bool() else {
            return unprocessable("always_pxe must be a boolean");
        };
        device.always_pxe = always;
    }
    if let Some(url) = body.get("ipxe_script_url").and_then(Value::as_str) {
        url.clone_into(&mut device.ipxe_script_url);
    }
    Json(device.shown()).into_response()
}

pub(crate) async fn act(State(shared): State<Shared>, Path(id): Path<String>, body: String) -> Response {
    let mut inner = shared.lock();
    let body = match only(&mut inner, &body, &["type", "preserve_data", "deprovision_fast"]) {
        Ok(body) => body,
        Err(refused) => return unprocessable(&refused),
    };
    let Some(device) = inner.devices.get_mut(&id) else {
        return not_found();
    };
    let action = body.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    match (action.as_str(), device.state.as_str()) {
        ("reboot" | "power_off", "active") | ("power_on", "inactive") => {}
        ("reinstall", "active" | "inactive" | "failed") => {
            device.is_served = false;
            "queued".clone_into(&mut device.state);
        }
        (_, state) => return unprocessable(&format!("{action} is not possible while the device is {state}")),
    }
    match action.as_str() {
        "power_on" => "active".clone_into(&mut device.state),
        "power_off" => "inactive".clone_into(&mut device.state),
        _ => {}
    }
    device.actions.push(action.clone());
    inner.notes(&id, &format!("instance.{action}"), &format!("{action} was asked for"));
    StatusCode::ACCEPTED.into_response()
}

#[derive(Debug, Default)]
struct Page {
    number: usize,
    size: usize,
}

pub(crate) async fn events(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    let mut inner = shared.lock();
    let mut page = Page { number: 1, size: 10 };
    for (key, value) in query {
        match (key.as_str(), value.parse()) {
            ("page", Ok(number)) => page.number = number,
            ("per_page", Ok(size)) => page.size = size,
            _ => inner.violations.push(format!("events: {key}={value}")),
        }
    }
    let Some(device) = inner.devices.get(&id) else {
        return not_found();
    };
    // The newest first.
    let mut all: Vec<_> = device.events.iter().collect();
    all.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
    let some: Vec<Value> = all
        .into_iter()
        .skip(page.number.saturating_sub(1) * page.size)
        .take(page.size)
        .map(|event| {
            json!({"id": event.id, "type": event.kind, "body": event.body, "interpolated": event.body,
                "created_at": event.at, "state": "complete"})
        })
        .collect();
    Json(json!({"events": some, "meta": {"total": device.events.len()}})).into_response()
}
