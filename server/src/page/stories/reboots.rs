//! Reboots: who holds a slot and since when, who waits for it and why, and a slot given back by hand.

use axum::http::Method;
use serde_json::json;
use thirdboot_store::AccessRole;

use crate::testing::{TestApp, form_token};

/// `a1` went away to update itself 20 minutes ago; `a2` would do the same.
async fn one_away_and_one_waiting() -> TestApp {
    let site = TestApp::new().await;
    site.ready("a1", 1, json!({})).await;
    site.ready("a2", 2, json!({})).await;
    assert_eq!(site.pre_reboot("a1").await.status, 200);
    site.wait(20);
    assert_eq!(site.pre_reboot("a2").await.status, 409);
    site
}

#[tokio::test]
async fn groups_show_who_is_away_and_who_waits_and_why() {
    let site = TestApp::new().await;
    let viewer = site.signed_in(AccessRole::Viewer).await;
    assert!(viewer.get("/reboots").await.text().contains("No group yet"));

    let site = one_away_and_one_waiting().await;
    let viewer = site.signed_in(AccessRole::Viewer).await;
    let page = viewer.get("/reboots").await.text();
    let (away, waits) = page.split_once("href=\"/hosts/a2\"").unwrap();
    for part in [
        "runner",
        "1 of 1 slot taken",
        "whenever there is an update and a slot is free",
        "href=\"/hosts/a1\"",
        "granted",
        "20 min ago",
        "an update",
    ] {
        assert!(away.contains(part), "{part}: {page}");
    }
    for part in ["waiting", "just now", "the slot of runner is held by a1"] {
        assert!(waits.contains(part), "{part}: {page}");
    }
    assert!(
        !page.contains("/reboots/a1/release"),
        "a viewer releases nothing: {page}"
    );
}

#[tokio::test]
async fn a_group_says_how_its_hosts_update() {
    let site = TestApp::new().await;
    let viewer = site.signed_in(AccessRole::Viewer).await;
    let window = json!({"days": ["sat", "sun"], "start": "03:30", "length_minutes": 120});
    for (spec, says) in [
        (json!({"policy": "off"}), "Hosts do not update by themselves."),
        (
            json!({"policy": "window", "window": window}),
            "Hosts update in the window, without a slot, sat, sun from 03:30 UTC for 120 min.",
        ),
        (
            json!({"slots": 3, "window": window, "monthly": true}),
            "They reboot once a month, in the window, sat, sun from 03:30 UTC for 120 min.",
        ),
    ] {
        let put = site
            .api_if_match(Method::PUT, "/api/v1/locks/runner", "*", spec.to_string().into())
            .await;
        assert_eq!(put.status, 200, "{}", put.text());
        let page = viewer.get("/reboots").await.text();
        assert!(page.contains(says), "{says}: {page}");
    }
    assert!(viewer.get("/reboots").await.text().contains("0 of 3 slots taken"));
}

#[tokio::test]
async fn an_operator_releases_the_slot_of_who_does_not_come_back() {
    let site = one_away_and_one_waiting().await;
    let operator = site.signed_in(AccessRole::Operator).await;
    let release = [("reason", "its board is dead")];
    let done = operator.send("/reboots", "/reboots/a1/release", &release).await;
    assert_eq!(done.header("location"), "/reboots?done=free", "{}", done.text());
    let page = operator.get("/reboots?done=free").await.text();
    assert!(
        page.contains("The slot is free again") && page.contains("0 of 1 slot taken") && !page.contains("/hosts/a1"),
        "{page}"
    );
    let log = operator.get("/hosts/a1/events").await.text();
    assert!(
        log.contains("its board is dead") && log.contains("user:some-operator"),
        "{log}"
    );
    assert_eq!(site.pre_reboot("a2").await.status, 200, "its turn has come");
}

#[tokio::test]
async fn what_was_typed_stays_where_it_is_refused() {
    let site = one_away_and_one_waiting().await;
    let operator = site.signed_in(AccessRole::Operator).await;
    let reason = "x".repeat(501);
    let refused = operator
        .send("/reboots", "/reboots/a1/release", &[("reason", &reason)])
        .await;
    assert_eq!(refused.status, 422);
    let page = refused.text();
    for part in [
        "<details id=\"release-a1\" open>",
        &format!("value=\"{reason}\""),
        "expected one line of 1 to",
        "data-page=\"/reboots\"",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!operator.get("/reboots").await.text().contains("data-page"));
}

#[tokio::test]
async fn a_slot_that_was_given_back_meanwhile_is_said_to_be() {
    let site = one_away_and_one_waiting().await;
    let operator = site.signed_in(AccessRole::Operator).await;
    let token = form_token(&operator.get("/reboots").await.text());
    assert_eq!(site.steady_state("a1").await.status, 200);
    let late = operator
        .post("/reboots/a1/release", &format!("form={token}"), &[])
        .await;
    assert_eq!(late.status, 409);
    assert!(late.text().contains("role=\"alert\"") && late.text().contains("<h1>Reboots</h1>"));
}
