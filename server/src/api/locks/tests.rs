//! Groups are shown and set, and a person releases.

use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};
use thirdboot_store::AccessRole;

use crate::testing::{Reply, TestApp};

async fn put(site: &TestApp, group: &str, spec: &Value) -> Reply {
    let path = format!("/api/v1/locks/{group}");
    site.api_put(&path, "*", spec).await
}

#[tokio::test]
async fn a_groups_settings_are_shown_set_and_reset() {
    let site = TestApp::new().await;
    let built_in = site.api_get("/api/v1/locks/prod.agent").await.json();
    assert_eq!(
        built_in,
        json!({"name": "prod.agent", "version": 0, "etag": built_in["etag"], "holders": [], "waiting": [],
            "settings": {"slots": 1, "policy": "locked", "window": null, "monthly": false, "drain_s": 900, "limit_s": null}})
    );
    let window = json!({"days": ["sat", "sun"], "start": "03:30", "length_minutes": 120});
    let set = put(
        &site,
        "prod.agent",
        &json!({"slots": 5, "policy": "off", "window": window, "monthly": true}),
    )
    .await;
    assert_eq!(
        (set.status.as_u16(), &set.json()["version"]),
        (200, &json!(1)),
        "{}",
        set.text()
    );
    let listed = site.api_get("/api/v1/locks").await.json();
    assert_eq!(listed["items"][0]["settings"]["window"], window);
    let etag = set.header("etag");
    let reset = site.api_if_match(Method::DELETE, "/api/v1/locks/prod.agent", etag, Body::empty());
    assert_eq!(reset.await.json(), built_in);
    assert_eq!(site.api_get("/api/v1/locks").await.json()["items"], json!([]));
}

#[tokio::test]
async fn nobodys_settings_are_overwritten_unseen() {
    const PATH: &str = "/api/v1/locks/agent";
    let site = TestApp::new().await;
    let read = site.api_get(PATH).await;
    let (first, shown) = (read.header("etag").to_owned(), read.json()["etag"].clone());
    assert_eq!(shown, first);
    let unsaid = site.api_as(&site.token, Method::PUT, PATH, Body::from("{}")).await;
    assert_eq!(unsaid.problem().1, "precondition-required", "{}", unsaid.text());
    assert_eq!(site.api_delete(PATH).await.problem().1, "precondition-required");

    let wide = site.api_put(PATH, &first, &json!({"slots": 2})).await;
    assert_eq!(wide.status, 200, "{}", wide.text());
    let late = site.api_put(PATH, &first, &json!({"slots": 3})).await;
    assert_eq!(late.problem().1, "precondition-failed", "{}", late.text());
    let late = site.api_if_match(Method::DELETE, PATH, &first, Body::empty()).await;
    assert_eq!(late.problem().1, "precondition-failed");
    assert_eq!(site.api_get(PATH).await.json(), wide.json());

    // Reset and set anew, what was read long ago is not what is there.
    site.api_if_match(Method::DELETE, PATH, "*", Body::empty()).await;
    site.api_put(PATH, "*", &json!({"slots": 4})).await;
    let late = site.api_put(PATH, wide.header("etag"), &json!({"slots": 3})).await;
    assert_eq!(late.problem().1, "precondition-failed");
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused_by_field() {
    let site = TestApp::new().await;
    let window = |key: &str, value: Value| {
        let mut window = json!({"days": ["sat"], "start": "03:30", "length_minutes": 60});
        window[key] = value;
        json!({"window": window})
    };
    for (spec, field) in [
        (json!({"slots": 0}), "slots"),
        (json!({"slots": 1001}), "slots"),
        (json!({"slots": -1}), "slots"),
        (json!({"slot": 1}), "slot"),
        (json!({"policy": "sometimes"}), "policy"),
        (json!({"policy": "window"}), "window"),
        (json!({"monthly": true}), "window"),
        (json!({"drain_s": 1}), "drain_s"),
        (json!({"limit_s": 1}), "limit_s"),
        (window("days", json!(["someday"])), "window.days[0]"),
        (window("days", json!([])), "window.days"),
        (window("start", json!("25:00")), "window.start"),
        (window("length_minutes", json!(1)), "window.length_minutes"),
    ] {
        let reply = put(&site, "agent", &spec).await;
        let (status, _, at) = reply.problem();
        assert_eq!((status, at.as_str()), (422, field), "{spec}: {}", reply.text());
    }
    assert_eq!(put(&site, "a_b", &json!({})).await.problem().0, 404);
}

#[tokio::test]
async fn a_lock_that_nobody_holds_is_not_released() {
    let site = TestApp::new().await;
    site.host("a1", 1).await;
    let reply = site.api_post("/api/v1/hosts/a1/release-lock", &json!({})).await;
    assert_eq!(reply.problem().0, 409, "{}", reply.text());
    let reply = site
        .api_post("/api/v1/hosts/a1/release-lock", &json!({"reason": ""}))
        .await;
    assert_eq!(reply.problem().2, "reason");
    let viewer = site.token_of("v", AccessRole::Viewer).await;
    let path = "/api/v1/hosts/a1/release-lock";
    let reply = site.api_as(&viewer, Method::POST, path, Body::from("{}")).await;
    assert_eq!(reply.problem().0, 403);
}
