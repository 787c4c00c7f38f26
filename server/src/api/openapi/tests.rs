//! The document says everything, and nothing that is not so.

use axum::body::Body;

use super::*;
use crate::testing::TestApp;

#[test]
fn every_route_is_documented() {
    let (router, _) = routes().split_for_parts();
    // The router's own list, which nothing but its Debug form shows. Should that form change, nothing is found.
    let shown = format!("{router:?}");
    let served: BTreeSet<&str> = shown
        .split('"')
        .filter(|part| part.starts_with('/') && !part.contains(' '))
        // What the fallback is mounted at.
        .filter(|part| *part != "/" && !part.contains("__private__axum_fallback"))
        .collect();
    let document = document();
    let documented: BTreeSet<&str> = document["paths"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(served, documented, "annotate the handler and mount it by routes!");
}

#[tokio::test]
async fn every_method_that_is_served_is_documented_and_no_other() {
    let site = TestApp::new().await;
    let operations = operations(&document());
    for (_, path) in operations.keys() {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let sent: Method = method.parse().unwrap();
            let status = site.api_as("", sent, path, Body::empty()).await.status;
            let is_documented = operations.contains_key(&(method.to_owned(), path.clone()));
            assert_eq!(status != 405, is_documented, "{method} {path}: {status}");
        }
    }
}

#[test]
fn every_operation_says_what_it_is_who_may_and_what_it_answers() {
    let document = document();
    let mut names = BTreeSet::new();
    for ((method, path), operation) in operations(&document) {
        let at = format!("{method} {path}");
        assert!(
            names.insert(operation["operationId"].to_string()),
            "{at}: operation_id again"
        );
        assert!(
            operation["summary"].as_str().is_some_and(|text| !text.is_empty()),
            "{at}: no doc comment"
        );
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{at}: one tag");
        let needs_token = path.starts_with("/api/v1/") && path != "/api/v1/openapi.json";
        let role = role_of(operation.as_object().unwrap());
        assert_eq!(role.is_some(), needs_token, "{at}: security((\"token\" = [role]))");
        assert!(
            role.is_none_or(|role| ["viewer", "operator", "admin"].contains(&role)),
            "{at}: {role:?}"
        );
        let statuses = operation["responses"].as_object().unwrap();
        assert!(
            statuses.keys().any(|status| status.starts_with('2')),
            "{at}: no success"
        );
        assert!(
            statuses.values().all(|said| said["description"] != ""),
            "{at}: a status without description"
        );
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(
                parameter["description"].is_string(),
                "{at}: {parameter} is not described"
            );
        }
    }
}

#[test]
fn every_problem_that_is_named_is_one() {
    let (_, openapi) = routes().split_for_parts();
    for ((method, path), operation) in operations(&serde_json::to_value(openapi).unwrap()) {
        for name in operation["x-problems"].as_array().into_iter().flatten() {
            assert!(named_type(name).is_some(), "{method} {path}: no problem {name}");
        }
    }
}

#[test]
fn the_kept_document_is_the_served_one() {
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
    if std::env::var_os("THIRDBOOT_WRITE_OPENAPI").is_some() {
        std::fs::write(kept, text()).unwrap();
    }
    let is_same = std::fs::read_to_string(kept).unwrap_or_default() == text();
    assert!(
        is_same,
        "write it anew: THIRDBOOT_WRITE_OPENAPI=1 cargo test -p thirdboot openapi"
    );
}

#[tokio::test]
async fn anybody_may_read_the_document() {
    let site = TestApp::new().await;
    let reply = site
        .api_as("", Method::GET, "/api/v1/openapi.json", Body::empty())
        .await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("content-type")),
        (200, "application/json")
    );
    assert_eq!(reply.json()["openapi"], "3.1.0");
}
