use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};
use thirdboot_store::{AccessRole, Token};

use crate::api::token_sha256;
use crate::cluster::handed_in;
use crate::testing::TestApp;

const PROD: &str = "/api/v1/clusters/prod";

async fn etag(site: &TestApp) -> String {
    site.api_get(PROD).await.json()["etag"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_cluster_is_added_shown_changed_and_removed() {
    let site = TestApp::new().await;
    let added = site.cluster("prod").await;
    let shown = site.api_get(PROD).await;
    assert_eq!(
        (shown.json(), shown.header("etag")),
        (added.clone(), added["etag"].as_str().unwrap())
    );
    assert_eq!(added["spec"]["pod_cidrs"], json!(["10.42.0.0/16"]));
    assert_eq!(
        added["init"],
        json!({"state": "open", "host": null, "run": null, "since": null, "ca_sha256": null})
    );
    let taken = site.api_post("/api/v1/clusters", &site.cluster_spec("prod")).await;
    assert_eq!(taken.problem(), (409, "already-taken".into(), "name".into()));

    let mut spec = site.cluster_spec("prod");
    spec["tls_san"] = json!(["k8s.example.net"]);
    let first = etag(&site).await;
    let changed = site.api_put(PROD, &first, &spec).await;
    assert_eq!(
        (changed.status.as_u16(), &changed.json()["spec"]["tls_san"][0]),
        (200, &json!("k8s.example.net"))
    );
    assert_eq!(
        site.api_put(PROD, &first, &spec).await.problem().1,
        "precondition-failed"
    );
    let bare = site
        .api_as(&site.token, Method::PUT, PROD, Body::from(spec.to_string()))
        .await;
    assert_eq!(bare.problem().0, 428);
    assert_eq!(
        site.api_get("/api/v1/clusters").await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );

    site.host_with("s1", 1, json!({"role": "server", "cluster": "prod"}))
        .await;
    let now = etag(&site).await;
    let refused = site.api_if_match(Method::DELETE, PROD, &now, Body::empty()).await;
    assert!(
        refused.json()["detail"].as_str().unwrap().contains("s1"),
        "{}",
        refused.text()
    );
    let site = TestApp::new().await;
    site.cluster("prod").await;
    let now = etag(&site).await;
    assert_eq!(
        site.api_if_match(Method::DELETE, PROD, &now, Body::empty())
            .await
            .status,
        204
    );
    assert_eq!(site.api_get(PROD).await.problem().0, 404);
}

#[tokio::test]
async fn what_cannot_be_a_cluster_is_422_and_names_the_field() {
    let site = TestApp::new().await;
    let cases: [(&str, Value, &str); 9] = [
        ("name", json!("Prod"), "name"),
        ("k3s", json!({"version": "1.34", "binaries": {}}), "k3s.version"),
        ("pod_cidrs", json!(["10.42.0.1/16"]), "pod_cidrs[0]"),
        ("pod_cidrs", json!(["x"]), "pod_cidrs[0]"),
        ("vlan", json!(1), "vlan"),
        ("flannel_backend", json!("none"), "flannel_backend"),
        (
            "server",
            json!({"labels": {"node-role.kubernetes.io/x": "y"}}),
            "server.labels",
        ),
        ("manifests", json!({"vip.yaml": "a: [b"}), "manifests.vip.yaml"),
        ("token", json!("secret"), "token"),
    ];
    for (name, value, field) in cases {
        let mut spec = site.cluster_spec("prod");
        spec[name] = value;
        let reply = site.api_post("/api/v1/clusters", &spec).await;
        let (status, kind, at) = reply.problem();
        assert_eq!((status, kind.as_str()), (422, "malformed"), "{}", reply.text());
        assert!(at.starts_with(field), "{at} is not {field}: {}", reply.text());
    }
    assert_eq!(site.api_get("/api/v1/clusters").await.json()["items"], json!([]));
}

#[tokio::test]
async fn what_servers_share_cannot_change_once_one_may_have_begun() {
    let site = TestApp::new().await;
    site.cluster("prod").await;
    let mut spec = site.cluster_spec("prod");
    spec["disable"] = json!(["traefik"]);
    assert_eq!(site.api_put(PROD, "*", &spec).await.status, 200);
    site.server("s1", 1, "10.8.0.1").await;
    site.joins("s1").await;
    spec["disable"] = json!([]);
    assert_eq!(
        site.api_put(PROD, "*", &spec).await.problem(),
        (409, "refused".into(), "disable".into())
    );
}

#[tokio::test]
async fn a_kubeconfig_is_an_admins_to_read_and_is_written_anew() {
    let site = TestApp::new().await;
    site.cluster("prod").await;
    let path = "/api/v1/clusters/prod/kubeconfig";
    assert_eq!(site.api_get(path).await.problem().0, 404);
    site.server("s1", 1, "10.8.0.1").await;
    let (kubeconfig, ca) = handed_in("prod");
    site.begin("s1", &kubeconfig, &ca).await;
    site.is_ready("s1").await;
    let read = site.api_get(path).await.json()["kubeconfig"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(read.contains("server: \"https://10.8.0.1:6443\""), "{read}");
    let again = json!({"kubeconfig": read});
    let put = site
        .api_as(&site.token, Method::PUT, path, Body::from(again.to_string()))
        .await;
    assert_eq!(put.status, 200, "what is given out is taken: {}", put.text());
    let (other, _) = handed_in("other");
    let other = json!({"kubeconfig": other}).to_string();
    assert_eq!(
        site.api_as(&site.token, Method::PUT, path, Body::from(other))
            .await
            .problem()
            .0,
        409
    );
    for (name, role) in [("eve", AccessRole::Viewer), ("otto", AccessRole::Operator)] {
        let token = Token {
            name: name.into(),
            role,
            sha256: token_sha256(name),
            created_at: site.app.store.now(),
        };
        site.app.store.add_token(token).await.unwrap();
        for (method, path) in [
            (Method::GET, path),
            (Method::POST, "/api/v1/clusters/prod/rotate-token"),
            (Method::POST, "/api/v1/clusters/prod/move-init"),
            (Method::DELETE, PROD),
        ] {
            assert_eq!(
                site.api_as(name, method, path, Body::from("{}")).await.problem().0,
                403,
                "{path}"
            );
        }
        assert_eq!(site.api_as(name, Method::GET, PROD, Body::empty()).await.status, 200);
    }
    assert!(!site.api_get(PROD).await.text().contains("client-key"));
}

#[tokio::test]
async fn tokens_change_in_two_steps_and_nobody_joins_between() {
    let site = TestApp::new().await;
    site.cluster("prod").await;
    let path = "/api/v1/clusters/prod/rotate-token";
    assert_eq!(
        site.api_post(path, &json!({})).await.json()["finished"],
        true,
        "nobody has the old ones"
    );
    site.server("s1", 1, "10.8.0.1").await;
    site.agent("a1", 2, "10.8.0.2").await;
    site.joins("s1").await;
    assert_eq!(
        site.api_post(path, &json!({})).await.problem().0,
        409,
        "s1 may be beginning with them"
    );
    let (kubeconfig, ca) = handed_in("prod");
    assert_eq!(site.hands_in("s1", &kubeconfig, &ca).await.status, 200);
    site.is_ready("s1").await;
    assert_eq!(site.api_post(path, &json!({"finish": true})).await.problem().0, 409);

    let begun = site.api_post(path, &json!({})).await.json();
    assert_eq!(begun["finished"], false);
    let audit = site.api_get("/api/v1/audit").await.json();
    let is_noted = |deed: &Value| deed["action"] == "rotate_token" && deed["target"] == "clusters/prod/rotate-token";
    assert!(audit["items"].as_array().unwrap().iter().any(is_noted), "{audit}");
    assert!(!audit.to_string().contains("tb_server_"), "{audit}");
    assert_eq!(site.api_post(path, &json!({})).await.json(), begun, "asked again");
    site.waits("a1", "--finish").await;
    assert_eq!(
        site.api_post(path, &json!({"finish": true})).await.json()["finished"],
        true
    );
    let config = site.joins("a1").await["config"].as_str().unwrap().to_owned();
    assert!(config.contains(begun["new_agent_token"].as_str().unwrap()), "{config}");
}

#[tokio::test]
async fn a_restored_database_begins_nothing_until_an_admin_says() {
    let site = TestApp::new().await;
    site.cluster("prod").await;
    site.server("s1", 1, "10.8.0.1").await;
    site.server("s2", 2, "10.8.0.2").await;
    let backup = site.backed_up().await;
    let site = backup.0;
    let (kubeconfig, ca) = handed_in("prod");
    site.begin("s1", &kubeconfig, &ca).await;
    let site = site.restored(&backup.1).await;
    assert_eq!(site.api_get(PROD).await.json()["init"]["state"], "in-doubt");
    site.waits("s2", "older copy").await;
    let body = json!({"kubeconfig": kubeconfig}).to_string();
    let put = site
        .api_as(
            &site.token,
            Method::PUT,
            "/api/v1/clusters/prod/kubeconfig",
            Body::from(body),
        )
        .await;
    assert_eq!(put.json()["init"]["ca_sha256"], ca);
    site.waits("s2", "none of its servers is ready").await;
}

#[tokio::test]
async fn a_cluster_whose_nodes_would_lack_their_selinux_policy_says_so() {
    let site = TestApp::new().await;
    let warnings = async || site.api_get(PROD).await.json()["warnings"].to_string();
    site.cluster("prod").await;
    let warned = warnings().await;
    assert!(
        warned.contains("every server layers k3s-selinux") && warned.contains("every agent layers k3s-selinux"),
        "{warned}"
    );
    let bare = json!({"packages": []}).to_string();
    let put = site
        .admin_with(Method::PUT, "/api/v1/roles/agent", &[("if-match", "*")], bare)
        .await;
    assert_eq!(put.status, 200, "{}", put.text());
    assert!(
        warnings().await.contains("not among the packages of every agent"),
        "{warned}"
    );
    let mut spec = site.cluster_spec("prod");
    spec["selinux"] = json!(false);
    assert_eq!(site.api_put(PROD, "*", &spec).await.status, 200);
    assert!(!warnings().await.contains("k3s-selinux"));
}
