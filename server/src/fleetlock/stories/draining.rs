//! A node is drained before it may reboot, and gets its pods back only when it is Ready again.

use serde_json::json;
use thirdboot_lifecycle::SlotState;

use super::super::drains::drain;
use super::fake::FakeNodes;
use super::site::{NEXT_BOOT, refused};
use crate::secrets::Purpose;
use crate::testing::{BOOT_ID, TestApp};

#[tokio::test]
async fn a_node_is_cordoned_and_drained_before_the_grant() {
    let nodes = FakeNodes::of(&["a1"]);
    let site = TestApp::with_prod(&nodes).await;
    site.member("a1", 1, "agent").await;
    nodes.change("a1", |node| {
        node.pods = 3;
        node.blocked = vec!["shop/db-0".into()];
    });
    assert_eq!(refused(&site.pre_reboot("a1").await), (503, "draining".into()));
    site.round().await;
    assert!(nodes.is_cordoned("a1"));
    let waits = site.pre_reboot("a1").await;
    assert_eq!(
        waits.json()["value"],
        "3 pods left to leave its node, 1 of which a disruption budget holds back: shop/db-0"
    );
    // Killed in between, it goes on.
    let site = site.restarted().await;
    nodes.change("a1", |node| node.pods = 0);
    site.round().await;
    assert_eq!(site.place("a1").await, SlotState::Granted);
    assert_eq!(site.pre_reboot("a1").await.status, 200);
    assert!(nodes.is_cordoned("a1"), "it stays empty until it is back");
    site.round().await;
    assert!(nodes.is_cordoned("a1"));
}

#[tokio::test]
async fn two_nodes_are_never_drained_on_one_slot() {
    let nodes = FakeNodes::of(&["a1", "a2"]);
    let site = TestApp::with_prod(&nodes).await;
    site.member("a1", 1, "agent").await;
    site.member("a2", 2, "agent").await;
    nodes.change("a1", |node| node.pods = 1);
    assert_eq!(refused(&site.pre_reboot("a1").await).1, "draining");
    assert_eq!(refused(&site.pre_reboot("a2").await).1, "slots_held");
    for _ in 0..3 {
        site.round().await;
    }
    assert_eq!((nodes.node("a1").evictions, nodes.node("a2").evictions), (3, 0));
    assert!(!nodes.is_cordoned("a2"));
}

#[tokio::test]
async fn a_drain_that_is_given_up_uncordons_and_lets_others_go_first() {
    let nodes = FakeNodes::of(&["a1", "a2"]);
    let site = TestApp::with_prod(&nodes).await;
    // Known beside its nodes: what a server forgets is found there again.
    site.member("a1", 1, "agent").await;
    site.member("a2", 2, "agent").await;
    site.group("prod.agent", json!({"drain_s": 600})).await;
    nodes.change("a1", |node| {
        node.pods = 1;
        node.blocked = vec!["shop/db-0".into()];
    });
    site.pre_reboot("a1").await;
    site.round().await;
    assert_eq!(refused(&site.pre_reboot("a2").await).1, "slots_held");
    site.wait(10);
    site.pre_reboot("a2").await;
    site.round().await;
    assert_eq!(site.place("a1").await, SlotState::Waiting);
    assert!(!nodes.is_cordoned("a1"), "{:?}", nodes.node("a1"));
    assert_eq!(
        refused(&site.pre_reboot("a1").await).1,
        "slots_held",
        "it is the other one's turn"
    );
    assert_eq!(refused(&site.pre_reboot("a2").await).1, "draining");
    let events = site.api_get("/api/v1/hosts/a1/events?limit=1000").await.text();
    assert!(
        events.contains("its drain was given up after 10 min: 1 pod left"),
        "{events}"
    );
}

#[tokio::test]
async fn who_gives_up_while_it_is_drained_gets_its_pods_back() {
    let nodes = FakeNodes::of(&["a1"]);
    let site = TestApp::with_prod(&nodes).await;
    site.member("a1", 1, "agent").await;
    nodes.change("a1", |node| node.pods = 1);
    site.pre_reboot("a1").await;
    site.round().await;
    assert_eq!(site.steady_state("a1").await.status, 200);
    assert_eq!(site.place("a1").await, SlotState::Released);
    assert!(!nodes.is_cordoned("a1"));
    // And so does one whose lock a person releases.
    site.pre_reboot("a1").await;
    site.round().await;
    assert!(nodes.is_cordoned("a1"));
    site.api_post("/api/v1/hosts/a1/release-lock", &json!({})).await;
    site.round().await;
    assert!(!nodes.is_cordoned("a1"));
}

#[tokio::test]
async fn the_lock_is_kept_until_the_node_is_ready_again_in_its_new_boot() {
    let nodes = FakeNodes::of(&["a1", "a2"]);
    let site = TestApp::with_prod(&nodes).await;
    site.member("a1", 1, "agent").await;
    site.member("a2", 2, "agent").await;
    site.pre_reboot("a1").await;
    site.round().await;
    assert_eq!(site.pre_reboot("a1").await.status, 200);

    // Up again, before its kubelet: the cluster still speaks of the boot before.
    nodes.change("a1", |node| node.look.boot_id = Some(BOOT_ID.into()));
    let id = site.state("a1").await.id;
    let mut booted = TestApp::report(8, "booted", &json!({"facts": {"deployment": "newer"}}));
    booted["boot_id"] = NEXT_BOOT.into();
    let reply = site
        .post("/v1/report", &site.secret(Purpose::Host, id, 1), &booted)
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let early = site.steady_state("a1").await;
    assert_eq!(refused(&early), (503, "node_not_ready".into()));
    assert!(early.json()["value"].as_str().unwrap().contains("boot before this one"));
    nodes.change("a1", |node| {
        node.look.boot_id = Some(NEXT_BOOT.to_uppercase());
        node.look.ready = false;
    });
    assert_eq!(refused(&site.steady_state("a1").await).0, 503);
    site.round().await;
    assert!(nodes.is_cordoned("a1"));
    assert_eq!(refused(&site.pre_reboot("a2").await).1, "slots_held");
    nodes.change("a1", |node| node.look.ready = true);
    assert_eq!(site.steady_state("a1").await.status, 200);
    assert!(!nodes.is_cordoned("a1"));
    assert_eq!(refused(&site.pre_reboot("a2").await).1, "draining");
}

#[tokio::test]
async fn where_the_api_is_silent_nothing_is_drained_and_the_hosts_own_word_counts() {
    let nodes = FakeNodes::of(&["a1"]);
    let site = TestApp::with_prod(&nodes).await;
    site.member("a1", 1, "agent").await;
    nodes.silence(true);
    assert_eq!(site.pre_reboot("a1").await.status, 200);
    assert_eq!(site.steady_state("a1").await.status, 200);
    // It falls silent in mid-drain: that is no grant.
    nodes.silence(false);
    assert_eq!(refused(&site.pre_reboot("a1").await).1, "draining");
    nodes.silence(true);
    site.round().await;
    let waits = site.pre_reboot("a1").await;
    assert_eq!(waits.json()["value"], "its node cannot be drained: no answer");
}

#[tokio::test]
async fn never_two_servers_of_three_whatever_the_slots() {
    let nodes = FakeNodes::of(&["s1", "s2", "s3"]);
    let site = TestApp::with_prod(&nodes).await;
    for n in 1..=3 {
        site.member(&format!("s{n}"), n, "server").await;
    }
    site.group("prod.server", json!({"slots": 3})).await;
    site.pre_reboot("s1").await;
    let waits = site.pre_reboot("s2").await;
    assert_eq!(
        waits.json()["value"],
        "of 3 servers 1 may be away at once, and s1 is away already"
    );
    assert_eq!(site.steady_state("s1").await.status, 200);
    // One that is down holds no slot, and counts.
    nodes.change("s3", |node| node.look.ready = false);
    let waits = site.pre_reboot("s2").await;
    assert_eq!(
        waits.json()["value"],
        "of 3 servers 1 may be away at once, and s3 is away already"
    );
    assert_eq!(refused(&site.pre_reboot("s3").await).1, "draining", "it may be mended");
}

#[tokio::test]
async fn who_gave_up_while_others_were_drained_is_not_drained() {
    let nodes = FakeNodes::of(&["a1"]);
    let site = TestApp::with_prod(&nodes).await;
    site.member("a1", 1, "agent").await;
    let prod = "prod".parse().unwrap();
    site.pre_reboot("a1").await;
    let state = site.state("a1").await;
    let before = site.app.store.lock_of(state.id).await.unwrap().unwrap();
    assert_eq!(site.steady_state("a1").await.status, 200);
    drain(&site.app, &before, &state, &prod).await.unwrap();
    // It asks again: that is another slot, with a drain of its own.
    site.wait(1);
    site.pre_reboot("a1").await;
    drain(&site.app, &before, &state, &prod).await.unwrap();
    assert_eq!((nodes.is_cordoned("a1"), nodes.node("a1").evictions), (false, 0));
    let now = site.app.store.lock_of(state.id).await.unwrap().unwrap();
    drain(&site.app, &now, &state, &prod).await.unwrap();
    assert_eq!(site.place("a1").await, SlotState::Granted);
}
