//! What hosts get of them, and who hears that they cannot.

use axum::body::Body;
use axum::http::Method;
use serde_json::json;
use thirdboot_store::AccessRole;

use super::motd;
use crate::secrets::Purpose;
use crate::testing::TestApp;

#[tokio::test]
async fn a_host_that_its_templates_cannot_be_rendered_for_is_not_added() {
    let site = TestApp::new().await;
    site.saved("motd", &motd("{{ host.labels.rack }}"), None).await;
    let reply = site.api_post("/api/v1/hosts", &TestApp::described("a1", 1)).await;
    assert_eq!(reply.problem(), (422, "malformed".into(), "labels.rack".into()));
    assert!(reply.text().contains("motd, line 8 column 21"), "{}", reply.text());
    site.host_with("a1", 1, json!({"labels": {"rack": "r7"}})).await;
}

/// Nor described so, by whatever door.
#[tokio::test]
async fn a_host_that_its_templates_cannot_be_rendered_for_comes_in_by_no_other_door() {
    let site = TestApp::new().await;
    site.host_with("a1", 1, json!({"labels": {"rack": "r7"}})).await;
    site.saved("motd", &motd("{{ host.labels.rack }}"), None).await;
    let without = TestApp::described("a1", 1);
    for method in [Method::PUT, Method::PATCH] {
        let body = match method {
            Method::PUT => without.clone(),
            _ => json!({"labels": {"rack": null}}),
        };
        let headers = [("if-match", "*")];
        let reply = site
            .admin_with(method, "/api/v1/hosts/a1", &headers, body.to_string())
            .await;
        assert_eq!(reply.problem(), (422, "malformed".into(), "labels.rack".into()));
    }
    let mut fit = TestApp::described("a3", 3);
    fit["labels"] = json!({"rack": "r7"});
    let hosts = json!([fit, TestApp::described("a2", 2), without]);
    for dry_run in [true, false] {
        let body = json!({"hosts": hosts, "dry_run": dry_run});
        let reply = site.api_post("/api/v1/import", &body).await;
        assert_eq!(reply.problem().2, "hosts[1].labels.rack", "{}", reply.text());
        assert_eq!(reply.json()["errors"].as_array().map(Vec::len), Some(2));
    }
    assert_eq!(site.api_get("/api/v1/host-counts").await.json()["total"], 1);
    site.get("/ipxe?mac=52:54:00:00:00:07").await;
    let adopt = "/api/v1/unknown-machines/1/adopt";
    let reply = site.api_post(adopt, &json!({"name": "a7"})).await;
    assert_eq!(reply.problem().2, "labels.rack");
    let body = json!({"name": "a7", "labels": {"rack": "r7"}});
    assert_eq!(site.api_post(adopt, &body).await.status, 201);
}

#[tokio::test]
async fn arming_says_when_a_template_does_not_render_any_more() {
    let site = TestApp::new().await;
    site.host_with("a1", 1, json!({"labels": {"rack": "r7"}})).await;
    site.saved("motd", &motd("{{ host.labels.rack }}"), None).await;
    // Past the checks, as a change that overlapped with the save would be.
    let state = site.state("a1").await;
    let mut host = state.host.clone();
    host.labels.clear();
    let update = thirdboot_store::Submission::Update {
        host: Box::new(host),
        expected_version: state.version,
        by: thirdboot_store::Actor::Server,
    };
    site.app.store.submit(state.id, update).await.unwrap();
    let refused = site.arm("a1").await;
    assert_eq!(refused.problem().1, "refused");
    assert!(
        refused.text().contains("`host.labels.rack` is undefined"),
        "{}",
        refused.text()
    );
    assert!(site.state("a1").await.run.is_none());
}

#[tokio::test]
async fn an_armed_host_is_served_its_templates_inside_the_live_config() {
    let site = TestApp::new().await;
    site.host_with("a1", 1, json!({"labels": {"rack": "r7"}})).await;
    site.saved("motd", &motd("rack {{ host.labels.rack }}"), None).await;
    assert_eq!(site.arm("a1").await.status, 200);
    let host = site.state("a1").await.id;
    let live = site
        .get(&format!("/ignition/{}/live.ign", site.secret(Purpose::Conf, host, 1)))
        .await
        .body;
    let parts = thirdboot_render::opened(&live).unwrap();
    let inside = parts
        .iter()
        .find(|part| part.name == "/etc/thirdboot/installed.ign")
        .unwrap();
    let installed = thirdboot_render::opened(inside.content.as_deref().unwrap()).unwrap();
    let file = installed.iter().find(|part| part.name == "/etc/motd").unwrap();
    assert_eq!(file.content.as_deref(), Some(b"rack r7".as_slice()));
}

#[tokio::test]
async fn every_document_of_a_preview_is_shown_without_its_secrets() {
    let site = TestApp::new().await;
    let hash = "$6$salt$hashhashhash";
    let host = site
        .host_with("a1", 1, json!({"console_password_hash": hash, "known_by": "key"}))
        .await;
    let mut with_key = motd("x");
    with_key["text"] = json!(format!(
        "{}    - path: /etc/key\n      contents:\n        inline: |\n          -----BEGIN OPENSSH PRIVATE KEY-----\n          QUJDREVG\n          -----END OPENSSH PRIVATE KEY-----\n",
        with_key["text"].as_str().unwrap()
    ));
    site.saved("motd", &with_key, None).await;
    let viewer = site.token_of("v", AccessRole::Viewer).await;
    let secrets: Vec<String> = [
        (Purpose::Live, 1),
        (Purpose::Host, 1),
        (Purpose::Conf, 1),
        (Purpose::Lock, 0),
        (Purpose::Boot, 0),
    ]
    .map(|(purpose, run)| site.secret(purpose, host.id, run))
    .into();
    let mut seen_by_admin = String::new();
    for document in ["script", "pointer", "live", "installed"] {
        let path = format!("/api/v1/hosts/a1/preview/{document}");
        for token in [&viewer, &site.token] {
            let text = site.api_as(token, Method::GET, &path, Body::empty()).await.text();
            assert!(text.contains("\"redacted\":true"), "{text}");
            for hidden in secrets.iter().map(String::as_str).chain([hash, "QUJDREVG", "H4sI"]) {
                assert!(!text.contains(hidden), "{document}: {hidden}");
            }
        }
        seen_by_admin += &site.api_get(&format!("{path}?secrets=true")).await.text();
    }
    // The test above could find them, were they there.
    for secret in secrets.iter().map(String::as_str).chain([hash, "QUJDREVG"]) {
        assert!(seen_by_admin.contains(secret), "{secret}");
    }
    assert_eq!(site.part("a1", "/etc/hostname").await["text"], "a1\n");
    assert_eq!(site.api_get("/api/v1/hosts/a1/preview/moon").await.problem().0, 404);
    assert_eq!(site.api_get("/api/v1/hosts/none/preview/live").await.problem().0, 404);
    assert_eq!(
        site.api_get("/api/v1/hosts/a1/preview/live?secret=true")
            .await
            .problem()
            .2,
        "secret"
    );
    assert!(site.state("a1").await.run.is_none(), "looking changes nothing");
}

#[tokio::test]
async fn a_template_is_tried_on_a_host_before_it_is_saved() {
    let site = TestApp::new().await;
    site.host("a1", 1).await;
    site.saved("motd", &motd("saved"), None).await;
    let tried = json!({"name": "motd", "template": motd("tried on {{ host.name }}")});
    let shown = site.api_post("/api/v1/hosts/a1/preview/installed", &tried).await.json();
    let file = shown["parts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|part| part["name"] == "/etc/motd")
        .unwrap();
    assert_eq!(file["text"], "tried on a1");
    assert_eq!(shown["templates"], json!([{"name": "motd", "version": null}]));
    let broken = json!({"name": "motd", "template": motd("{{ host.nmae }}")});
    let refused = site.api_post("/api/v1/hosts/a1/preview/installed", &broken).await;
    assert_eq!(refused.problem().1, "refused");
    assert_eq!(
        site.api_post("/api/v1/hosts/a1/preview/live", &tried).await.problem().0,
        404
    );
    assert_eq!(site.part("a1", "/etc/motd").await["text"], "saved");
}

#[tokio::test]
async fn a_machine_is_compared_to_what_it_would_get_today() {
    let site = TestApp::new().await;
    site.host("new", 9).await;
    assert_eq!(site.api_get("/api/v1/hosts/new/diff").await.problem().1, "refused");
    site.saved("motd", &motd("rack {{ host.labels.rack|default('none') }}"), None)
        .await;
    site.installed("a1", 1, json!({})).await;
    let same = site.api_get("/api/v1/hosts/a1/diff").await.json();
    assert_eq!(
        (&same["same"], &same["changes"], &same["run"]),
        (&json!(true), &json!([]), &json!(1))
    );
    assert_eq!(same["installed_sha256"], same["today_sha256"]);
    let mut next = motd("welcome to {{ host.name }}");
    next["text"] = json!(format!(
        "{}systemd:\n  units:\n    - name: mine.service\n      contents: \"[Service]\\nExecStart=/bin/true\\n\"\n",
        next["text"].as_str().unwrap()
    ));
    site.saved("motd", &next, Some(1)).await;
    let diff = site.api_get("/api/v1/hosts/a1/diff").await.json();
    assert_eq!(diff["same"], false);
    insta::assert_json_snapshot!(diff["changes"]);
}
