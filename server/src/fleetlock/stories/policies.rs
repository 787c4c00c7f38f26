//! A group's settings of now, and hosts whose systems were installed with others.

use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};
use thirdboot_lifecycle::SlotState;

use super::fake::FakeNodes;
use super::site::refused;
use crate::testing::{Reply, TestApp};

impl TestApp {
    /// The host's timer for its monthly reboot has gone off.
    async fn monthly(&self, name: &str) -> Reply {
        let (base, body) = self.question(name).await;
        let headers = [("fleet-lock-protocol", "true"), ("thirdboot-reason", "monthly")];
        let (path, body) = (format!("{base}/v1/pre-reboot"), Body::from(body.to_string()));
        self.boot_request(Method::POST, &path, &headers, "127.0.0.1", body)
            .await
    }

    /// An hour that begins now.
    fn this_hour(&self) -> Value {
        let now = self.app.store.now();
        let day = now.strftime("%a").to_string().to_lowercase();
        json!({"days": [day], "start": now.strftime("%H:%M").to_string(), "length_minutes": 60})
    }
}

#[tokio::test]
async fn updates_that_were_switched_off_are_refused_and_wait_for_nothing() {
    let site = TestApp::new().await;
    site.ready("r1", 1, json!({})).await;
    site.ready("r2", 2, json!({})).await;
    site.pre_reboot("r1").await;
    assert_eq!(refused(&site.pre_reboot("r2").await).1, "slots_held");
    site.group("runner", json!({"policy": "off"})).await;
    let off = site.pre_reboot("r2").await;
    assert_eq!(refused(&off), (409, "updates_off".into()));
    assert_eq!(off.json()["value"], "updates of runner are off");
    assert_eq!(site.place("r2").await, SlotState::Released);
    // Who may go already may be on its way.
    assert_eq!(site.pre_reboot("r1").await.status, 200);
    assert_eq!(site.steady_state("r1").await.status, 200);
    assert_eq!(refused(&site.pre_reboot("r1").await).1, "updates_off");
    site.group("runner", json!({"policy": "locked"})).await;
    assert_eq!(site.pre_reboot("r2").await.status, 200);
}

#[tokio::test]
async fn a_drain_ends_when_its_group_is_switched_off() {
    let nodes = FakeNodes::of(&["a1"]);
    let site = TestApp::with_prod(&nodes).await;
    site.member("a1", 1, "agent").await;
    nodes.change("a1", |node| node.pods = 1);
    site.pre_reboot("a1").await;
    site.round().await;
    assert!(nodes.is_cordoned("a1"));
    site.group("prod.agent", json!({"policy": "off"})).await;
    site.round().await;
    assert_eq!(site.place("a1").await, SlotState::Released);
    assert!(!nodes.is_cordoned("a1"));
    let events = site.api_get("/api/v1/hosts/a1/events?limit=1000").await.text();
    assert!(events.contains("updates of prod.agent are off"), "{events}");
}

/// A system that was installed with another policy asks on. What it asks for is not what it holds a place for.
#[tokio::test]
async fn a_refused_update_ends_no_monthly_drain() {
    let nodes = FakeNodes::of(&["a1"]);
    let site = TestApp::with_prod(&nodes).await;
    site.member("a1", 1, "agent").await;
    nodes.change("a1", |node| node.pods = 1);
    let window = site.this_hour();
    site.group(
        "prod.agent",
        json!({"policy": "off", "window": window, "monthly": true}),
    )
    .await;
    site.monthly("a1").await;
    site.round().await;
    assert!(nodes.is_cordoned("a1"));
    assert_eq!(refused(&site.pre_reboot("a1").await).1, "updates_off");
    site.round().await;
    assert_eq!(site.place("a1").await, SlotState::Reserved);
    assert!(nodes.is_cordoned("a1"));
}

#[tokio::test]
async fn the_window_is_the_groups_of_now() {
    let site = TestApp::new().await;
    site.ready("r1", 1, json!({})).await;
    let window = site.this_hour();
    site.group("runner", json!({"policy": "window", "window": window}))
        .await;
    assert_eq!(site.pre_reboot("r1").await.status, 200);
    assert_eq!(site.steady_state("r1").await.status, 200);
    assert_eq!(refused(&site.monthly("r1").await), (409, "monthly_off".into()));
    site.group("runner", json!({"policy": "off", "window": window, "monthly": true}))
        .await;
    assert_eq!(site.monthly("r1").await.status, 200, "it needs no Zincati");
    assert_eq!(site.steady_state("r1").await.status, 200);
    site.wait(61);
    let late = site.monthly("r1").await;
    assert_eq!(refused(&late), (409, "outside_window".into()));
    assert!(
        late.json()["value"]
            .as_str()
            .unwrap()
            .starts_with("runner reboots in its window only: ")
    );
    site.group("runner", json!({"policy": "window", "window": window}))
        .await;
    assert_eq!(refused(&site.pre_reboot("r1").await).1, "outside_window");
}

/// A person's word goes before the group's settings.
#[tokio::test]
async fn a_new_install_asks_for_no_window() {
    let site = TestApp::new().await;
    site.ready("r1", 1, json!({})).await;
    site.group("runner", json!({"policy": "off"})).await;
    site.live_again("r1", 1).await;
    assert_eq!(site.claims("r1", 1, 2).await.status, 200);
}
