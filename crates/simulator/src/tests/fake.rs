//! A boot plane of a few lines: enough of docs/boot-protocol.md for machines to live by, and no rules beyond it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use thirdboot_api::boot::{ClaimBody, GrantAnswer, ReportBody, ReportEvent, StageAnswer};
use thirdboot_api::{Problem, ProblemType};

/// What is known of one machine, by its first MAC.
#[derive(Debug, Default, Clone)]
pub(super) struct Seen {
    pub(super) fetched: Vec<String>,
    pub(super) reports: Vec<ReportBody>,
    pub(super) repeats: usize,
    pub(super) claims: Vec<String>,
    pub(super) local_scripts: usize,
    keys: BTreeSet<(String, u64)>,
}

impl Seen {
    /// The events that were reported, in order.
    pub(super) fn events(&self) -> Vec<ReportEvent> {
        self.reports.iter().map(|report| report.event).collect()
    }
}

/// The fake.
#[derive(Clone)]
pub(super) struct Fake {
    pub(super) url: String,
    machines: Arc<Mutex<BTreeMap<String, Seen>>>,
}

impl Fake {
    pub(super) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let fake = Self {
            url,
            machines: Arc::default(),
        };
        let router = Router::new()
            .route("/boot.ipxe", get(boot))
            .route("/ipxe", get(ipxe))
            .route("/f/{mac}/{file}", get(file))
            .route("/v1/claim", post(claim))
            .route("/v1/report", post(report))
            .route("/v1/join", post(join))
            .with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        fake
    }

    pub(super) fn seen(&self, mac: &str) -> Seen {
        self.lock().get(mac).cloned().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Seen>> {
        self.machines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn boot(State(fake): State<Fake>) -> String {
    let url = &fake.url;
    format!("#!ipxe\n# thirdboot: boot\nchain {url}/ipxe?mac=${{net0/mac}}&serial=${{serial:uristring}} ||\nexit\n")
}

async fn ipxe(State(fake): State<Fake>, Query(query): Query<BTreeMap<String, String>>) -> String {
    let mac = &query["mac"];
    let mut machines = fake.lock();
    let seen = machines.entry(mac.clone()).or_default();
    if seen.events().contains(&ReportEvent::Installed) {
        seen.local_scripts += 1;
        return "#!ipxe\n# thirdboot: local host=a\nexit\n".to_owned();
    }
    let base = format!("{}/f/{mac}", fake.url);
    format!(
        "#!ipxe\n# thirdboot: install host=a run=1\nkernel {base}/kernel initrd=config coreos.live.rootfs_url={base}/rootfs\n\
         initrd --name config {base}/pointer.cpio\nboot\n"
    )
}

async fn file(State(fake): State<Fake>, Path((mac, file)): Path<(String, String)>) -> Vec<u8> {
    let live = live_config(&fake.url, &mac);
    let seen = &mut fake.lock();
    seen.entry(mac.clone()).or_default().fetched.push(file.clone());
    match file.as_str() {
        "pointer.cpio" => {
            let hash = format!("sha256-{}", data_encoding::HEXLOWER.encode(&Sha256::digest(&live)));
            let child = json!({"source": format!("{}/f/{mac}/live.ign", fake.url), "verification": {"hash": hash}});
            let pointer = json!({"ignition": {"version": "3.4.0", "config": {"replace": child}}}).to_string();
            archive("config.ign", pointer.as_bytes())
        }
        "live.ign" => live,
        _ => vec![7; 1000],
    }
}

fn live_config(url: &str, mac: &str) -> Vec<u8> {
    let environment = |purpose: &str| {
        let text =
            format!("THIRDBOOT_URL={url}\nTHIRDBOOT_SECRET=tb_{purpose}_{mac}\nTHIRDBOOT_RUN=1\nTHIRDBOOT_HOST=a\n");
        written("/etc/thirdboot/reporter.env", &text)
    };
    let vlan = "[connection]\ntype=vlan\n[vlan]\nid=1000\nparent=bond0\n";
    let keyfile = written("/etc/NetworkManager/system-connections/v.nmconnection", vlan);
    let peers = written("/etc/thirdboot/peers", "192.0.2.99\n");
    let installed = json!({"storage": {"files": [environment("host"), keyfile, peers]}}).to_string();
    let files = [environment("live"), written("/etc/thirdboot/installed.ign", &installed)];
    json!({"storage": {"files": files}}).to_string().into_bytes()
}

fn written(path: &str, text: &str) -> Value {
    let data = data_encoding::BASE64.encode(text.as_bytes());
    json!({"path": path, "contents": {"source": format!("data:;base64,{data}")}})
}

/// A newc archive of one file.
fn archive(name: &str, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, data) in [(name, data), ("TRAILER!!!", b"")] {
        let header = format!(
            "070701{:0>48}{:08X}{:0>32}{:08X}{:08X}",
            "",
            data.len(),
            "",
            name.len() + 1,
            0
        );
        out.extend(header.into_bytes());
        out.extend(name.as_bytes());
        out.push(0);
        out.resize(out.len().next_multiple_of(4), 0);
        out.extend(data);
        out.resize(out.len().next_multiple_of(4), 0);
    }
    out
}

/// The machine that a secret belongs to.
fn owner(headers: &HeaderMap, purpose: &str) -> Option<String> {
    let bearer = headers.get("authorization")?.to_str().ok()?;
    bearer.strip_prefix(&format!("Bearer tb_{purpose}_")).map(str::to_owned)
}

fn refuse(kind: ProblemType, detail: &str) -> Response {
    let status = StatusCode::from_u16(kind.status()).unwrap();
    (status, Json(Problem::new(kind, detail))).into_response()
}

async fn claim(State(fake): State<Fake>, headers: HeaderMap, Json(body): Json<ClaimBody>) -> Response {
    let Some(mac) = owner(&headers, "live") else {
        return refuse(ProblemType::Unauthorized, "unknown");
    };
    if !body.disk.holds.is_empty() {
        return refuse(
            ProblemType::ClaimRefused,
            &format!("the disk holds {}", body.disk.holds.join(", ")),
        );
    }
    let mut machines = fake.lock();
    let claims = &mut machines.entry(mac).or_default().claims;
    if claims.last() != Some(&body.boot_id) {
        claims.push(body.boot_id);
    }
    let attempt = u8::try_from(claims.len()).unwrap();
    let granted = GrantAnswer {
        granted: true,
        attempt,
        of: 3,
    };
    Json(granted).into_response()
}

async fn report(State(fake): State<Fake>, headers: HeaderMap, Json(body): Json<ReportBody>) -> Response {
    let Some(mac) = owner(&headers, "live").or_else(|| owner(&headers, "host")) else {
        return refuse(ProblemType::Unauthorized, "unknown");
    };
    let stage = match body.event {
        ReportEvent::Network if body.facts["peer"]["reached"] == json!(false) => "layered-boot",
        ReportEvent::Network => "networked",
        ReportEvent::InstallFailed | ReportEvent::LayerFailed | ReportEvent::JoinFailed => "failed",
        event => event.as_str(),
    };
    let mut machines = fake.lock();
    let seen = machines.entry(mac).or_default();
    if seen.keys.insert((body.boot_id.clone(), body.seq)) {
        seen.reports.push(body);
    } else {
        seen.repeats += 1;
    }
    Json(StageAnswer { stage: stage.into() }).into_response()
}

async fn join(headers: HeaderMap) -> Response {
    match owner(&headers, "host") {
        Some(_) => Json(json!({"kind": "none", "node_name": "a", "config": "", "downloads": []})).into_response(),
        None => refuse(ProblemType::Unauthorized, "unknown"),
    }
}
