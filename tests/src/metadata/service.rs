//! What the service knows, and what may be asked of it.

use std::collections::BTreeMap;

use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{EAR, Heard, NAME, OLDER_NAME, Shared};

/// What a machine says of itself is a line.
const MAX_BODY_BYTES: usize = 64 << 10;
/// Headers that differ between any two programs and places.
const OF_WHO_ASKS: [header::HeaderName; 2] = [header::HOST, header::USER_AGENT];

pub(super) fn router(shared: Shared) -> Router {
    Router::new().fallback(answer).with_state(shared)
}

async fn answer(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let text = |name: header::HeaderName| {
        let value = parts.headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let host = text(header::HOST).unwrap_or_default();
    let asked = format!("{} {host}{}", parts.method, parts.uri);
    shared.note(|noted| {
        noted.heard.push(Heard {
            request: asked.clone(),
            headers: others(&parts.headers),
            body: body.to_vec(),
            user_agent: text(header::USER_AGENT),
        });
    });
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let refused = match (method, host.as_str(), path) {
        ("GET", NAME | OLDER_NAME, "/metadata") if body.is_empty() => return Json(metadata()).into_response(),
        ("POST", EAR, "/phone-home") => fault_of_phone_home(&body),
        ("POST", EAR, "/events") => fault_of_state(&parts.headers, &body),
        _ => Some("nobody asks this".to_owned()),
    };
    match refused {
        None => StatusCode::OK.into_response(),
        Some(why) => {
            shared.violates(format!("{asked}: {why}"));
            StatusCode::UNPROCESSABLE_ENTITY.into_response()
        }
    }
}

fn others(headers: &HeaderMap) -> BTreeMap<String, String> {
    let others = headers.iter().filter(|(name, _)| !OF_WHO_ASKS.contains(name));
    let text = |value: &header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    others.map(|(name, value)| (name.to_string(), text(value))).collect()
}

fn fault_of_phone_home(body: &Bytes) -> Option<String> {
    (!body.is_empty()).then(|| "it says something".to_owned())
}

/// `running`, `succeeded` or `failed`, a code of the machine's own, and a word for people.
fn fault_of_state(headers: &HeaderMap, body: &Bytes) -> Option<String> {
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/json");
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    let is_state = matches!(said["state"].as_str(), Some("running" | "succeeded" | "failed"));
    let is_code = said["code"].as_u64().is_some_and(|code| (1000..1100).contains(&code));
    let is_whole = is_json && is_state && is_code && said["message"].is_string();
    (!is_whole).then(|| format!("no state: {said}"))
}

/// What the service says of a machine with a bond, as far as Afterburn and Thirdboot read it.
fn metadata() -> Value {
    let address = |family: u8, is_public: bool, [id, address, netmask, gateway]: [&str; 4], cidr: u8| {
        json!({"id": id, "address_family": family, "public": is_public, "management": is_public, "enabled": true,
            "address": address, "netmask": netmask, "gateway": gateway, "cidr": cidr})
    };
    json!({
        "id": "7a8b0000-0000-4000-8000-0000000000d1", "hostname": "a-name", "iqn": "iqn.2026-11.net.packet:device.7a8b0000",
        "plan": "c3.small.x86", "facility": "fr2", "tags": [], "ssh_keys": [],
        "network": {
            "bonding": {"mode": 4},
            "interfaces": [
                {"name": "eth0", "mac": "52:54:00:aa:bb:01", "bond": "bond0"},
                {"name": "eth1", "mac": "52:54:00:aa:bb:02", "bond": "bond0"},
            ],
            "addresses": [
                address(4, true, ["a1", "192.0.2.10", "255.255.255.254", "192.0.2.11"], 31),
                address(4, false, ["a2", "10.25.1.3", "255.255.255.254", "10.25.1.2"], 31),
                address(6, true, ["a3", "2001:db8::3", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", "2001:db8::2"], 127),
            ],
        },
        "user_state_url": format!("https://{EAR}/events"),
        "phone_home_url": format!("https://{EAR}/phone-home"),
    })
}
