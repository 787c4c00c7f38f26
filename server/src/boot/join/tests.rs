use axum::http::Method;
use serde_json::json;

use crate::cluster::handed_in;
use crate::secrets::Purpose;
use crate::testing::{BOOT_ID, K3S_BYTES, TestApp};

#[tokio::test]
async fn a_host_without_a_cluster_has_nothing_to_join() {
    let site = TestApp::new().await;
    let host = site.networked("a1", 1, json!({"role": "agent"})).await.id;
    for _ in 0..2 {
        let answer = site.joins("a1").await;
        assert_eq!(
            answer,
            json!({"kind": "none", "node_name": "a1", "config": "", "downloads": []})
        );
        assert_eq!(site.state("a1").await.run.unwrap().stage.as_str(), "joining");
    }
    site.tell(host, Purpose::Host, 7, "ready", json!({})).await;
    assert_eq!(site.join("a1").await.problem(), (409, "refused".into(), String::new()));
}

#[tokio::test]
async fn wrong_role_stage_run_or_secret_joins_nothing() {
    let site = TestApp::new().await;
    site.networked("r1", 1, json!({})).await;
    let refused = site.join("r1").await;
    assert!(
        refused.json()["detail"].as_str().unwrap().contains("runner"),
        "{}",
        refused.text()
    );
    let early = site.armed("a2", 2).await.id;
    let body = json!({"run": 1, "boot_id": BOOT_ID});
    assert_eq!(site.join("a2").await.problem().0, 409);
    assert_eq!(
        site.post("/v1/join", &site.secret(Purpose::Live, early, 1), &body)
            .await
            .problem()
            .0,
        401
    );
    let other_run = json!({"run": 2, "boot_id": BOOT_ID});
    let (status, _, field) = site
        .post("/v1/join", &site.secret(Purpose::Host, early, 1), &other_run)
        .await
        .problem();
    assert_eq!((status, field.as_str()), (422, "run"));
}

#[tokio::test]
async fn a_cluster_forms_first_server_first_and_servers_one_at_a_time() {
    let site = TestApp::new().await;
    site.cluster("prod").await;
    for (name, n) in [("s1", 1), ("s2", 2), ("s3", 3)] {
        site.server(name, n, &format!("10.8.0.{n}")).await;
    }
    site.agent("a1", 4, "10.8.0.4").await;
    site.waits("a1", "no server has begun prod").await;
    let first = site.joins("s1").await;
    assert_eq!(first["kind"], "init");
    assert_eq!(site.joins("s1").await, first, "re-readable until ready");
    site.waits("s2", "s1 begins prod").await;
    let (kubeconfig, ca) = handed_in("prod");
    assert_eq!(site.hands_in("s2", &kubeconfig, &ca).await.problem().0, 409);
    assert_eq!(site.hands_in("s1", &kubeconfig, &ca).await.status, 200);
    assert_eq!(site.hands_in("s1", &kubeconfig, &ca).await.problem().0, 409, "once");
    site.waits("s2", "s1 is about to be ready").await;
    site.is_ready("s1").await;

    let second = site.joins("s2").await;
    assert_eq!(second["kind"], "join");
    site.waits("s3", "s2 joins prod at the moment").await;
    let agent = site.joins("a1").await;
    let config = |answer: &serde_json::Value| answer["config"].as_str().unwrap().to_owned();
    let token = |answer: &serde_json::Value, key: &str| {
        let line = config(answer)
            .lines()
            .find(|line| line.starts_with(key))
            .unwrap()
            .to_owned();
        line.split('"').nth(1).unwrap().to_owned()
    };
    let (server_token, agent_token) = (token(&first, "token"), token(&first, "agent-token"));
    assert!(server_token.starts_with("tb_server_") && agent_token.starts_with("tb_agent_"));
    assert_eq!(token(&second, "token"), format!("K10{ca}::server:{server_token}"));
    assert_eq!(token(&agent, "token"), format!("K10{ca}::node:{agent_token}"));
    assert!(!config(&agent).contains(&server_token), "{}", config(&agent));
    assert!(
        config(&agent).contains("server: \"https://10.8.0.1:6443\""),
        "{}",
        config(&agent)
    );
    site.is_ready("s2").await;
    assert_eq!(site.joins("s3").await["kind"], "join");
    let shown = site.api_get("/api/v1/clusters/prod").await;
    assert!(!shown.text().contains("tb_server_"), "{}", shown.text());
}

#[tokio::test]
async fn two_servers_that_ask_at_once_begin_one_cluster() {
    let site = TestApp::new().await;
    site.cluster("prod").await;
    for n in 1..=4 {
        site.server(&format!("s{n}"), n, &format!("10.8.0.{n}")).await;
    }
    let names = ["s1", "s2", "s3", "s4"];
    let asked = futures_util::future::join_all(names.iter().map(|name| site.join(name))).await;
    let begun: Vec<_> = asked.iter().filter(|reply| reply.status == 200).collect();
    assert_eq!(begun.len(), 1);
    assert!(asked.iter().all(|reply| reply.status == 200 || reply.status == 503));
}

#[tokio::test]
async fn a_grant_survives_a_restart_and_a_first_server_that_is_installed_again_begins_again() {
    let site = TestApp::new().await;
    site.cluster("prod").await;
    site.server("s1", 1, "10.8.0.1").await;
    site.server("s2", 2, "10.8.0.2").await;
    let first = site.joins("s1").await;
    let site = site.restarted().await;
    assert_eq!(site.joins("s1").await, first);
    site.waits("s2", "s1 begins prod").await;
    let id = site.state("s1").await.id;
    let died = json!({"message": "k3s died"});
    site.tell(id, Purpose::Host, 8, "join-failed", died).await;
    site.waits("s2", "its run 1 is failed: arm it again, or move the right")
        .await;
    assert_eq!(site.arm("s1").await.status, 200);
    site.waits("s2", "is being installed again (run 2 is armed)").await;
}

#[tokio::test]
async fn an_admin_moves_the_right_and_the_old_run_is_over() {
    let site = TestApp::new().await;
    site.cluster("prod").await;
    site.server("s1", 1, "10.8.0.1").await;
    site.server("s2", 2, "10.8.0.2").await;
    let old = site.joins("s1").await;
    let body = json!({"to": "s2", "confirm": "prod"});
    let moved = site.api_post("/api/v1/clusters/prod/move-init", &body).await;
    assert_eq!(moved.status, 200, "{}", moved.text());
    assert_eq!(moved.json()["init"]["state"], "reserved");
    assert_eq!(site.state("s1").await.run.unwrap().stage.as_str(), "cancelled");
    assert_eq!(site.join("s1").await.problem().0, 409);
    let (kubeconfig, ca) = handed_in("prod");
    assert_eq!(site.hands_in("s1", &kubeconfig, &ca).await.problem().0, 409);
    let new = site.joins("s2").await;
    assert_eq!(new["kind"], "init");
    assert_ne!(old["config"], new["config"], "the tokens are others");
}

#[tokio::test]
async fn tokens_go_over_plain_http_only_where_that_is_allowed() {
    let site = TestApp::new().await;
    let mut spec = site.cluster_spec("prod");
    spec["insecure_join"] = false.into();
    assert_eq!(site.api_post("/api/v1/clusters", &spec).await.status, 201);
    site.host_with("s9", 9, json!({"role": "server", "cluster": "prod"}))
        .await;
    let refused = site.arm("s9").await;
    assert!(
        refused.json()["detail"].as_str().unwrap().contains("plain HTTP"),
        "{}",
        refused.text()
    );
    spec["insecure_join"] = true.into();
    let path = "/api/v1/clusters/prod";
    let etag = site.api_get(path).await.json()["etag"].as_str().unwrap().to_owned();
    assert_eq!(site.api_put(path, &etag, &spec).await.status, 200);
    site.server("s1", 1, "10.8.0.1").await;
    spec["insecure_join"] = false.into();
    assert_eq!(site.api_put(path, "*", &spec).await.status, 200);
    site.waits("s1", "not handed out over plain HTTP").await;
    let evidence = site.evidence("s1").await;
    assert!(evidence.join_wait.unwrap().why.contains("plain HTTP"));
    let shown = site.api_get("/api/v1/hosts/s1").await.json();
    assert_eq!(shown["diagnosis"]["cause"], "waiting-for-turn");
}

#[tokio::test]
async fn what_a_join_names_is_served_until_the_run_has_ended() {
    let site = TestApp::new().await;
    let mut spec = site.cluster_spec("prod");
    spec["manifests"] = json!({"vip.yaml": "apiVersion: v1\nkind: ConfigMap\n"});
    assert_eq!(site.api_post("/api/v1/clusters", &spec).await.status, 201);
    site.server("s1", 1, "10.8.0.1").await;
    let join = site.joins("s1").await;
    let paths: Vec<&str> = join["downloads"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["path"].as_str().unwrap())
        .collect();
    assert_eq!(
        paths,
        ["/usr/local/bin/k3s", "/var/lib/rancher/k3s/server/manifests/vip.yaml"]
    );
    let url = |at: usize| {
        join["downloads"][at]["url"]
            .as_str()
            .unwrap()
            .strip_prefix("http://config.test")
            .unwrap()
            .to_owned()
    };
    assert_eq!(site.get(&url(0)).await.body, K3S_BYTES);
    assert_eq!(site.get(&url(1)).await.text(), "apiVersion: v1\nkind: ConfigMap\n");
    assert_eq!(site.get(&url(0).replace("k3s", "other.yaml")).await.problem().0, 404);
    // A conf secret opens no join, nor a join secret a config.
    let id = site.state("s1").await.id;
    let conf = site.secret(Purpose::Conf, id, 1);
    assert_eq!(site.get(&format!("/join/{conf}/k3s")).await.problem().0, 404);
    site.is_ready("s1").await;
    assert_eq!(site.get(&url(0)).await.problem().0, 404);
}

#[tokio::test]
async fn a_join_waits_for_its_cluster_its_binary_and_refuses_a_network_that_does_not_fit() {
    let site = TestApp::new().await;
    site.cluster("prod").await;
    site.server("s1", 1, "10.8.0.1").await;
    std::fs::remove_file(site.path("assets/k3s/v1.34.1+k3s1/x86_64/k3s")).unwrap();
    site.waits("s1", "no file in the assets has the sha256").await;
    let added = format!(
        "/api/v1/assets/files/k3s-of-ours?sha256={}",
        site.cluster_spec("prod")["k3s"]["binaries"]["x86_64"]["sha256"]
            .as_str()
            .unwrap()
    );
    std::fs::remove_file(site.path("assets/k3s/v1.34.1+k3s1/x86_64/k3s")).unwrap();
    let added = site.admin_with(Method::PUT, &added, &[], K3S_BYTES).await;
    assert!(added.status.is_success(), "{}", added.text());
    let joins = site.joins("s1").await;
    let url = joins["downloads"][0]["url"]
        .as_str()
        .unwrap()
        .strip_prefix("http://config.test")
        .unwrap();
    assert_eq!(site.get(url).await.body, K3S_BYTES, "found by its hash");

    let site = TestApp::new().await;
    site.cluster("prod").await;
    site.server("s1", 1, "10.8.0.1").await;
    let spec = site.cluster_spec("prod");
    let mut on_vlan = spec.clone();
    on_vlan["vlan"] = 1234.into();
    let described = json!({"network": {"vlans": [{"id": 1234, "addresses": ["10.9.0.5/24"]}]}}).to_string();
    let any = [("if-match", "*")];
    let patched = site
        .admin_with(Method::PATCH, "/api/v1/hosts/s1", &any, described)
        .await;
    assert_eq!(patched.status, 200, "{}", patched.text());
    assert_eq!(site.api_put("/api/v1/clusters/prod", "*", &on_vlan).await.status, 200);
    // It was described on that VLAN after it was installed.
    let refused = site.join("s1").await;
    assert_eq!(refused.problem().0, 409);
    assert!(
        refused.json()["detail"]
            .as_str()
            .unwrap()
            .contains("no IPv4 address in VLAN 1234"),
        "{}",
        refused.text()
    );
    let mut dual = spec;
    dual["pod_cidrs"] = json!(["10.42.0.0/16", "fd00:42::/56"]);
    dual["service_cidrs"] = json!(["10.43.0.0/16", "fd00:43::/112"]);
    assert_eq!(site.api_put("/api/v1/clusters/prod", "*", &dual).await.status, 200);
    let refused = site.join("s1").await;
    assert!(
        refused.json()["detail"].as_str().unwrap().contains("no IPv6 address"),
        "{}",
        refused.text()
    );
}

#[tokio::test]
async fn a_hand_in_must_be_what_k3s_writes() {
    let site = TestApp::new().await;
    site.cluster("prod").await;
    site.server("s1", 1, "10.8.0.1").await;
    site.joins("s1").await;
    let (kubeconfig, ca) = handed_in("prod");
    let (other, _) = handed_in("other");
    let runs_a_program = kubeconfig.replace(
        "\"client-certificate-data\"",
        "\"exec\":{\"command\":\"/bin/true\",\"apiVersion\":\"client.authentication.k8s.io/v1\"},\"x\"",
    );
    for (kubeconfig, ca, field) in [
        ("apiVersion: v1\nkind: Config\n", ca.as_str(), "kubeconfig"),
        (runs_a_program.as_str(), &ca, "kubeconfig"),
        (&other, &ca, "ca_sha256"),
        (&kubeconfig, "c0ffee", "ca_sha256"),
    ] {
        let (status, _, at) = site.hands_in("s1", kubeconfig, ca).await.problem();
        assert_eq!((status, at.as_str()), (422, field));
    }
    assert_eq!(site.hands_in("s1", &kubeconfig, &ca).await.status, 200);
}
