//! Against the strict stand-in for the API.

use std::sync::Arc;

use serde_json::json;
use thirdboot_lifecycle::{SlotState, Stage};

use super::super::fake::FakeCluster;
use super::super::{probe::Prober, worker};
use super::*;
use crate::secrets::Purpose;
use crate::testing::{BOOT_ID, TestApp};

const NEXT_BOOT: &str = "3f2a0000-0000-4000-8000-00000000b004";

/// A cluster of a ready server and a ready agent on loopback, known by its kubeconfig.
struct Prod {
    site: TestApp,
    fake: FakeCluster,
}

impl Prod {
    async fn new() -> Self {
        let fake = FakeCluster::start("prod").await;
        let port = fake.address.port();
        let site = TestApp::sighted().await.among(Arc::new(KubeNodes::at(port))).await;
        let prober = Prober::new(port).unwrap();
        let round = async || worker::round(&site.app, &prober, port).await;
        site.cluster("prod").await;
        site.server("s1", 1, "127.0.0.1").await;
        round().await;
        site.begin("s1", &fake.kubeconfig, &fake.ca_sha256).await;
        fake.node("s1", BOOT_ID, "True");
        round().await;
        site.agent("a1", 2, "127.0.0.2").await;
        round().await;
        site.joins("a1").await;
        fake.node("a1", BOOT_ID, "True");
        round().await;
        let agent = site.state("a1").await;
        assert_eq!(agent.run.unwrap().stage, Stage::Ready);
        // From here on its kubelet speaks of the boot that the host reported.
        let boot_id = agent.observed.unwrap().boot_id.unwrap();
        fake.node("a1", boot_id.as_str(), "True");
        Self { site, fake }
    }

    async fn place(&self) -> SlotState {
        self.site.place("a1").await
    }

    /// The agent is up again, and its kubelet, too.
    async fn boots(&self) {
        let id = self.site.state("a1").await.id;
        let mut booted = TestApp::report(20, "booted", &json!({"facts": {"deployment": "newer"}}));
        booted["boot_id"] = NEXT_BOOT.into();
        let secret = self.site.secret(Purpose::Host, id, 1);
        assert_eq!(self.site.post("/v1/report", &secret, &booted).await.status, 200);
        self.fake.reboot("a1", NEXT_BOOT);
    }
}

#[tokio::test]
async fn pods_leave_a_node_by_evictions_that_respect_budgets() {
    let prod = Prod::new().await;
    prod.fake.pod("a1", "shop", "web-1", &json!({}));
    prod.fake.pod("a1", "shop", "db-0", &json!({}));
    prod.fake.pod("s1", "shop", "web-2", &json!({}));
    let owner = json!({"ownerReferences": [{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "cni", "uid": "1", "controller": true}]});
    prod.fake.pod("a1", "kube-system", "cni-1", &owner);
    prod.fake
        .pod("a1", "kube-system", "static-1", &json!({"annotations": {MIRROR: "x"}}));
    prod.fake.guard("shop/db-0", true);

    assert_eq!(prod.site.pre_reboot("a1").await.json()["kind"], "draining");
    prod.site.round().await;
    assert!(prod.fake.is_cordoned("a1"));
    prod.site.round().await;
    let waits = prod.site.pre_reboot("a1").await;
    assert_eq!(
        waits.json()["value"],
        "1 pod left to leave its node, 1 of which a disruption budget holds back: shop/db-0"
    );
    prod.fake.guard("shop/db-0", false);
    for _ in 0..2 {
        prod.site.round().await;
    }
    assert_eq!(prod.place().await, SlotState::Granted);
    assert_eq!(
        prod.fake.pods(),
        ["kube-system/cni-1", "kube-system/static-1", "shop/web-2"]
    );
    assert_eq!(prod.site.pre_reboot("a1").await.status, 200);

    let early = prod.site.steady_state("a1").await;
    assert_eq!(early.status, 200, "it never went down: {}", early.text());
    assert!(!prod.fake.is_cordoned("a1"));
}

#[tokio::test]
async fn a_node_is_uncordoned_when_its_new_boot_is_ready() {
    let prod = Prod::new().await;
    prod.site.pre_reboot("a1").await;
    prod.site.round().await;
    assert_eq!(prod.place().await, SlotState::Granted);
    prod.fake.node("a1", BOOT_ID, "False");
    prod.fake.cordon("a1", true);
    assert_eq!(prod.site.steady_state("a1").await.json()["kind"], "node_not_ready");
    prod.boots().await;
    assert_eq!(prod.site.steady_state("a1").await.status, 200);
    assert!(!prod.fake.is_cordoned("a1"));
    assert_eq!(prod.place().await, SlotState::Released);
}

#[tokio::test]
async fn a_node_that_a_person_cordoned_stays_cordoned() {
    let prod = Prod::new().await;
    prod.fake.cordon("a1", false);
    prod.site.pre_reboot("a1").await;
    prod.site.round().await;
    assert_eq!(prod.place().await, SlotState::Granted);
    prod.boots().await;
    assert_eq!(prod.site.steady_state("a1").await.status, 200);
    prod.site.round().await;
    assert!(prod.fake.is_cordoned("a1"));
}
