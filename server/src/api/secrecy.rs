//! No secret reaches a viewer, a log line or an error, whatever is asked for.

use axum::body::Body;
use axum::http::Method;
use serde_json::json;
use thirdboot_store::AccessRole;

use super::openapi;
use crate::secrets::Purpose;
use crate::testing::{Logged, Reply, TestApp};

const PASSWORD: &str = "$6$salt$hashhashhashhash";

/// What stands for each parameter of a path, so that something is there to be read.
fn filled(path: &str) -> Vec<String> {
    let name = match path.split('/').nth(3) {
        Some("hosts") => "a1",
        Some("tokens") => "ci",
        Some("repositories") => "extra",
        Some("assets") => "k3s",
        Some("clusters") => "lab",
        _ => "motd",
    };
    let parameters = [
        ("{name}", name),
        ("{group}", "agent"),
        ("{role}", "agent"),
        ("{number}", "1"),
        ("{version}", "1"),
        ("{id}", "1"),
        ("{arch}", "x86_64"),
    ];
    let path = parameters.iter().fold(path.to_owned(), |path, (parameter, value)| {
        path.replace(parameter, value)
    });
    let mut paths = ["script", "pointer", "live", "installed"]
        .map(|document| path.replace("{document}", document))
        .to_vec();
    paths.dedup();
    assert!(!paths[0].contains('{'), "say what stands for the parameter of {path}");
    paths
}

/// The ways in which a path is asked for. What waits is told not to.
fn queries(path: &str) -> [&'static str; 2] {
    if path.ends_with("/wait") {
        ["?timeout=0", "?timeout=0&secrets=true"]
    } else {
        ["", "?secrets=true"]
    }
}

fn has_none(reply: &Reply, secrets: &[String], at: &str) {
    let text = format!("{:?} {}", reply.headers, String::from_utf8_lossy(&reply.body));
    for secret in secrets {
        assert!(!text.contains(secret.as_str()), "{at} gives away {secret}: {text}");
    }
}

#[tokio::test]
async fn whatever_a_viewer_asks_for_and_whatever_goes_wrong_gives_no_secret_away() {
    let (logged, _guard) = Logged::start();
    let site = TestApp::new().await;
    site.cluster("lab").await;
    let more = json!({"role": "agent", "cluster": "lab", "console_password_hash": PASSWORD, "known_by": "key"});
    let host = site.host_with("a1", 1, more).await.id;
    assert_eq!(site.arm("a1").await.status, 200);
    site.get("/ipxe?mac=52:54:00:00:00:99").await;
    let template = json!({"text": "variant: fcos\nversion: 1.5.0\n"}).to_string();
    let saved = site
        .admin_with(Method::PUT, "/api/v1/templates/motd", &[], template)
        .await;
    assert_eq!(saved.status, 201, "{}", saved.text());
    let made = site
        .api_post("/api/v1/tokens", &json!({"name": "ci", "role": "operator"}))
        .await;
    let viewer = site.token_of("eve", AccessRole::Viewer).await;
    let of_run = |purpose, run| site.secret(purpose, host, run);
    let secrets = vec![
        of_run(Purpose::Boot, 0),
        of_run(Purpose::Lock, 0),
        of_run(Purpose::Conf, 1),
        of_run(Purpose::Live, 1),
        of_run(Purpose::Host, 1),
        of_run(Purpose::Conf, 2),
        of_run(Purpose::Live, 2),
        of_run(Purpose::Host, 2),
        of_run(Purpose::Join, 1),
        of_run(Purpose::Join, 2),
        site.token.clone(),
        made.json()["token"].as_str().unwrap().to_owned(),
        PASSWORD.to_owned(),
    ];
    // What a machine says, with its secrets in it.
    for secret in &secrets {
        let report = TestApp::report(7, "note", &json!({"message": secret, "log": secret}));
        site.post("/v1/report", &secrets[3], &report).await;
    }
    let mut asked = 0;
    for ((method, path), operation) in openapi::operations(&openapi::document()) {
        if operation["responses"]["200"]["content"]["text/event-stream"].is_object() {
            continue;
        }
        let method: Method = method.parse().unwrap();
        for path in filled(&path) {
            for query in queries(&path) {
                let target = format!("{path}{query}");
                let reply = site.api_as(&viewer, method.clone(), &target, Body::from("{}")).await;
                has_none(&reply, &secrets[..secrets.len() - 1], &target);
                assert!(!reply.text().contains("hashhash"), "{target}: {}", reply.text());
                asked += 1;
            }
        }
    }
    assert!(asked > 40, "{asked}");
    // What somebody typed is answered without the secrets that were in it.
    for secret in &secrets[..secrets.len() - 1] {
        for path in ["hosts", "tokens", "hosts?q="] {
            let reply = site.api_get(&format!("/api/v1/{path}/{secret}")).await;
            has_none(&reply, &secrets, path);
        }
        let reply = site
            .api_post("/api/v1/hosts", &json!({"name": secret, "macs": [secret]}))
            .await;
        has_none(&reply, &secrets, "a host of that name");
        let reply = site.api_post("/api/v1/hosts/a1/hold", &json!({"reason": secret})).await;
        has_none(&reply, &secrets, "a reason for a hold");
    }
    site.app.store.close().await;
    has_none(
        &site.api_get("/api/v1/hosts/a1/boot-url").await,
        &secrets,
        "a closed store",
    );
    let text = logged.text();
    assert!(text.contains("template saved"), "nothing was heard: {text}");
    for secret in &secrets {
        assert!(!text.contains(secret.as_str()), "the log gives away {secret}");
    }
}
