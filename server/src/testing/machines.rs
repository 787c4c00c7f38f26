//! Hosts on their way: described, armed, and what their machines say.

use std::time::Duration;

use serde_json::{Value, json};
use thirdboot_lifecycle::{Evidence, Run};
use thirdboot_store::{HostId, HostState};

use super::{Reply, TestApp};
use crate::secrets::Purpose;

/// The boot that sample hosts speak of.
pub(crate) const BOOT_ID: &str = "3f2a0000-0000-4000-8000-00000000b001";
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPJyZaraVOOlFs4QMLzv1hJHdrDtkG1UqHbJfFJJ8Bmz admin@sample";

impl TestApp {
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
