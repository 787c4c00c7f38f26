//! The server under test, without sockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;
use thirdboot_lifecycle::{Evidence, Run, RunNumber};
use thirdboot_render::BaseUrl;
use thirdboot_store::{AccessRole, Clock, HostId, HostState, Token};
use tower::ServiceExt as _;

use super::{Reply, mirror};
use crate::boot::Peer;
use crate::fleetlock::{NoNodes, Nodes};
use crate::secrets::Purpose;
use crate::serve::{self, ServeOptions, UnknownPolicy};
use crate::{App, api, boot, page};

/// The boot that sample hosts speak of.
pub(crate) const BOOT_ID: &str = "3f2a0000-0000-4000-8000-00000000b001";
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPJyZaraVOOlFs4QMLzv1hJHdrDtkG1UqHbJfFJJ8Bmz admin@sample";

/// Both planes over a real store.
pub(crate) struct TestApp {
    pub(crate) app: App,
    pub(crate) clock: Arc<Clock>,
    pub(crate) token: String,
    boot: Router,
    control: Router,
    options: ServeOptions,
    folder: TempDir,
    nodes: Arc<dyn Nodes>,
}

impl TestApp {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With other options than usual.
    pub(crate) async fn with(change: impl FnOnce(&mut ServeOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        mirror::write(&folder.path().join("assets"));
        let mut options = ServeOptions::on_loopback(folder.path().join("data"), folder.path().join("assets"));
        options.boot_url = BaseUrl::parse("http://boot.test").ok();
        options.config_url = BaseUrl::parse("http://config.test").ok();
        options.unknown = UnknownPolicy::Hold;
        change(&mut options);
        let clock = Arc::new(Clock::manual(Timestamp::from_second(1_800_000_000).unwrap()));
        Self::on(options, clock, folder, Arc::new(NoNodes)).await
    }

    /// The same server, started again on its folder.
    pub(crate) async fn restarted(self) -> Self {
        self.app.store.close().await;
        let Self {
            clock,
            options,
            folder,
            nodes,
            ..
        } = self;
        Self::on(options, clock, folder, nodes).await
    }

    /// Stopped, its database set aside, and started again. Also returns where that is.
    pub(crate) async fn backed_up(self) -> (Self, std::path::PathBuf) {
        self.app.store.close().await;
        let backup = self.path("backup.db");
        std::fs::copy(self.options.data_dir.join("thirdboot.db"), &backup).unwrap();
        (self.restarted().await, backup)
    }

    /// Stopped, and started again on a database that was set aside.
    pub(crate) async fn restored(self, backup: &std::path::Path) -> Self {
        self.app.store.close().await;
        std::fs::copy(backup, self.options.data_dir.join("thirdboot.db")).unwrap();
        self.restarted().await
    }

    /// The same server with clusters that answer, or do not.
    pub(crate) async fn among(self, nodes: Arc<dyn Nodes>) -> Self {
        Self { nodes, ..self }.restarted().await
    }

    async fn on(options: ServeOptions, clock: Arc<Clock>, folder: TempDir, nodes: Arc<dyn Nodes>) -> Self {
        let made = serve::assemble(&options, Arc::clone(&clock), Arc::clone(&nodes)).await;
        let (app, token) = made.unwrap();
        Self {
            boot: serve::layered(boot::router(app.clone()), "boot", &app.metrics),
            control: serve::layered(page::control_plane(app.clone()), "control", &app.metrics),
            app,
            clock,
            token,
            options,
            folder,
            nodes,
        }
    }

    /// What a host's run has shown.
    pub(crate) async fn evidence(&self, name: &str) -> Evidence {
        self.state(name).await.run.unwrap().evidence
    }

    /// Waits for what is written beside an answer.
    pub(crate) async fn until(&self, name: &str, is_so: impl Fn(&Run) -> bool) {
        let mut seen = 0;
        let outer_bound = std::time::Instant::now() + Duration::from_secs(10);
        while !is_so(&self.state(name).await.run.unwrap()) {
            assert!(std::time::Instant::now() < outer_bound, "never so");
            seen = self.app.store.changed(seen, Duration::from_secs(1)).await;
        }
    }

    /// A path in the test's own folder.
    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Lets time pass.
    pub(crate) fn wait(&self, minutes: i64) {
        self.clock.jump(SignedDuration::from_mins(minutes));
    }

    async fn ask(router: &Router, request: Request<Body>) -> Reply {
        let reply = Self::whole(router, request).await;
        assert_eq!(reply.header("cache-control"), "no-store");
        reply
    }

    /// Any request to the control plane.
    pub(crate) async fn control(&self, request: Request<Body>) -> Reply {
        Self::whole(&self.control, request).await
    }

    /// Any request to the control plane, its answer not read yet.
    pub(crate) async fn open(&self, request: Request<Body>) -> axum::response::Response {
        self.control.clone().oneshot(request).await.unwrap()
    }

    async fn whole(router: &Router, request: Request<Body>) -> Reply {
        let response = router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// Any request to the boot plane, from anywhere.
    pub(crate) async fn boot_request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        from: &str,
        body: Body,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(body).unwrap();
        request
            .extensions_mut()
            .insert(Peer(SocketAddr::new(from.parse().unwrap(), 1)));
        Self::ask(&self.boot, request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.boot_request(Method::GET, path, &[], "127.0.0.1", Body::empty())
            .await
    }

    pub(crate) async fn get_from(&self, from: &str, path: &str) -> Reply {
        self.boot_request(Method::GET, path, &[], from, Body::empty()).await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.boot_request(Method::GET, path, headers, "127.0.0.1", Body::empty())
            .await
    }

    pub(crate) async fn head(&self, path: &str) -> Reply {
        self.boot_request(Method::HEAD, path, &[], "127.0.0.1", Body::empty())
            .await
    }

    /// A post of a host under one of its secrets.
    pub(crate) async fn post(&self, path: &str, secret: &str, body: &Value) -> Reply {
        let bearer = format!("Bearer {secret}");
        let headers = [("authorization", bearer.as_str())];
        self.boot_request(Method::POST, path, &headers, "127.0.0.1", Body::from(body.to_string()))
            .await
    }

    /// Any request to the control plane under a token.
    pub(crate) async fn api_as(&self, token: &str, method: Method, path: &str, body: Body) -> Reply {
        self.api_with(token, method, path, &[], body).await
    }

    /// The same with headers of its own.
    pub(crate) async fn api_with(
        &self,
        token: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Self::ask(&self.control, request.body(body).unwrap()).await
    }

    /// Any request to the control plane with further headers, under the admin's token.
    pub(crate) async fn admin_with(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.token));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Self::ask(&self.control, request.body(body.into()).unwrap()).await
    }

    /// A token of that role.
    pub(crate) async fn token_of(&self, name: &str, role: AccessRole) -> String {
        let text = api::new_token().unwrap();
        let token = Token {
            name: name.to_owned(),
            role,
            sha256: api::token_sha256(&text),
            created_at: self.app.store.now(),
        };
        self.app.store.add_token(token).await.unwrap();
        text
    }

    /// A request to the control plane that is made from this etag.
    pub(crate) async fn api_if_match(&self, method: Method, path: &str, etag: &str, body: Body) -> Reply {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.token))
            .header("if-match", etag)
            .body(body)
            .unwrap();
        Self::ask(&self.control, request).await
    }

    pub(crate) async fn api_get(&self, path: &str) -> Reply {
        self.api_as(&self.token, Method::GET, path, Body::empty()).await
    }

    pub(crate) async fn api_post(&self, path: &str, body: &Value) -> Reply {
        self.api_as(&self.token, Method::POST, path, Body::from(body.to_string()))
            .await
    }

    /// The same, once those who wait are waiting.
    pub(crate) async fn api_post_yielded(&self, path: &str, body: &Value) -> Reply {
        tokio::task::yield_now().await;
        self.api_post(path, body).await
    }

    pub(crate) async fn api_patch(&self, path: &str, body: &Value) -> Reply {
        self.api_as(&self.token, Method::PATCH, path, Body::from(body.to_string()))
            .await
    }

    pub(crate) async fn api_delete(&self, path: &str) -> Reply {
        self.api_as(&self.token, Method::DELETE, path, Body::empty()).await
    }

    /// A stream of events, not read yet.
    pub(crate) async fn open_stream(&self, path: &str, last_id: Option<&str>) -> axum::response::Response {
        let mut request = Request::builder()
            .uri(path)
            .header("authorization", format!("Bearer {}", self.token));
        if let Some(last_id) = last_id {
            request = request.header("last-event-id", last_id);
        }
        let request = request.body(Body::empty()).unwrap();
        self.control.clone().oneshot(request).await.unwrap()
    }

    /// A host whose only MAC ends in `n`.
    pub(crate) fn described(name: &str, n: u8) -> Value {
        json!({"name": name, "macs": [mac(n)], "role": "runner", "ssh_keys": [KEY]})
    }

    /// Adds host `n`, with some fields changed.
    pub(crate) async fn host_with(&self, name: &str, n: u8, changed: Value) -> HostState {
        let mut host = Self::described(name, n);
        for (key, value) in changed.as_object().unwrap() {
            host[key] = value.clone();
        }
        let reply = self.api_post("/api/v1/hosts", &host).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        self.state(name).await
    }

    pub(crate) async fn host(&self, name: &str, n: u8) -> HostState {
        self.host_with(name, n, json!({})).await
    }

    pub(crate) async fn arm(&self, name: &str) -> Reply {
        self.api_post(&format!("/api/v1/hosts/{name}/arm"), &json!({"confirm": name}))
            .await
    }

    /// Adds and arms host `n`.
    pub(crate) async fn armed(&self, name: &str, n: u8) -> HostState {
        self.host(name, n).await;
        let reply = self.arm(name).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        self.state(name).await
    }

    pub(crate) async fn state(&self, name: &str) -> HostState {
        self.app.store.host(&name.parse().unwrap()).await.unwrap().unwrap()
    }

    /// A secret of a host's run.
    pub(crate) fn secret(&self, purpose: Purpose, host: HostId, run: u32) -> String {
        self.app
            .secrets
            .derive(purpose, host, RunNumber(run), 0)
            .expose()
            .to_owned()
    }

    /// Host `n` asks for its script by its MAC.
    pub(crate) async fn script(&self, n: u8) -> Reply {
        self.get(&format!("/ipxe?mac={}", mac(n))).await
    }

    /// Host `n`'s claim of its only, empty disk.
    pub(crate) fn claim(n: u8, run: u32) -> Value {
        let disk =
            json!({"path": format!("/dev/disk/by-id/d{n}"), "serial": format!("D{n}"), "size_bytes": 64_u64 << 30});
        json!({"run": run, "boot_id": BOOT_ID, "dmi": {"serial": format!("S{n}")}, "macs": [mac(n)], "disk": disk, "disks": [disk]})
    }

    /// A report of a host's run 1.
    pub(crate) fn report(seq: u64, event: &str, more: &Value) -> Value {
        let mut report = json!({"run": 1, "boot_id": BOOT_ID, "seq": seq, "event": event});
        for (key, value) in more.as_object().unwrap() {
            report[key] = value.clone();
        }
        report
    }

    /// Sends a report of run 1 that must be recorded; gives the stage.
    pub(crate) async fn tell(&self, host: HostId, kind: Purpose, seq: u64, event: &str, more: Value) -> String {
        let reply = self
            .post(
                "/v1/report",
                &self.secret(kind, host, 1),
                &Self::report(seq, event, &more),
            )
            .await;
        assert_eq!(reply.status, 200, "{event}: {}", reply.text());
        reply.json()["stage"].as_str().unwrap().to_owned()
    }

    /// Adds host `n`, arms it and lets it run up to a proven network.
    pub(crate) async fn networked(&self, name: &str, n: u8, changed: Value) -> HostState {
        let host = self.layered(name, n, changed).await;
        let facts = json!({"facts": {"addresses": ["192.0.2.10/24"]}});
        assert_eq!(self.tell(host, Purpose::Host, 6, "network", facts).await, "networked");
        self.state(name).await
    }

    /// Adds host `n`, arms it and lets it run up to its third boot.
    pub(crate) async fn layered(&self, name: &str, n: u8, changed: Value) -> HostId {
        let host = self.host_with(name, n, changed).await.id;
        assert_eq!(self.arm(name).await.status, 200);
        self.script(n).await;
        self.tell(host, Purpose::Live, 1, "live", json!({})).await;
        let granted = self
            .post("/v1/claim", &self.secret(Purpose::Live, host, 1), &Self::claim(n, 1))
            .await;
        assert_eq!(granted.status, 200, "{}", granted.text());
        self.tell(host, Purpose::Live, 2, "installed", json!({})).await;
        let base = json!({"facts": {"deployment": "base"}});
        self.tell(host, Purpose::Host, 3, "first-boot", base).await;
        let layered = json!({"facts": {"deployment": "layered"}});
        self.tell(host, Purpose::Host, 4, "layered", layered.clone()).await;
        let mut third = Self::report(5, "layered-boot", &layered);
        third["boot_id"] = "3f2a0000-0000-4000-8000-00000000b003".into();
        let reply = self
            .post("/v1/report", &self.secret(Purpose::Host, host, 1), &third)
            .await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        host
    }
}

/// The MAC of machine `n`.
pub(crate) fn mac(n: u8) -> String {
    format!("52:54:00:00:00:{n:02x}")
}
