//! The document says everything, and nothing that is not so.

use axum::body::Body;

use super::*;
use crate::testing::{TestApp, fits as fits_in};

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

/// The examples of a schema: its own, those of a list's items, or those of what it stands for.
fn examples(schema: &Value, document: &Value) -> Vec<Value> {
    if let Some(pointer) = schema["$ref"].as_str().and_then(|path| path.strip_prefix('#')) {
        return examples(document.pointer(pointer).unwrap(), document);
    }
    if let Some(examples) = schema["examples"].as_array() {
        return examples.clone();
    }
    // A page.
    let items = examples_of_items(schema, document);
    items
        .into_iter()
        .map(|item| json!({"items": [item], "next_cursor": null}))
        .collect()
}

fn examples_of_items(schema: &Value, document: &Value) -> Vec<Value> {
    let items = &schema["properties"]["items"]["items"];
    if items.is_object() {
        examples(items, document)
    } else {
        Vec::new()
    }
}

/// Bodies that are no JSON have none, and the document has no example of itself.
#[test]
fn every_body_has_an_example_that_fits() {
    let document = document();
    let mut count = 0;
    for ((method, path), operation) in operations(&document) {
        let answers = operation["responses"].as_object().cloned().unwrap_or_default();
        let bodies = answers
            .into_iter()
            .chain([("a request".to_owned(), operation["requestBody"].clone())]);
        for (whose, body) in bodies.filter(|_| path != "/api/v1/openapi.json") {
            let body = match body["$ref"].as_str() {
                Some(path) => document.pointer(path.trim_start_matches('#')).unwrap().clone(),
                None => body,
            };
            let contents = body["content"].as_object().cloned().unwrap_or_default();
            for (media, content) in contents.iter().filter(|(media, _)| media.ends_with("json")) {
                let named = content["examples"]
                    .as_object()
                    .into_iter()
                    .flat_map(|named| named.values());
                let mut found: Vec<Value> = named.map(|one| one["value"].clone()).collect();
                found.extend(content.get("example").cloned());
                if found.is_empty() {
                    found = examples(&content["schema"], &document);
                }
                let at = format!("{method} {path}, {whose}, {media}");
                assert!(!found.is_empty(), "{at}: no example");
                for example in found {
                    count += 1;
                    if let Err(why) = fits_in(&example, &content["schema"]) {
                        panic!("{at}: {why}: {example}");
                    }
                }
            }
        }
    }
    assert!(count > 500, "{count} examples");
}

#[test]
fn every_problem_is_one_that_some_operation_answers_with_at_its_own_status() {
    let document = document();
    let text = document["paths"].to_string();
    let unused: Vec<&str> = ProblemType::ALL
        .iter()
        .map(|problem| name_of(*problem))
        .filter(|name| {
            !text.contains(&format!("#/components/responses/{name}\""))
                && !text.contains(&format!("\"{name}\":{{\"value\""))
        })
        .collect();
    assert_eq!(unused, UNUSED, "of the boot plane alone");
    for ((method, path), operation) in operations(&document) {
        for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
            let named = answer["$ref"].as_str().and_then(|path| path.rsplit('/').next());
            let examples = answer["content"][PROBLEM_MEDIA_TYPE]["examples"].as_object();
            let kinds = named
                .into_iter()
                .chain(examples.into_iter().flatten().map(|(name, _)| name.as_str()));
            for kind in kinds {
                let problem = named_type(&kind.into()).unwrap_or_else(|| panic!("{method} {path}: {kind}"));
                assert_eq!(problem.status().to_string(), *status, "{method} {path}: {kind}");
            }
        }
    }
}

/// Problems that hosts alone are answered with.
const UNUSED: [&str; 4] = ["method-not-allowed", "claim-refused", "already-installed", "not-yet"];

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
