//! The protocol itself: who is heard, and what is answered.

use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};

use super::site::refused;
use crate::testing::TestApp;

#[tokio::test]
async fn one_host_reboots_at_a_time_and_asking_again_changes_nothing() {
    let mut site = TestApp::new().await;
    site.ready("a1", 1, json!({})).await;
    site.ready("a2", 2, json!({})).await;
    assert_eq!(site.steady_state("a1").await.status, 200, "nothing is held");
    for _ in 0..2 {
        assert_eq!(site.pre_reboot("a1").await.status, 200);
        let waits = site.pre_reboot("a2").await;
        assert_eq!(refused(&waits), (409, "slots_held".into()));
        assert_eq!(waits.json()["value"], "the slot of runner is held by a1");
        site = site.restarted().await;
    }
    for _ in 0..2 {
        assert_eq!(site.steady_state("a1").await.status, 200);
    }
    assert_eq!(site.pre_reboot("a2").await.status, 200);
    assert_eq!(site.holders().await, ["a2"]);
    // Who waits no more says so, too.
    assert_eq!(refused(&site.pre_reboot("a1").await).0, 409);
    assert_eq!(site.steady_state("a1").await.status, 200);
    let shown = site.api_get("/api/v1/locks/runner").await.json();
    assert_eq!(
        (&shown["holders"][0]["host"], &shown["waiting"]),
        (&json!("a2"), &json!([]))
    );
    assert_eq!(shown["holders"][0]["reason"], "an update");
}

#[tokio::test]
async fn the_turn_is_visible_and_kept() {
    let site = TestApp::new().await;
    for n in 1..=3 {
        site.ready(&format!("a{n}"), n, json!({})).await;
        site.pre_reboot(&format!("a{n}")).await;
        site.wait(1);
    }
    let shown = site.api_get("/api/v1/locks").await.json();
    let group = &shown["items"][0];
    let waiting: Vec<&str> = group["waiting"]
        .as_array()
        .unwrap()
        .iter()
        .map(|place| place["host"].as_str().unwrap())
        .collect();
    assert_eq!(
        (&group["holders"][0]["host"], waiting),
        (&json!("a1"), vec!["a2", "a3"])
    );
    site.steady_state("a1").await;
    let waits = site.pre_reboot("a3").await;
    assert_eq!(waits.json()["value"], "1 host waits before it");
    assert_eq!(site.pre_reboot("a2").await.status, 200);
}

#[tokio::test]
async fn who_is_not_meant_is_refused_in_fleetlocks_form() {
    let site = TestApp::new().await;
    site.ready("a1", 1, json!({})).await;
    site.armed("a2", 2).await;
    let (base, body) = site.question("a1").await;
    let path = format!("{base}/v1/pre-reboot");
    let without = site
        .boot_request(Method::POST, &path, &[], "127.0.0.1", Body::from(body.to_string()))
        .await;
    assert_eq!(refused(&without), (400, "malformed".into()));
    let changed = |key: &str, value: &str| {
        let mut body = body.clone();
        body["client_params"][key] = value.into();
        body
    };
    for (body, expected) in [
        (json!({}), (400, "malformed")),
        (Value::Null, (400, "malformed")),
        (
            json!({"client_params": {"id": 7, "group": "runner"}}),
            (400, "malformed"),
        ),
        (json!("x".repeat(5000)), (400, "malformed")),
        (changed("group", "agent"), (403, "wrong_client")),
        (changed("id", "00000000000040008000000000000000"), (403, "wrong_client")),
    ] {
        let (status, kind) = refused(&site.fleetlock(&path, &body).await);
        assert_eq!((status, kind.as_str()), expected, "{body}");
    }
    let (other, _) = site.question("a2").await;
    assert_eq!(
        refused(&site.fleetlock(&format!("{other}/v1/pre-reboot"), &body).await).0,
        403
    );
    let guess = base.replace("tb_lock_", "tb_lock_a");
    assert_eq!(
        refused(&site.fleetlock(&format!("{guess}/v1/pre-reboot"), &body).await),
        (404, "unknown_client".into())
    );
    assert_eq!(refused(&site.pre_reboot("a2").await), (409, "not_ready".into()));
    assert_eq!(site.get(&path).await.status, 405);
    assert_eq!(site.holders().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_lock_held_for_long_is_told_and_a_person_releases_it() {
    let site = TestApp::new().await;
    for n in 1..=2 {
        site.ready(&format!("a{n}"), n, json!({})).await;
    }
    site.pre_reboot("a1").await;
    let alerts = async || {
        site.round().await;
        let shown = site.api_get("/api/v1/hosts/a1").await.json();
        shown["alerts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|alert| alert["kind"].clone())
            .collect::<Vec<_>>()
    };
    site.wait(59);
    assert_eq!(alerts().await, Vec::<Value>::new());
    site.wait(1);
    assert_eq!(alerts().await, ["lock-held"]);
    site.group("runner", json!({"limit_s": 7200})).await;
    assert_eq!(alerts().await, Vec::<Value>::new(), "the group's own limit");
    site.wait(60 * 24 * 30);
    assert_eq!(alerts().await, ["lock-held"]);
    assert_eq!(refused(&site.pre_reboot("a2").await).0, 409, "it never expires");
    let metrics = site.api_as("", Method::GET, "/metrics", Body::empty()).await.text();
    assert!(metrics.contains("thirdboot_reboot_locks_held 1"), "{metrics}");

    let body = json!({"reason": "its board is dead"});
    let released = site.api_post("/api/v1/hosts/a1/release-lock", &body).await.json();
    assert_eq!(released["state"], "released");
    assert_eq!(released["note"], "released by admin: its board is dead");
    assert_eq!(alerts().await, Vec::<Value>::new());
    assert_eq!(site.pre_reboot("a2").await.status, 200);
    let audit = site.api_get("/api/v1/audit").await.json();
    let actions: Vec<&str> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|deed| deed["action"].as_str().unwrap())
        .collect();
    assert!(actions.contains(&"release_lock"), "{actions:?}");
    let events = site.api_get("/api/v1/hosts/a1/events?limit=1000").await.json();
    let locks: Vec<&Value> = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["event"].as_str().unwrap().starts_with("lock-"))
        .collect();
    assert_eq!((locks.len(), &locks[1]["by"]), (2, &json!("admin")), "{locks:?}");
}

#[tokio::test]
async fn who_asks_no_more_is_forgotten() {
    let site = TestApp::new().await;
    for n in 1..=2 {
        site.ready(&format!("a{n}"), n, json!({})).await;
        site.pre_reboot(&format!("a{n}")).await;
    }
    site.wait(61);
    site.round().await;
    let shown = site.api_get("/api/v1/locks/runner").await.json();
    assert_eq!(
        (&shown["holders"][0]["host"], &shown["waiting"]),
        (&json!("a1"), &json!([]))
    );
}
