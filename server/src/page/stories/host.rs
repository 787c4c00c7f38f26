//! One host: what it says, and what may be done.

use serde_json::json;
use thirdboot_store::AccessRole;

use crate::secrets::Purpose;
use crate::testing::{TestApp, form_token};

#[tokio::test]
async fn a_host_on_its_way_shows_what_proves_each_boot() {
    let site = TestApp::new().await;
    let host = site.networked("a1", 1, json!({})).await.id;
    site.wait(2);
    assert_eq!(site.tell(host, Purpose::Host, 7, "ready", json!({})).await, "ready");
    let page = site.signed_in(AccessRole::Viewer).await.get("/hosts/a1").await.text();
    for part in [
        "<span class=\"mark good\">ready</span>",
        "boot_id 3f2a0000-0000-4000-8000-00000000b003",
        "claimed /dev/disk/by-id/d1 (68.7 GB, serial D1)",
        "aria-label=\"3 of 3 boots done\"",
        "deployment layered",
        "title=\"2027-01-15 08:00:00 UTC\">2 min ago</time>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[tokio::test]
async fn a_stuck_host_says_why_in_words() {
    let site = TestApp::new().await;
    site.armed("a1", 1).await;
    site.script(1).await;
    site.wait(11);
    crate::reconciler::carry_out_what_is_due(site.app.store.as_ref()).await;
    let page = site.signed_in(AccessRole::Viewer).await.get("/hosts/a1").await.text();
    let shown = site.api_get("/api/v1/hosts/a1").await.json();
    let says = shown["diagnosis"]["says"].as_str().unwrap();
    assert!(
        page.contains("Why it is there") && page.contains(says),
        "{says}: {page}"
    );
}

#[tokio::test]
async fn a_failure_shows_its_log() {
    let site = TestApp::new().await;
    let host = site.armed("a1", 1).await.id;
    site.tell(host, Purpose::Live, 1, "live", json!({})).await;
    site.post("/v1/claim", &site.secret(Purpose::Live, host, 1), &TestApp::claim(1, 1))
        .await;
    let why = json!({"message": "the disk said no", "log": "I/O error, dev <sda>"});
    site.tell(host, Purpose::Live, 2, "install-failed", why).await;
    let page = site.signed_in(AccessRole::Viewer).await.get("/hosts/a1").await.text();
    assert!(
        page.contains("the disk said no") && page.contains("I/O error, dev &#60;sda&#62;"),
        "{page}"
    );
}

#[tokio::test]
async fn arming_takes_the_name_and_a_slip_keeps_what_was_typed() {
    let site = TestApp::new().await;
    site.host_with("a1", 1, json!({"install": {"disk": "S3R14L"}})).await;
    let browser = site.signed_in(AccessRole::Operator).await;
    assert!(
        browser
            .get("/hosts/a1")
            .await
            .text()
            .contains("<b>What will be wiped:</b> S3R14L.")
    );
    let arm = async |confirm, disk| {
        let fields = [("confirm", confirm), ("disk", disk), ("hours", "2")];
        browser.send("/hosts/a1", "/hosts/a1/arm", &fields).await
    };
    let slip = arm("a2", "wwn-1").await;
    assert_eq!(slip.status, 422);
    let text = slip.text();
    for part in [
        "repeat the host&#39;s name",
        "value=\"a2\"",
        "value=\"wwn-1\"",
        "value=\"2\"",
        "id=\"arm\" open",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(arm("a1", "/dev/sda").await.text().contains("does not name a disk"));
    assert!(site.state("a1").await.run.is_none());
    let armed = arm("a1", "wwn-1").await;
    assert_eq!(
        (armed.status.as_u16(), armed.header("location")),
        (303, "/hosts/a1?done=arm")
    );
    let run = site.state("a1").await.run.unwrap();
    let permit = run.permit;
    assert_eq!(permit.expires_at.duration_since(permit.issued_at).as_hours(), 2);
    let events = site.api_get("/api/v1/hosts/a1/events?kind=armed").await.json();
    assert_eq!(events["items"][0]["by"], "user:some-operator");
    let audit = site
        .api_get("/api/v1/audit?by=user:some-operator&action=arm_host")
        .await
        .json();
    let statuses: Vec<_> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["status"].clone())
        .collect();
    assert_eq!(statuses, [200, 422, 422]);
}

#[tokio::test]
async fn an_inspection_shows_the_disks_before_one_is_wiped() {
    let site = TestApp::new().await;
    let host = site.host("a1", 1).await.id;
    let browser = site.signed_in(AccessRole::Operator).await;
    let armed = browser.send("/hosts/a1", "/hosts/a1/inspect", &[]).await;
    assert_eq!(armed.header("location"), "/hosts/a1?done=inspect");
    site.tell(host, Purpose::Live, 1, "live", json!({})).await;
    let disk = json!({"path": "/dev/disk/by-id/nvme-1", "model": "Fast 1", "size_bytes": 64_000_000_000_u64, "holds": ["lvm"]});
    let facts = json!({"facts": {"inspection": true, "disks": [disk]}});
    assert_eq!(site.tell(host, Purpose::Live, 2, "note", facts).await, "cancelled");
    let page = browser.get("/hosts/a1").await.text();
    for part in [
        "/dev/disk/by-id/nvme-1, the only one there is",
        "Fast 1, 64.0 GB; holds lvm",
        "Wipe it all the same",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let fields = [("confirm", "a1"), ("hours", "1"), ("wipe", "/dev/disk/by-id/nvme-1")];
    assert_eq!(browser.send("/hosts/a1", "/hosts/a1/arm", &fields).await.status, 303);
    let thirdboot_lifecycle::Purpose::Install { wipe, .. } = site.state("a1").await.run.unwrap().permit.purpose else {
        panic!("inspects")
    };
    assert_eq!(wipe[0].as_str(), "/dev/disk/by-id/nvme-1");
}

#[tokio::test]
async fn a_host_is_held_released_cancelled_retired_and_taken_back() {
    let site = TestApp::new().await;
    site.armed("a1", 1).await;
    let browser = site.signed_in(AccessRole::Operator).await;
    let act = async |action: &str, fields: &[(&str, &str)]| {
        let done = browser.send("/hosts/a1", &format!("/hosts/a1/{action}"), fields).await;
        assert_eq!(
            done.header("location"),
            format!("/hosts/a1?done={action}"),
            "{}",
            done.text()
        );
        browser.get(&format!("/hosts/a1?done={action}")).await.text()
    };
    let held = act("hold", &[("reason", "a fan <broke>")]).await;
    assert!(
        held.contains("On hold") && held.contains("a fan &#60;broke&#62;"),
        "{held}"
    );
    assert!(
        !act("release", &[])
            .await
            .contains("a fan &#60;broke&#62;</p><p class=\"soft\">Its script")
    );
    assert!(act("cancel", &[]).await.contains("The run is cancelled."));
    assert!(act("retire", &[]).await.contains("Take into service again"));
    let host = site.state("a1").await.host;
    assert!(host.hold.is_none() && host.retired);
    act("unretire", &[]).await;
    assert!(!site.state("a1").await.host.retired);
    let empty = browser.send("/hosts/a1", "/hosts/a1/hold", &[("reason", "")]).await;
    assert!(
        empty.status == 422 && empty.text().contains("id=\"hold\" open"),
        "{}",
        empty.text()
    );
}

#[tokio::test]
async fn a_viewer_sees_no_action_and_no_secret_and_can_do_nothing() {
    let site = TestApp::new().await;
    let host = site.armed("a1", 1).await.id;
    let secrets = [
        site.secret(Purpose::Boot, host, 0),
        site.secret(Purpose::Conf, host, 2),
        site.secret(Purpose::Host, host, 2),
        site.secret(Purpose::Live, host, 2),
        site.secret(Purpose::Lock, host, 0),
    ];
    let browser = site.signed_in(AccessRole::Viewer).await;
    for path in [
        "",
        "/events",
        "/config/script",
        "/config/live",
        "/config/installed",
        "/difference",
    ] {
        let reply = browser.get(&format!("/hosts/a1{path}")).await;
        assert_eq!(reply.status, 200, "{path}");
        let page = reply.text();
        for secret in &secrets {
            assert!(!page.contains(secret.as_str()), "{path} has {secret}");
        }
        let forms = page.matches("method=\"post\"").count();
        assert_eq!(forms, 1, "{path}: there is nothing to send but the sign-out: {page}");
    }
    assert_eq!(browser.get("/hosts/a1/config/installed?secrets=true").await.status, 403);
    let token = form_token(&browser.get("/").await.text());
    for action in [
        "arm", "inspect", "hold", "release", "cancel", "retire", "unretire", "boot-url",
    ] {
        let body = format!("form={token}&confirm=a1&reason=x");
        let refused = browser.post(&format!("/hosts/a1/{action}"), &body, &[]).await;
        assert_eq!(refused.status, 403, "{action}");
        assert!(!refused.text().contains(&secrets[0]), "{action}");
    }
    assert_eq!(site.state("a1").await.run.unwrap().stage.as_str(), "armed");
}

#[tokio::test]
async fn secrets_are_shown_to_admins_who_ask_and_that_is_noted() {
    let site = TestApp::new().await;
    let host = site.host("a1", 1).await.id;
    let operator = site.signed_in(AccessRole::Operator).await;
    let url = operator.send("/hosts/a1", "/hosts/a1/boot-url", &[]).await.text();
    assert!(url.contains(&site.secret(Purpose::Boot, host, 0)), "{url}");
    let admin = site.signed_in(AccessRole::Admin).await;
    let plain = admin.get("/hosts/a1/config/installed").await.text();
    assert!(plain.contains("Show them") && !plain.contains(&site.secret(Purpose::Host, host, 1)));
    let shown = admin.get("/hosts/a1/config/installed?secrets=true").await.text();
    assert!(shown.contains(&site.secret(Purpose::Host, host, 1)));
    let audit = site.api_get("/api/v1/audit").await.json();
    let read: Vec<_> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["action"].clone())
        .collect();
    assert!(
        read.contains(&json!("preview_host")) && read.contains(&json!("get_boot_url")),
        "{read:?}"
    );
}

#[tokio::test]
async fn what_would_be_served_is_shown_part_by_part() {
    let site = TestApp::new().await;
    site.host("a1", 1).await;
    let browser = site.signed_in(AccessRole::Viewer).await;
    assert!(browser.get("/hosts/a1/config/script").await.text().contains("#!ipxe"));
    let installed = browser.get("/hosts/a1/config/installed").await.text();
    assert!(
        installed.contains("<code>/etc/hostname</code>") && installed.contains("Secrets are taken out"),
        "{installed}"
    );
    let none = browser.get("/hosts/a1/difference").await;
    assert!(none.status == 200 && none.text().contains("Nothing to compare"));
    assert_eq!(browser.get("/hosts/a1/config/nothing").await.status, 404);
    assert_eq!(browser.get("/hosts/nobody").await.status, 404);
}

#[tokio::test]
async fn a_host_without_a_version_in_the_mirror_says_so_and_keeps_its_page() {
    let site = TestApp::new().await;
    site.host_with("a1", 1, json!({"arch": "aarch64"})).await;
    let browser = site.signed_in(AccessRole::Operator).await;
    let page = browser.get("/hosts/a1/config/installed").await;
    assert!(
        page.status == 200 && page.text().contains("no assets at"),
        "{}",
        page.text()
    );
    let refused = browser
        .send("/hosts/a1", "/hosts/a1/arm", &[("confirm", "a1"), ("hours", "24")])
        .await;
    assert!(
        refused.status == 409 && refused.text().contains("no assets at"),
        "{}",
        refused.text()
    );
}
