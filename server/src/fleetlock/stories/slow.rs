//! A cluster whose API takes questions and does not answer them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use thirdboot_lifecycle::SlotState;

use super::super::patience::PATIENCE;
use super::super::worker;
use super::fake::FakeNodes;
use super::site::refused;
use crate::testing::TestApp;

/// Two clusters, `prod` with a1 and a2 and `edge` with b1; all of their hosts are ready.
async fn two_clusters() -> (Arc<FakeNodes>, TestApp) {
    let nodes = FakeNodes::of(&["a1", "a2"]);
    nodes.add("edge", &["b1"]);
    let site = TestApp::with_prod(&nodes).await;
    site.cluster("edge").await;
    site.member("a1", 1, "agent").await;
    site.member("a2", 2, "agent").await;
    site.ready("b1", 3, json!({"role": "agent", "cluster": "edge"})).await;
    (nodes, site)
}

/// Waits until this host's slot is granted. The bound is for a story that went wrong.
async fn granted(site: &TestApp, host: &str) {
    const LIMIT: Duration = Duration::from_secs(60);
    let store = &site.app.store;
    let mut tip = store.changed(0, Duration::ZERO).await;
    while site.place(host).await != SlotState::Granted {
        let next = store.changed(tip, LIMIT).await;
        assert!(next > tip, "nothing happens any more, and {host} has no grant");
        tip = next;
    }
}

#[tokio::test]
async fn its_drains_hold_up_no_other_clusters() {
    let (nodes, site) = two_clusters().await;
    for host in ["a1", "b1"] {
        assert_eq!(refused(&site.pre_reboot(host).await).1, "draining");
    }
    nodes.hang("prod");
    let app = site.app.clone();
    let working = tokio::spawn(worker::run(app, Arc::clone(&site.app.look_at_locks)));
    granted(&site, "b1").await;
    assert_eq!(site.pre_reboot("b1").await.status, 200);
    // And again, while the first look at the other one still hangs.
    assert_eq!(site.steady_state("b1").await.status, 200);
    assert_eq!(refused(&site.pre_reboot("b1").await).1, "draining");
    granted(&site, "b1").await;
    assert_eq!(site.place("a1").await, SlotState::Reserved);
    working.abort();
}

/// Nothing is granted on what a cluster did not say, and nothing is given back.
#[tokio::test]
async fn its_hosts_are_told_so_soon() {
    let (nodes, site) = two_clusters().await;
    site.pre_reboot("a1").await;
    site.round().await;
    assert_eq!(site.place("a1").await, SlotState::Granted);
    nodes.hang("prod");
    let (asks, returns, elsewhere) =
        tokio::join!(site.pre_reboot("a2"), site.steady_state("a1"), site.pre_reboot("b1"));
    assert_eq!(refused(&elsewhere).1, "draining");
    let says = format!("the API of prod did not answer within {} s", PATIENCE.as_secs());
    assert_eq!(refused(&asks), (503, "cluster_slow".into()));
    assert_eq!(asks.json()["value"], says);
    assert_eq!(refused(&returns), (503, "node_not_ready".into()));
    assert_eq!(returns.json()["value"], says);
    assert_eq!(site.holders().await, ["b1", "a1"]);
}

#[tokio::test]
async fn a_host_that_was_granted_a_slot_is_not_held_up() {
    let (nodes, site) = two_clusters().await;
    site.pre_reboot("a1").await;
    site.round().await;
    assert_eq!(site.place("a1").await, SlotState::Granted);
    nodes.hang("prod");
    // Its first answer was lost.
    let (granted, waits) = tokio::join!(site.pre_reboot("a1"), site.pre_reboot("a2"));
    assert_eq!(granted.status, 200, "{}", granted.text());
    assert_eq!(refused(&waits), (503, "cluster_slow".into()));
    assert_eq!(site.holders().await, ["a1"]);
}
