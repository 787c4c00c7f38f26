//! A cluster whose API takes questions and does not answer them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use thirdboot_lifecycle::SlotState;

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

#[tokio::test]
async fn its_drains_hold_up_no_other_clusters() {
    let (nodes, site) = two_clusters().await;
    for host in ["a1", "b1"] {
        assert_eq!(refused(&site.pre_reboot(host).await).1, "draining");
    }
    nodes.hang("prod");
    let app = site.app.clone();
    let working = tokio::spawn(worker::run(app, Arc::clone(&site.app.look_at_locks)));
    while site.place("b1").await != SlotState::Granted {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(site.pre_reboot("b1").await.status, 200);
    // And again, while the first look at the other one still hangs.
    assert_eq!(site.steady_state("b1").await.status, 200);
    assert_eq!(refused(&site.pre_reboot("b1").await).1, "draining");
    while site.place("b1").await != SlotState::Granted {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
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
    assert_eq!(refused(&asks), (503, "cluster_slow".into()));
    assert_eq!(asks.json()["value"], "the API of prod did not answer within 5 s");
    assert_eq!(refused(&returns), (503, "node_not_ready".into()));
    assert_eq!(returns.json()["value"], "the API of prod did not answer within 5 s");
    assert_eq!(site.holders().await, ["b1", "a1"]);
}
