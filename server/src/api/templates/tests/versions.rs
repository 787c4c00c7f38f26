//! Saved, shown, compared, deleted.

use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};
use thirdboot_store::AccessRole;

use super::motd;
use crate::testing::TestApp;

#[tokio::test]
async fn a_template_is_saved_shown_and_restored_from_its_versions() {
    let site = TestApp::new().await;
    site.host("a1", 1).await;
    let saved = site.save("motd", &motd("one"), None).await;
    assert_eq!((saved.status.as_u16(), saved.header("etag")), (201, "\"1\""));
    assert_eq!(
        saved.json()["checked"],
        json!({"valid": true, "hosts": 1, "rendered": 1, "sample": false, "faults": []})
    );
    let mut two = motd("two");
    two["note"] = json!("a better one");
    two["order"] = json!(7);
    assert_eq!(site.saved("motd", &two, Some(1)).await["version"], 2);
    let shown = site.api_get("/api/v1/templates/motd").await;
    assert_eq!((shown.header("etag"), &shown.json()["text"]), ("\"2\"", &two["text"]));
    let old = site.api_get("/api/v1/templates/motd/versions/1").await.json();
    assert_eq!(old["text"], motd("one")["text"]);
    let restored = site.saved("motd", &json!({"text": old["text"]}), Some(2)).await;
    assert_eq!((&restored["version"], &restored["order"]), (&json!(3), &json!(100)));
    let listed = site.api_get("/api/v1/templates").await.json();
    assert_eq!(
        (listed["items"].as_array().unwrap().len(), &listed["items"][0]["text"]),
        (1, &Value::Null)
    );
    let versions = site.api_get("/api/v1/templates/motd/versions").await.json();
    let told: Vec<_> = versions["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["version"], &one["note"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!(3), &Value::Null),
            (&json!(2), &json!("a better one")),
            (&json!(1), &Value::Null)
        ]
    );
}

#[tokio::test]
async fn of_two_who_save_on_top_of_the_same_version_one_is_told() {
    let site = TestApp::new().await;
    site.saved("motd", &motd("one"), None).await;
    for (seen, kind, says) in [
        (None, (428, "precondition-required"), "is there, in version 1"),
        (Some(7), (412, "precondition-failed"), "its version is 1"),
    ] {
        let reply = site.save("motd", &motd("other"), seen).await;
        let problem = reply.problem();
        assert_eq!((problem.0, problem.1.as_str()), kind);
        assert!(reply.text().contains(says), "{}", reply.text());
    }
    assert_eq!(site.save("new", &motd("x"), Some(1)).await.problem().0, 412);
    let put = async |path: &str, seen: &str| {
        let body = Body::from(motd("x").to_string());
        site.api_with(&site.token, Method::PUT, path, &[("if-match", seen)], body)
            .await
            .status
    };
    // As of hosts: any version that is there, and a version without its quotes.
    assert_eq!(put("/api/v1/templates/none", "*").await, 412);
    assert_eq!(put("/api/v1/templates/motd", "*").await, 200);
    assert_eq!(put("/api/v1/templates/motd", "2").await, 200);
    assert_eq!(put("/api/v1/templates/motd", "W/\"3\"").await, 412);
}

#[tokio::test]
async fn a_deleted_template_is_gone_and_its_versions_stay() {
    let site = TestApp::new().await;
    site.host("a1", 1).await;
    site.saved("motd", &motd("one"), None).await;
    assert_eq!(
        site.api_as(&site.token, Method::DELETE, "/api/v1/templates/motd", Body::empty())
            .await
            .problem()
            .0,
        428
    );
    assert_eq!(site.delete("/api/v1/templates/motd", "\"9\"").await.problem().0, 412);
    let deleted = site.delete("/api/v1/templates/motd", "\"1\"").await;
    assert_eq!((deleted.status.as_u16(), &deleted.json()["version"]), (200, &json!(2)));
    for path in [
        "/api/v1/templates/motd",
        "/api/v1/templates/none",
        "/api/v1/templates/motd/versions/9",
        "/api/v1/templates/none/versions",
    ] {
        assert_eq!(site.api_get(path).await.problem().0, 404, "{path}");
    }
    assert_eq!(site.delete("/api/v1/templates/motd", "\"2\"").await.problem().0, 404);
    assert_eq!(site.api_get("/api/v1/templates/motd/versions/1").await.status, 200);
    let gone = site.api_get("/api/v1/hosts/a1/preview/installed?part=/etc/motd").await;
    assert_eq!(gone.problem(), (422, "malformed".into(), "part".into()));
    assert_eq!(site.saved("motd", &motd("again"), None).await["version"], 3);
}

#[tokio::test]
async fn versions_are_compared() {
    let site = TestApp::new().await;
    site.saved("motd", &motd("one"), None).await;
    let mut two = motd("two");
    two["select"] = json!({"roles": ["agent"]});
    site.saved("motd", &two, Some(1)).await;
    let diff = site.api_get("/api/v1/templates/motd/diff").await.json();
    insta::assert_json_snapshot!(diff);
    assert_eq!(
        site.api_get("/api/v1/templates/motd/diff?from=2&to=2").await.json()["text"],
        ""
    );
    assert_eq!(
        site.api_get("/api/v1/templates/motd/diff?from=9").await.problem().0,
        404
    );
    assert_eq!(
        site.api_get("/api/v1/templates/motd/diff?from=x").await.problem().2,
        "from"
    );
}

#[tokio::test]
async fn only_admins_write_and_only_operators_try() {
    let site = TestApp::new().await;
    site.host("a1", 1).await;
    let (viewer, operator) = (
        site.token_of("v", AccessRole::Viewer).await,
        site.token_of("o", AccessRole::Operator).await,
    );
    site.saved("motd", &motd("one"), None).await;
    let body = motd("two").to_string();
    let tried = json!({"name": "motd", "template": motd("two")}).to_string();
    for (method, path, body, least) in [
        (Method::GET, "/api/v1/templates", "", 1),
        (Method::GET, "/api/v1/templates/motd", "", 1),
        (Method::GET, "/api/v1/templates/motd/versions", "", 1),
        (Method::GET, "/api/v1/templates/motd/versions/1", "", 1),
        (Method::GET, "/api/v1/hosts/a1/preview/installed", "", 1),
        (Method::POST, "/api/v1/templates/motd/validate", body.as_str(), 2),
        (Method::POST, "/api/v1/hosts/a1/preview/installed", tried.as_str(), 2),
        (Method::GET, "/api/v1/hosts/a1/preview/installed?secrets=true", "", 3),
        (Method::GET, "/api/v1/hosts/a1/diff?secrets=true", "", 3),
        (Method::PUT, "/api/v1/templates/motd", body.as_str(), 3),
        (Method::DELETE, "/api/v1/templates/motd", "", 3),
    ] {
        for (rank, token) in [(0, "nobody"), (1, viewer.as_str()), (2, operator.as_str())] {
            let status = site
                .api_as(token, method.clone(), path, Body::from(body.to_owned()))
                .await
                .status
                .as_u16();
            let expected = if rank == 0 {
                401
            } else if rank < least {
                403
            } else {
                200
            };
            assert_eq!(status, expected, "{method} {path} as {rank}");
        }
    }
}
