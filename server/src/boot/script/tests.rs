use axum::body::Body;
use axum::http::Method;
use serde_json::json;
use thirdboot_lifecycle::Stage;

use crate::secrets::Purpose;
use crate::testing::TestApp;

#[tokio::test]
async fn a_machine_goes_from_disk_to_install_and_back_to_its_disk() {
    let site = TestApp::new().await;
    let host = site.host("a1", 1).await;
    assert_eq!(site.script(1).await.verdict(), "# thirdboot: local host=a1");
    site.arm("a1").await;
    assert_eq!(site.script(1).await.verdict(), "# thirdboot: install host=a1 run=1");
    assert_eq!(site.state("a1").await.run.unwrap().stage, Stage::Netbooting);
    site.post(
        "/v1/claim",
        &site.secret(Purpose::Live, host.id, 1),
        &TestApp::claim(1, 1),
    )
    .await;
    assert_eq!(site.script(1).await.verdict(), "# thirdboot: install host=a1 run=1");
    site.tell(host.id, Purpose::Live, 1, "installed", json!({})).await;
    assert_eq!(site.script(1).await.verdict(), "# thirdboot: local host=a1");
}

#[tokio::test]
async fn an_unknown_machine_is_held_and_listed_once() {
    let site = TestApp::new().await;
    for _ in 0..3 {
        let reply = site.get("/ipxe?mac=52-54-00-00-00-09&product=X&serial=None").await;
        assert_eq!(reply.verdict(), "# thirdboot: hold reason=unknown");
        assert_eq!(reply.header("content-type"), "text/plain; charset=utf-8");
    }
    let listed = site.api_get("/api/v1/unknown-machines").await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(listed["items"][0]["macs"], json!(["52:54:00:00:00:09"]));
    assert_eq!(listed["items"][0]["said"]["product"], "X");
    assert_eq!(listed["items"][0]["count"], 1);
}

#[tokio::test]
async fn an_unknown_machine_may_boot_its_disk_where_configured() {
    let site = TestApp::with(|options| options.unknown = crate::serve::UnknownPolicy::Local).await;
    assert_eq!(site.get("/ipxe").await.verdict(), "# thirdboot: local");
}

#[tokio::test]
async fn a_head_decides_and_counts_nothing() {
    let site = TestApp::new().await;
    site.armed("a1", 1).await;
    let reply = site.head("/ipxe?mac=52:54:00:00:00:01").await;
    assert_eq!((reply.status.as_u16(), reply.body.len()), (200, 0));
    assert_eq!(site.state("a1").await.run.unwrap().stage, Stage::Armed);
    site.head("/ipxe?mac=52:54:00:00:00:77").await;
    assert_eq!(
        site.api_get("/api/v1/unknown-machines").await.json()["items"],
        json!([])
    );
}

#[tokio::test]
async fn a_repeated_fetch_writes_once() {
    let site = TestApp::new().await;
    site.armed("a1", 1).await;
    for _ in 0..5 {
        site.script(1).await;
    }
    assert_eq!(site.state("a1").await.run.unwrap().evidence.script.unwrap().count, 1);
}

#[tokio::test]
async fn an_install_is_given_to_configured_networks_only_and_a_disk_boot_to_all() {
    let site = TestApp::new().await;
    site.armed("a1", 1).await;
    site.host("a2", 2).await;
    let asked = site.get_from("203.0.113.5", "/ipxe?mac=52:54:00:00:00:01").await;
    assert_eq!(asked.verdict(), "# thirdboot: hold reason=unknown");
    assert_eq!(site.state("a1").await.run.unwrap().stage, Stage::Armed);
    let asked = site.get_from("203.0.113.5", "/ipxe?mac=52:54:00:00:00:02").await;
    assert_eq!(asked.verdict(), "# thirdboot: local host=a2");
    let asked = site.get_from("::ffff:192.168.7.9", "/ipxe?mac=52:54:00:00:00:01").await;
    assert_eq!(asked.verdict(), "# thirdboot: install host=a1 run=1");
}

#[tokio::test]
async fn a_forwarded_address_counts_from_a_configured_proxy_only() {
    let site = TestApp::with(|options| options.trusted_proxies = vec!["10.9.9.9/32".parse().unwrap()]).await;
    site.armed("a1", 1).await;
    let path = "/ipxe?mac=52:54:00:00:00:01";
    let ask = async |from: &'static str, forwarded: &'static str| {
        let headers = [("x-forwarded-for", forwarded)];
        site.boot_request(Method::GET, path, &headers, from, Body::empty())
            .await
            .verdict()
    };
    assert_eq!(ask("203.0.113.5", "10.0.0.1").await, "# thirdboot: hold reason=unknown");
    assert_eq!(
        ask("10.9.9.9", "10.0.0.1, 203.0.113.5").await,
        "# thirdboot: hold reason=unknown"
    );
    assert_eq!(
        ask("10.9.9.9", "203.0.113.5, 10.0.0.1").await,
        "# thirdboot: install host=a1 run=1"
    );
}

#[tokio::test]
async fn a_host_known_by_its_key_installs_by_its_key_only() {
    let site = TestApp::new().await;
    let host = site.host_with("a1", 1, json!({"known_by": "key"})).await;
    site.arm("a1").await;
    assert_eq!(site.script(1).await.verdict(), "# thirdboot: hold reason=unknown");
    let url = site.api_get("/api/v1/hosts/a1/boot-url").await.json()["url"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = url.strip_prefix("http://boot.test").unwrap().to_owned();
    let asked = site.get_from("203.0.113.5", &path).await;
    assert_eq!(asked.verdict(), "# thirdboot: install host=a1 run=1");
    assert!(
        asked.text().contains(&site.secret(Purpose::Boot, host.id, 0)),
        "asks again by its key"
    );
}

#[tokio::test]
async fn a_wrong_key_is_404_and_says_nothing() {
    let site = TestApp::new().await;
    let host = site.armed("a1", 1).await;
    let live = site.secret(Purpose::Live, host.id, 1);
    let other_host = site.secret(Purpose::Boot, thirdboot_store::HostId(99), 0);
    for secret in ["x", "tb_boot_x", &live, &other_host, "%ff"] {
        let reply = site.get(&format!("/ipxe/{secret}?mac=52:54:00:00:00:01")).await;
        assert_eq!(reply.problem().0, 404, "{secret}");
    }
}

#[tokio::test]
async fn a_card_that_moved_is_a_conflict_for_both() {
    let site = TestApp::new().await;
    site.host_with("a1", 1, json!({"serial": "S1"})).await;
    site.host_with("a2", 2, json!({"serial": "S2"})).await;
    site.arm("a1").await;
    let asked = site.get("/ipxe?mac=52:54:00:00:00:02&serial=S1").await;
    assert_eq!(asked.verdict(), "# thirdboot: hold reason=conflict");
    let listed = site.api_get("/api/v1/unknown-machines").await.json();
    assert!(
        listed["items"][0]["why"].as_str().unwrap().contains("a1, a2"),
        "{listed}"
    );
}

#[tokio::test]
async fn a_held_host_is_held_and_a_released_one_goes_on() {
    let site = TestApp::new().await;
    site.armed("a1", 1).await;
    site.api_post("/api/v1/hosts/a1/hold", &json!({"reason": "fan is loud"}))
        .await;
    let held = site.script(1).await;
    assert_eq!(held.verdict(), "# thirdboot: hold reason=held");
    site.api_post("/api/v1/hosts/a1/release", &json!({})).await;
    assert_eq!(site.script(1).await.verdict(), "# thirdboot: install host=a1 run=1");
}

#[tokio::test]
async fn a_store_that_is_away_is_503_and_never_404() {
    let site = TestApp::new().await;
    let host = site.armed("a1", 1).await;
    site.app.store.close().await;
    for path in [
        "/ipxe?mac=52:54:00:00:00:01".to_owned(),
        format!("/ipxe/{}", site.secret(Purpose::Boot, host.id, 0)),
    ] {
        let (status, kind, _) = site.get(&path).await.problem();
        assert_eq!((status, kind.as_str()), (503, "unavailable"));
    }
}

#[tokio::test]
async fn what_firmware_may_send_is_always_answered_with_a_script() {
    let site = TestApp::new().await;
    for query in [
        "",
        "mac=",
        "mac=zz&uuid=&serial=%00%ff",
        "&&&===",
        "mac=00:00:00:00:00:00",
        "uuid=${uuid}",
    ] {
        assert_eq!(
            site.get(&format!("/ipxe?{query}")).await.verdict(),
            "# thirdboot: hold reason=unknown"
        );
    }
}

#[tokio::test]
async fn the_first_script_chains_with_all_that_ipxe_knows() {
    let site = TestApp::new().await;
    let text = site.get("/boot.ipxe").await.text();
    assert!(
        text.contains("http://boot.test/ipxe?mac=${net0/mac}&uuid=${uuid}&serial=${serial:uristring}"),
        "{text}"
    );
}
