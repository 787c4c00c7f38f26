//! What may be saved.

use serde_json::{Value, json};

use super::motd;
use crate::testing::TestApp;

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
