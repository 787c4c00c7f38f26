//! Inventories, taken whole or not at all.

use serde_json::{Value, json};

use crate::testing::TestApp;

const PATH: &str = "/api/v1/import";

async fn names(site: &TestApp) -> Vec<Value> {
    let page = site.api_get("/api/v1/hosts").await.json();
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|host| host["name"].clone())
        .collect()
}

#[tokio::test]
async fn an_inventory_creates_and_updates_and_says_so_before() {
    let site = TestApp::new().await;
    site.host("a1", 1).await;
    site.host("a2", 2).await;
    let mut changed = TestApp::described("a2", 2);
    changed["labels"] = json!({"rack": "r7"});
    let hosts = json!([TestApp::described("a1", 1), changed, TestApp::described("a3", 3)]);
    let dry = site
        .api_post(PATH, &json!({"hosts": hosts, "dry_run": true}))
        .await
        .json();
    let done: Vec<_> = dry["hosts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|host| host["action"].clone())
        .collect();
    assert_eq!(done, ["unchanged", "update", "create"]);
    assert_eq!(dry["hosts"][1]["changes"], json!(["labels"]));
    assert_eq!(names(&site).await, ["a1", "a2"]);

    let wet = site.api_post(PATH, &json!({"hosts": hosts})).await.json();
    assert_eq!((&wet["hosts"], &wet["dry_run"]), (&dry["hosts"], &json!(false)));
    assert_eq!(names(&site).await, ["a1", "a2", "a3"]);
    assert_eq!(site.api_get("/api/v1/hosts/a2").await.json()["labels"]["rack"], "r7");
    let again = site.api_post(PATH, &json!({"hosts": hosts})).await.json();
    assert!(
        again["hosts"]
            .as_array()
            .unwrap()
            .iter()
            .all(|host| host["action"] == "unchanged"),
        "{again}"
    );
}

#[tokio::test]
async fn what_a_file_does_not_know_stays() {
    let site = TestApp::new().await;
    site.host_with(
        "a1",
        1,
        json!({"serial": "S1", "console_password_hash": "$6$salt$hashhashhash"}),
    )
    .await;
    site.armed("a2", 2).await;
    let run = site.state("a2").await.run;
    let mut a2 = TestApp::described("a2", 2);
    a2["packages"] = json!(["htop"]);
    let imported = site
        .api_post(PATH, &json!({"hosts": [TestApp::described("a1", 1), a2]}))
        .await;
    assert_eq!(imported.status, 200, "{}", imported.text());
    let a1 = site.api_get("/api/v1/hosts/a1").await.json();
    assert_eq!(
        (&a1["serial"], &a1["has_console_password"]),
        (&json!("S1"), &json!(true))
    );
    assert_eq!(site.state("a2").await.run, run);
}

#[tokio::test]
async fn every_field_at_fault_is_named_and_nothing_is_done() {
    let site = TestApp::new().await;
    site.host("a1", 1).await;
    let mut wrong_mac = TestApp::described("b1", 4);
    wrong_mac["macs"] = json!(["zz"]);
    let hosts = json!([
        TestApp::described("b0", 3),
        wrong_mac,
        TestApp::described("b2", 3),
        TestApp::described("b3", 1),
        TestApp::described("B_4", 5),
    ]);
    let reply = site.api_post(PATH, &json!({"hosts": hosts})).await;
    assert_eq!(reply.problem(), (422, "malformed".into(), "hosts[1].macs[0]".into()));
    let problem = reply.json();
    let fields: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["field"].clone())
        .collect();
    assert_eq!(
        fields,
        ["hosts[1].macs[0]", "hosts[2].macs", "hosts[3].macs", "hosts[4].name"]
    );
    assert_eq!(names(&site).await, ["a1"]);
}

#[tokio::test]
async fn what_cannot_be_read_is_named_by_its_place() {
    let site = TestApp::new().await;
    let reply = site
        .api_post(PATH, &json!({"hosts": [{"name": "a1"}, {"name": "a2", "mac": []}]}))
        .await;
    assert_eq!(reply.problem().2, "hosts[1].mac");
    assert_eq!(
        site.api_post(PATH, &json!({"hosts": [], "force": true}))
            .await
            .problem()
            .2,
        "force"
    );
    let many: Vec<Value> = (0..10_001).map(|n| json!({"name": format!("h{n}")})).collect();
    assert_eq!(site.api_post(PATH, &json!({"hosts": many})).await.problem().2, "hosts");
    assert_eq!(names(&site).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_thousand_hosts_go_in_at_once() {
    let site = TestApp::new().await;
    let hosts: Vec<Value> = (0..1000_u32)
        .map(|n| json!({"name": format!("h{n}"), "macs": [format!("02:00:00:00:{:02x}:{:02x}", n / 256, n % 256)]}))
        .collect();
    assert_eq!(site.api_post(PATH, &json!({"hosts": hosts})).await.status, 200);
    assert_eq!(names(&site).await.len(), 100);
    assert!(site.api_get("/api/v1/hosts/h999").await.status == 200);
}
