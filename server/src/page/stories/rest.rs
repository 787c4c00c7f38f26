//! Unknown machines, templates, assets, the audit.

use serde_json::json;
use thirdboot_store::AccessRole;

use crate::testing::TestApp;

const MOTD: &str = "variant: fcos\nversion: 1.5.0\nstorage:\n  files:\n    - path: /etc/motd\n      contents:\n        inline: \"rack {{ host.labels.rack }}\"\n";

#[tokio::test]
async fn an_unknown_machine_is_adopted_with_one_form() {
    let site = TestApp::new().await;
    let viewer = site.signed_in(AccessRole::Viewer).await;
    assert!(viewer.get("/unknown").await.text().contains("It is never installed"));
    site.get("/ipxe?mac=52:54:00:00:00:09&serial=S9&product=PowerEdge")
        .await;
    let list = viewer.get("/unknown").await.text();
    assert!(
        list.contains("52:54:00:00:00:09") && list.contains("serial S9") && list.contains("PowerEdge"),
        "{list}"
    );
    let id = list
        .split("href=\"/unknown/")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let path = format!("/unknown/{id}");
    assert!(!viewer.get(&path).await.text().contains("Adopt it"));

    let browser = site.signed_in(AccessRole::Operator).await;
    let adopt = async |name, labels| {
        let fields = [
            ("name", name),
            ("role", "runner"),
            ("platform", "metal"),
            ("known_by", "key"),
            ("labels", labels),
        ];
        browser.send(&path, &path, &fields).await
    };
    let slip = adopt("A_1", "rack=7").await;
    assert_eq!(slip.status, 422);
    let text = slip.text();
    for part in [
        "value=\"A_1\"",
        "value=\"rack=7\"",
        "<option selected>runner</option>",
        "class=\"wrong\"",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(adopt("a9", "rack").await.text().contains("expected key=value"));
    assert_eq!(adopt("a9", "rack=7").await.header("location"), "/hosts/a9?done=adopt");
    let host = site.state("a9").await.host;
    assert!(host.adopted && host.labels["rack"] == "7");
    assert_eq!(browser.get(&path).await.status, 404);
    assert!(
        browser
            .get("/hosts/a9?done=adopt")
            .await
            .text()
            .contains(">Release</button>")
    );
}

#[tokio::test]
async fn a_machine_is_dismissed() {
    let site = TestApp::new().await;
    site.script(9).await;
    let browser = site.signed_in(AccessRole::Operator).await;
    let list = browser.get("/unknown").await.text();
    let id = list
        .split("href=\"/unknown/")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let done = browser
        .send(&format!("/unknown/{id}"), &format!("/unknown/{id}/dismiss"), &[])
        .await;
    assert_eq!(done.header("location"), "/unknown?done=dismiss");
    assert!(browser.get("/unknown").await.text().contains(">None</h2>"));
}

#[tokio::test]
async fn a_broken_template_shows_its_fault_at_the_line_and_keeps_the_text() {
    let site = TestApp::new().await;
    site.host_with("a1", 1, json!({"labels": {"site": "b"}})).await;
    let browser = site.signed_in(AccessRole::Admin).await;
    let fields = [
        ("name", "motd"),
        ("text", MOTD),
        ("order", "100"),
        ("do", "save"),
        ("role", "runner"),
    ];
    let broken = browser.send("/templates/new", "/templates/new", &fields).await;
    assert_eq!(broken.status, 422);
    let text = broken.text();
    for part in [
        "It was not saved",
        "class=\"fault\"><span class=\"no\">7</span>",
        "class=\"says\">column ",
        "host.labels.rack",
        "value=\"runner\" checked",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(
        site.api_get("/api/v1/templates").await.json()["items"]
            .as_array()
            .unwrap()
            .is_empty()
    );

    let good = MOTD.replace("rack {{ host.labels.rack }}", "site {{ host.labels.site }}");
    let checked = [
        ("name", "motd"),
        ("text", good.as_str()),
        ("order", "100"),
        ("do", "check"),
    ];
    let checked = browser.send("/templates/new", "/templates/new", &checked).await.text();
    assert!(
        checked.contains("rendered for 1 hosts") && checked.contains("not saved yet"),
        "{checked}"
    );
    let fields = [
        ("name", "motd"),
        ("text", good.as_str()),
        ("order", "100"),
        ("do", "save"),
    ];
    let saved = browser.send("/templates/new", "/templates/new", &fields).await;
    assert_eq!(
        saved.header("location"),
        "/templates/motd?done=save",
        "{}",
        saved.text()
    );

    let again = good.replace("site {", "at {").replace('\n', "\r\n");
    let fields = [
        ("text", again.as_str()),
        ("order", "100"),
        ("do", "save"),
        ("note", "shorter"),
    ];
    let saved = browser.send("/templates/motd", "/templates/motd", &fields).await;
    assert_eq!(
        saved.header("location"),
        "/templates/motd?done=save",
        "{}",
        saved.text()
    );
    let text = site.api_get("/api/v1/templates/motd").await.json()["text"].clone();
    assert!(!text.as_str().unwrap().contains('\r'));
    let difference = browser.get("/templates/motd/difference?to=2").await.text();
    assert!(
        difference.contains("<span class=\"del\">-        inline: &#34;site"),
        "{difference}"
    );
    assert!(
        browser
            .get("/templates/motd/versions/1")
            .await
            .text()
            .contains("inline: &#34;site")
    );
    let stale = format!("version=1&text={}&order=100&do=save&form=", "x");
    assert_eq!(
        browser.post("/templates/motd", &stale, &[]).await.status,
        403,
        "no form of ours"
    );
    let stale = browser
        .send(
            "/templates/motd",
            "/templates/motd",
            &[("version", "1"), ("text", &good), ("order", "1"), ("do", "save")],
        )
        .await;
    assert_eq!(stale.status, 412, "somebody saved meanwhile");
    let gone = browser.send("/templates/motd", "/templates/motd/delete", &[]).await;
    assert_eq!(gone.header("location"), "/templates?done=delete");
    assert!(browser.get("/templates").await.text().contains("No template yet"));
}

#[tokio::test]
async fn templates_are_read_by_all_checked_by_operators_and_saved_by_admins() {
    let site = TestApp::new().await;
    let good = MOTD.replace("rack {{ host.labels.rack }}", "hello");
    site.admin_with(
        axum::http::Method::PUT,
        "/api/v1/templates/motd",
        &[],
        json!({"text": good}).to_string(),
    )
    .await;
    let viewer = site
        .signed_in(AccessRole::Viewer)
        .await
        .get("/templates/motd")
        .await
        .text();
    assert!(viewer.contains("readonly") && !viewer.contains(">Save</button>") && !viewer.contains("Check only"));
    let operator = site.signed_in(AccessRole::Operator).await;
    let page = operator.get("/templates/motd").await.text();
    assert!(!page.contains(">Save</button>") && page.contains("Check only"));
    let fields = [("text", good.as_str()), ("order", "100"), ("do", "save")];
    let refused = operator.send("/templates/motd", "/templates/motd", &fields).await;
    assert!(
        refused.status == 403 && refused.text().contains("inline"),
        "what was typed stays: {}",
        refused.text()
    );
}

#[tokio::test]
async fn the_mirror_shows_its_versions_and_who_needs_them() {
    let site = TestApp::new().await;
    site.armed("a1", 1).await;
    let browser = site.signed_in(AccessRole::Operator).await;
    let page = browser.get("/assets").await.text();
    assert!(
        page.contains(crate::testing::VERSION) && page.contains("a1") && page.contains(">Pull</button>"),
        "{page}"
    );
    let slip = browser
        .send("/assets", "/assets/pull", &[("stream", "a b"), ("arch", "x86_64")])
        .await;
    assert!(
        slip.status == 422 && slip.text().contains("value=\"a b\""),
        "{}",
        slip.text()
    );
    let viewer = site.signed_in(AccessRole::Viewer).await.get("/assets").await.text();
    assert!(!viewer.contains(">Pull</button>"));
}

#[tokio::test]
async fn the_audit_is_for_admins_and_says_who_did_what() {
    let site = TestApp::new().await;
    site.host("a1", 1).await;
    let operator = site.signed_in(AccessRole::Operator).await;
    operator.send("/hosts/a1", "/hosts/a1/hold", &[("reason", "x")]).await;
    assert_eq!(operator.get("/audit").await.status, 403);
    assert!(!operator.get("/").await.text().contains("href=\"/audit\""));
    let admin = site.signed_in(AccessRole::Admin).await;
    let page = admin
        .get("/audit?by=user%3Asome-operator&action=hold_host")
        .await
        .text();
    assert!(page.contains("hosts/a1/hold") && page.contains("127.0.0.1"), "{page}");
    assert!(admin.get("/audit?by=nobody").await.text().contains("Nothing like that"));
}

#[tokio::test]
async fn an_address_that_only_takes_forms_says_so() {
    let site = TestApp::new().await;
    let viewer = site.signed_in(AccessRole::Viewer).await;
    for path in ["/reboots/a1/release", "/assets/pull", "/sign-out"] {
        let page = viewer.get(path).await;
        assert_eq!((page.status.as_u16(), page.header("allow")), (405, "POST"), "{path}");
        let text = page.text();
        for part in ["<main", "go back to the page with the form", ">some-viewer</a>"] {
            assert!(text.contains(part), "{path}: {part}: {text}");
        }
    }
}
