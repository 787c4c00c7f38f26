//! No secret reaches a viewer, a log line or an error, whatever is asked for.

use axum::body::Body;
use axum::http::Method;
use serde_json::json;
use thirdboot_store::AccessRole;

use super::openapi;
use crate::cluster::{handed_in, open_tokens};
use crate::secrets::Purpose;
use crate::testing::{Logged, PASSWORD, Reply, TestApp};

/// A console's password, as a host's description holds it.
const CONSOLE_HASH: &str = "$6$salt$hashhashhashhash";

/// What stands for each parameter of a path, so that something is there to be read.
fn filled(path: &str) -> Vec<String> {
    let name = match path.split('/').nth(3) {
        Some("hosts") => "a1",
        Some("tokens") => "ci",
        Some("repositories") => "extra",
        Some("assets") => "k3s",
        Some("clusters") => "lab",
        Some("users") => "bob",
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

/// What was made: what can be recognised anywhere by its prefix, and what must be kept where it is.
struct Secrets {
    recognisable: Vec<String>,
    kept: Vec<String>,
}

/// A host that is armed, a cluster with its kubeconfig, a template, a token, a user, a stranger; and their secrets.
async fn made(site: &TestApp) -> Secrets {
    let set_up = std::fs::read_to_string(site.path("data/set-up-link")).unwrap();
    let set_up = set_up.trim().rsplit_once('/').unwrap().1.to_owned();
    site.cluster("lab").await;
    let more = json!({"role": "agent", "cluster": "lab", "console_password_hash": CONSOLE_HASH, "known_by": "key"});
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
    // Signs in, too.
    let session = site.signed_in(AccessRole::Operator).await.session();
    let bob = json!({"name": "bob", "role": "viewer"});
    assert_eq!(site.api_post("/api/v1/users", &bob).await.status, 201);
    let link = site.api_post("/api/v1/users/bob/link", &json!({})).await.json();
    let link = link["path"].as_str().unwrap().rsplit_once('/').unwrap().1.to_owned();
    for (secret, kind) in [(&set_up, "tb_setup_"), (&link, "tb_setup_"), (&session, "tb_page_")] {
        assert!(secret.starts_with(kind), "{secret} is no {kind}");
    }
    let (kubeconfig, _) = handed_in("lab");
    let body = json!({"kubeconfig": kubeconfig}).to_string();
    let handed = site
        .admin_with(Method::PUT, "/api/v1/clusters/lab/kubeconfig", &[], body)
        .await;
    assert_eq!(handed.status, 200, "{}", handed.text());
    let client_key =
        serde_json::from_str::<serde_json::Value>(&kubeconfig).unwrap()["users"][0]["user"]["client-key-data"]
            .as_str()
            .unwrap()
            .to_owned();
    let name = "lab".parse().unwrap();
    let cluster = site.app.store.cluster(&name).await.unwrap().unwrap();
    let tokens = open_tokens(&site.app.secrets, &name, &cluster.tokens).unwrap();
    let master_key = std::fs::read_to_string(site.path("data/master.key")).unwrap();
    let of_run = |purpose, run| site.secret(purpose, host, run);
    Secrets {
        recognisable: vec![
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
            tokens.server.clone(),
            tokens.agent.clone(),
            set_up,
            link,
            session,
        ],
        kept: vec![
            CONSOLE_HASH.to_owned(),
            "hashhash".to_owned(),
            PASSWORD.to_owned(),
            "$argon2".to_owned(),
            client_key,
            master_key.trim().to_owned(),
        ],
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
    let Secrets { recognisable, kept } = made(&site).await;
    let secrets = [recognisable.as_slice(), &kept].concat();
    let viewer = site.token_of("eve", AccessRole::Viewer).await;
    // What a machine says, with secrets in it.
    let host = site.state("a1").await.id;
    site.tell(host, Purpose::Live, 6, "live", json!({})).await;
    for (seq, secret) in (7..).zip(&recognisable) {
        let report = TestApp::report(seq, "note", &json!({"message": secret, "log": secret}));
        let heard = site.post("/v1/report", &recognisable[3], &report).await;
        assert_eq!(heard.status, 200, "{}", heard.text());
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
                has_none(&reply, &secrets, &target);
                asked += 1;
            }
        }
    }
    assert!(asked > 40, "{asked}");
    // What somebody typed is answered without the secrets that were in it.
    for secret in &recognisable {
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
