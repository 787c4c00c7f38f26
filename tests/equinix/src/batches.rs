//! VLANs on ports: asked for in batches, which take their time.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::Shared;
use crate::answer::{not_found, unprocessable};
use crate::routes::only;
use crate::state::{Batch, Inner};

pub(crate) async fn assigned(State(shared): State<Shared>, Path(port): Path<String>) -> Response {
    let mut inner = shared.lock();
    let Some(device) = inner.port(&port) else {
        return not_found();
    };
    let some: Vec<Value> = device
        .port
        .vlans
        .iter()
        .map(|vlan| json!({"id": format!("a-{vlan}"), "vlan": vlan, "state": "assigned", "native": false}))
        .collect();
    Json(json!({"vlan_assignments": some})).into_response()
}

pub(crate) async fn list(State(shared): State<Shared>, Path(port): Path<String>) -> Response {
    let mut inner = shared.lock();
    if inner.port(&port).is_none() {
        return not_found();
    }
    let some: Vec<Value> = inner
        .batches
        .iter()
        .filter(|batch| batch.port == port)
        .map(shown)
        .collect();
    Json(json!({"batches": some})).into_response()
}

pub(crate) async fn create(State(shared): State<Shared>, Path(port): Path<String>, body: String) -> Response {
    let mut inner = shared.lock();
    let body = match only(&mut inner, &body, &["vlan_assignments"]) {
        Ok(body) => body,
        Err(refused) => return unprocessable(&refused),
    };
    let (mut vlans, mut states) = (Vec::new(), BTreeSet::new());
    for wanted in body
        .get("vlan_assignments")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let is_tagged = wanted["native"] == Value::Null || wanted["native"] == false;
        let id = wanted["vlan"].as_str().and_then(|id| id.parse().ok());
        let is_known = wanted["state"] == "assigned" || wanted["state"] == "unassigned";
        let Some(id) = id.filter(|_| is_known && is_tagged) else {
            inner.violations.push(format!("batch: {wanted}"));
            return unprocessable("expected a vlan as text, and the state assigned or unassigned");
        };
        states.insert(wanted["state"] == "assigned");
        vlans.push(id);
    }
    if states.len() > 1 {
        inner.violations.push("a batch that assigns and unassigns".to_owned());
        return unprocessable("this stand-in takes one state a batch");
    }
    if vlans.is_empty() {
        return unprocessable("vlan_assignments can't be blank");
    }
    let is_under_way = |batch: &Batch| batch.port == port && matches!(batch.state, "queued" | "in_progress");
    if inner.batches.iter().any(is_under_way) {
        inner.violations.push("a batch while another is under way".to_owned());
        return unprocessable("another batch is under way");
    }
    let assigns = states.contains(&true);
    let Some(device) = inner.port(&port) else {
        return not_found();
    };
    if !assigns && !vlans.iter().all(|vlan| device.port.vlans.contains(vlan)) {
        return unprocessable("a VLAN is not assigned to this port");
    }
    if device.network_frozen || !device.port.is_bonded || device.port.network_type.starts_with("layer2") {
        return unprocessable("the port cannot take VLANs beside layer 3");
    }
    let id = inner.id();
    let batch = Batch {
        id,
        port,
        state: "queued",
        vlans,
        assigns,
        errors: Vec::new(),
    };
    let answer = (StatusCode::CREATED, Json(shown(&batch))).into_response();
    inner.batches.push(batch);
    answer
}

pub(crate) async fn show(State(shared): State<Shared>, Path((port, id)): Path<(String, String)>) -> Response {
    let mut inner = shared.lock();
    let Some(at) = inner
        .batches
        .iter()
        .position(|batch| batch.port == port && batch.id == id)
    else {
        return not_found();
    };
    step(&mut inner, at);
    Json(shown(&inner.batches[at])).into_response()
}

/// Moves all of them on as far as they go.
pub(crate) fn end(inner: &mut Inner) {
    for at in 0..inner.batches.len() {
        // Queued, in progress, ended.
        step(inner, at);
        step(inner, at);
    }
}

/// Moves it on by one step.
fn step(inner: &mut Inner, at: usize) {
    let batch = inner.batches[at].clone();
    match batch.state {
        "queued" => inner.batches[at].state = "in_progress",
        "in_progress" => {
            let known = inner.vlans.clone();
            let most = if inner.halves_batches { 1 } else { usize::MAX };
            let mut errors = Vec::new();
            for (nth, vlan) in batch.vlans.iter().enumerate() {
                let Some(device) = inner.port(&batch.port) else { return };
                if !batch.assigns {
                    device.port.vlans.remove(vlan);
                } else if !known.contains(vlan) {
                    errors.push(format!("VLAN {vlan} was not found in this metro"));
                } else if nth >= most {
                    errors.push(format!("VLAN {vlan} could not be assigned"));
                } else {
                    device.port.vlans.insert(*vlan);
                    "hybrid-bonded".clone_into(&mut device.port.network_type);
                }
            }
            inner.batches[at].state = if errors.is_empty() { "completed" } else { "failed" };
            inner.batches[at].errors = errors;
        }
        _ => {}
    }
}

fn shown(batch: &Batch) -> Value {
    let state = if batch.assigns { "assigned" } else { "unassigned" };
    let vlans: Vec<Value> = batch
        .vlans
        .iter()
        .map(|vlan| json!({"vlan": vlan, "state": state, "native": false}))
        .collect();
    json!({"id": batch.id, "state": batch.state, "quantity": vlans.len(), "error_messages": batch.errors, "vlan_assignments": vlans})
}
