//! One-line set-up.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};
use thirdboot_lifecycle::{RunNumber, SlotState};
use thirdboot_render::fleetlock_identity;
use thirdboot_store::Submission;

use super::super::nodes::Nodes;
use super::super::{asking, worker};
use crate::secrets::Purpose;
use crate::testing::{BOOT_ID, Reply, TestApp};

/// A further boot of a host.
pub(super) const NEXT_BOOT: &str = "3f2a0000-0000-4000-8000-00000000b004";

impl TestApp {
    /// A site whose only cluster, prod, has these nodes.
    pub(super) async fn with_prod(nodes: &Arc<super::fake::FakeNodes>) -> Self {
        let nodes: Arc<dyn Nodes> = Arc::<super::fake::FakeNodes>::clone(nodes);
        let site = Self::new().await.among(nodes).await;
        site.cluster("prod").await;
        site
    }

    /// Host `n` is ready.
    pub(crate) async fn ready(&self, name: &str, n: u8, changed: Value) {
        let state = self.networked(name, n, changed).await;
        let id = state.id;
        if state.host.role.joins() {
            let (run, boot_id) = (RunNumber(1), BOOT_ID.parse().unwrap());
            let join = Submission::JoinHandedOut { run, boot_id };
            self.app.store.submit(id, join).await.unwrap();
        }
        self.tell(id, Purpose::Host, 7, "ready", json!({})).await;
    }

    /// A ready member of prod.
    pub(super) async fn member(&self, name: &str, n: u8, role: &str) {
        self.ready(name, n, json!({"role": role, "cluster": "prod"})).await;
    }

    /// What the Zincati of this host says.
    pub(super) async fn question(&self, name: &str) -> (String, Value) {
        let state = self.state(name).await;
        let secret = self.secret(Purpose::Lock, state.id, 0);
        let params = json!({"id": fleetlock_identity(&state.host).id, "group": asking::group_of(&state).as_str()});
        (format!("/fleetlock/{secret}"), json!({"client_params": params}))
    }

    pub(super) async fn fleetlock(&self, path: &str, body: &Value) -> Reply {
        let header = [("fleet-lock-protocol", "true")];
        self.boot_request(Method::POST, path, &header, "127.0.0.1", Body::from(body.to_string()))
            .await
    }

    /// The host wants to reboot.
    pub(crate) async fn pre_reboot(&self, name: &str) -> Reply {
        let (base, body) = self.question(name).await;
        self.fleetlock(&format!("{base}/v1/pre-reboot"), &body).await
    }

    /// The host says that it is well.
    pub(crate) async fn steady_state(&self, name: &str) -> Reply {
        let (base, body) = self.question(name).await;
        self.fleetlock(&format!("{base}/v1/steady-state"), &body).await
    }

    /// The worker's pass.
    pub(crate) async fn round(&self) {
        worker::round(&self.app).await.unwrap();
    }

    /// Who holds a slot.
    pub(super) async fn holders(&self) -> Vec<String> {
        let slots = self.app.store.locks().await.unwrap();
        let holders = slots.iter().filter(|slot| slot.state.holds());
        holders.map(|slot| slot.name.to_string()).collect()
    }

    /// Where the host stands.
    pub(crate) async fn place(&self, name: &str) -> SlotState {
        let id = self.state(name).await.id;
        self.app.store.lock_of(id).await.unwrap().unwrap().state
    }

    /// A group's settings.
    pub(super) async fn group(&self, name: &str, spec: Value) {
        let path = format!("/api/v1/locks/{name}");
        let reply = self.api_put(&path, "*", &spec).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
}

/// Status and kind of a refusal in FleetLock's form.
pub(super) fn refused(reply: &Reply) -> (u16, String) {
    let json = reply.json();
    assert!(!json["value"].as_str().unwrap().is_empty());
    assert!(reply.header("content-type").starts_with("application/json"));
    (reply.status.as_u16(), json["kind"].as_str().unwrap().to_owned())
}
