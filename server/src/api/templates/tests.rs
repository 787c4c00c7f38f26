use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};
use thirdboot_store::AccessRole;

use crate::secrets::Purpose;
use crate::testing::{Reply, TestApp};

fn motd(inline: &str) -> Value {
    json!({"text": format!(
        "variant: fcos\nversion: 1.5.0\nstorage:\n  files:\n    - path: /etc/motd\n      overwrite: true\n      contents:\n        inline: \"{inline}\"\n"
    )})
}

impl TestApp {
    /// Saves on top of the version that was seen, if one was.
    async fn save(&self, name: &str, spec: &Value, seen: Option<u64>) -> Reply {
        let tag = seen.map(|seen| format!("\"{seen}\""));
        let headers: Vec<(&str, &str)> = tag.iter().map(|tag| ("if-match", tag.as_str())).collect();
        let path = format!("/api/v1/templates/{name}");
        self.api_with(&self.token, Method::PUT, &path, &headers, Body::from(spec.to_string()))
            .await
    }

    async fn saved(&self, name: &str, spec: &Value, seen: Option<u64>) -> Value {
        let reply = self.save(name, spec, seen).await;
        assert!(reply.status.is_success(), "{}", reply.text());
        reply.json()
    }

    async fn delete(&self, path: &str, seen: &str) -> Reply {
        self.api_with(&self.token, Method::DELETE, path, &[("if-match", seen)], Body::empty())
            .await
    }

    /// A file of the installed config that the host would get.
    async fn part(&self, host: &str, path: &str) -> Value {
        let reply = self
            .api_get(&format!("/api/v1/hosts/{host}/preview/installed?part={path}"))
            .await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["parts"][0].clone()
    }

    /// Host `n`, installed by run 1.
    async fn installed(&self, name: &str, n: u8, changed: Value) {
        self.networked(name, n, changed).await;
    }
}

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
async fn what_does_not_render_for_every_host_is_not_saved() {
    let site = TestApp::new().await;
    site.host_with("a1", 1, json!({"labels": {"rack": "r7"}})).await;
    site.host("a2", 2).await;
    let refused = site.save("motd", &motd("{{ host.labels.rack }}"), None).await;
    assert_eq!(refused.problem(), (422, "malformed".into(), "text".into()));
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert_eq!(
        detail,
        "motd, line 8 column 21, storage.files.0.contents.inline (host a2): undefined value: `host.labels.rack` is undefined"
    );
    assert_eq!(site.api_get("/api/v1/templates/motd").await.problem().0, 404);
    let mut narrow = motd("{{ host.labels.rack }}");
    narrow["select"] = json!({"labels": {"rack": "r7"}});
    site.saved("motd", &narrow, None).await;
    assert_eq!(site.part("a1", "/etc/motd").await["text"], "r7");
    let other = site.api_get("/api/v1/hosts/a2/preview/installed?part=/etc/motd").await;
    assert_eq!(other.problem().2, "part");
}

#[tokio::test]
async fn with_no_host_yet_a_sample_decides() {
    let site = TestApp::new().await;
    let checked = site
        .saved("motd", &motd("{{ host.labels.rack }} {{ host.cluster }}"), None)
        .await["checked"]
        .clone();
    assert_eq!(
        (&checked["sample"], &checked["hosts"], &checked["rendered"]),
        (&json!(true), &json!(0), &json!(3))
    );
    let refused = site.save("other", &motd("{{ host.nmae }}"), None).await;
    assert!(refused.text().contains("host sample"), "{}", refused.text());
}

#[tokio::test]
async fn a_slip_of_the_hand_saves_nothing() {
    let site = TestApp::new().await;
    let secret = format!("tb_live_{}", "a".repeat(52));
    let with = |key: &str, value: Value| {
        let mut spec = motd("x");
        spec[key] = value;
        spec
    };
    for (name, spec, field) in [
        ("Motd", motd("x"), "name"),
        ("-a", motd("x"), "name"),
        ("a", json!({}), "text"),
        ("a", with("txet", json!("x")), "txet"),
        ("a", with("order", json!("first")), "order"),
        ("a", with("note", json!("a\nb")), "note"),
        ("a", with("select", json!({"role": "agent"})), "select.role"),
        ("a", with("select", json!({"roles": ["boss"]})), "select.roles[0]"),
        ("a", with("select", json!({"hosts": ["A_B"]})), "select.hosts[0]"),
        ("a", with("select", json!({"hosts": ["nobody"]})), "select.hosts"),
        ("a", motd(&secret), "text"),
        ("a", json!({"text": "a: ["}), "text"),
        ("a", json!({"text": "x".repeat(200_000)}), "text"),
    ] {
        let reply = site.save(name, &spec, None).await;
        assert_eq!(
            (reply.problem().0, reply.problem().2.as_str()),
            (422, field),
            "{}",
            reply.text()
        );
        assert!(!reply.text().contains(&secret));
    }
    assert_eq!(site.api_get("/api/v1/templates").await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_dry_run_tells_what_a_save_would() {
    let site = TestApp::new().await;
    site.host("a1", 1).await;
    let good = site
        .api_post("/api/v1/templates/motd/validate", &motd("{{ host.name }}"))
        .await
        .json();
    assert_eq!((&good["valid"], &good["hosts"]), (&json!(true), &json!(1)));
    let bad = site
        .api_post("/api/v1/templates/motd/validate", &motd("{{ host.nmae }}"))
        .await
        .json();
    assert_eq!(
        bad["faults"][0],
        json!({"template": "motd", "host": "a1", "line": 8, "column": 21, "field": "storage.files.0.contents.inline",
            "what": "undefined value: `host.nmae` is undefined"})
    );
    assert_eq!(site.api_get("/api/v1/templates").await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_template_that_cannot_stand_beside_another_is_not_saved() {
    let site = TestApp::new().await;
    site.host("a1", 1).await;
    let link = "variant: fcos\nversion: 1.5.0\nstorage:\n  links:\n    - path: /etc/motd\n      target: /opt/motd\n";
    let below =
        "variant: fcos\nversion: 1.5.0\nstorage:\n  files:\n    - path: /etc/motd/today\n      contents: {inline: x}\n";
    site.saved("one", &json!({"text": link}), None).await;
    let refused = site.save("two", &json!({"text": below}), None).await;
    assert!(refused.text().contains("one + two"), "{}", refused.text());
}

#[tokio::test]
async fn hosts_that_cannot_be_told_apart_are_rendered_once() {
    let site = TestApp::new().await;
    for n in 1..=9 {
        site.host_with(&format!("a{n}"), n, json!({"labels": {"rack": format!("r{}", n % 3)}}))
            .await;
    }
    let counts = async |inline: &str| {
        let checked = site
            .api_post("/api/v1/templates/motd/validate", &motd(inline))
            .await
            .json();
        (
            checked["hosts"].as_u64().unwrap(),
            checked["rendered"].as_u64().unwrap(),
        )
    };
    assert_eq!(counts("fixed").await, (9, 1));
    assert_eq!(counts("{{ host.labels.rack }}").await, (9, 3));
    assert_eq!(counts("{{ host.name }}").await, (9, 9));
}

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
