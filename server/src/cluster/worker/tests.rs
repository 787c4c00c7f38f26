//! The worker against a strict stand-in for the API: TLS, and a certificate is asked for.

use serde_json::json;
use thirdboot_lifecycle::{Api, NodeWord, ReadyBy, Stage};

use super::super::fake::FakeCluster;
use super::*;
use crate::secrets::Purpose;
use crate::testing::{BOOT_ID, TestApp};

/// A cluster of a ready server on loopback, known by its kubeconfig, and a further host that asks.
struct Prod {
    site: TestApp,
    fake: FakeCluster,
    prober: Prober,
}

impl Prod {
    async fn new() -> Self {
        let site = TestApp::sighted().await;
        let fake = FakeCluster::start("prod").await;
        site.cluster("prod").await;
        site.server("s1", 1, "127.0.0.1").await;
        let prober = Prober::new(fake.address.port()).unwrap();
        let prod = Self { site, fake, prober };
        prod.round().await;
        prod.site.begin("s1", &prod.fake.kubeconfig, &prod.fake.ca_sha256).await;
        prod.fake.node("s1", BOOT_ID, "True");
        prod.round().await;
        assert_eq!(prod.site.state("s1").await.run.unwrap().stage, Stage::Ready);
        prod
    }

    async fn round(&self) {
        round(&self.site.app, &self.prober, self.fake.address.port()).await;
    }

    async fn asks(&self, name: &str) -> crate::testing::Reply {
        self.site.join(name).await
    }
}

#[tokio::test]
async fn a_node_is_ready_when_the_api_says_so() {
    let prod = Prod::new().await;
    let ready = prod.site.state("s1").await.run.unwrap();
    assert_eq!(ready.evidence.ready_by, Some(ReadyBy::Api));
    prod.site.agent("a1", 2, "127.0.0.2").await;
    prod.round().await;
    let join = prod.asks("a1").await;
    assert_eq!(join.status, 200, "{}", join.text());
    assert!(
        join.json()["config"]
            .as_str()
            .unwrap()
            .contains("https://127.0.0.1:6443")
    );

    // Of another boot, then not Ready: the host's own word does not do.
    let id = prod.site.state("a1").await.id;
    for (seq, boot_id, ready) in [
        (10, "3f2a0000-0000-4000-8000-0000000000ff", "True"),
        (11, BOOT_ID, "False"),
    ] {
        prod.fake.node("a1", boot_id, ready);
        prod.round().await;
        assert_eq!(
            prod.site.tell(id, Purpose::Host, seq, "ready", json!({})).await,
            "joining"
        );
    }
    assert_eq!(
        prod.site.tell(id, Purpose::Host, 20, "ready", json!({})).await,
        "joining"
    );
    let seen = prod.site.state("a1").await.run.unwrap().evidence.node.unwrap();
    assert_eq!(
        seen.word,
        NodeWord::NotReady {
            why: "kubelet says False".into()
        }
    );
    prod.fake.node("a1", BOOT_ID, "True");
    prod.round().await;
    assert_eq!(prod.site.state("a1").await.run.unwrap().stage, Stage::Ready);
    let shown = prod.site.api_get("/api/v1/clusters/prod").await.json();
    assert_eq!(
        (&shown["api"]["state"], &shown["api"]["answering"]),
        (&json!("reachable"), &json!(["s1"]))
    );
    assert_eq!(shown["members"][0]["node_ready"], true);
}

#[tokio::test]
async fn what_an_earlier_installation_left_is_removed_before_the_join() {
    let prod = Prod::new().await;
    prod.site.agent("a1", 2, "127.0.0.2").await;
    prod.fake.node("a1", "3f2a0000-0000-4000-8000-0000000000ff", "True");
    prod.fake.password("a1");
    prod.fake.hold("a1", 1);
    let waits = prod.asks("a1").await;
    assert!(
        waits.json()["detail"]
            .as_str()
            .unwrap()
            .contains("removing what an earlier installation"),
        "{}",
        waits.text()
    );
    // Its finalizer holds it for a round.
    prod.round().await;
    assert!(prod.fake.has_node("a1") && prod.fake.has_password("a1"));
    prod.round().await;
    assert!(!prod.fake.has_node("a1") && !prod.fake.has_password("a1"));
    assert_eq!(prod.asks("a1").await.status, 200);

    // The new node is never touched, whatever the round believes.
    prod.fake.node("a1", BOOT_ID, "False");
    prod.fake.password("a1");
    prod.round().await;
    assert!(prod.fake.has_node("a1") && prod.fake.has_password("a1"));
    let deletions = prod
        .fake
        .calls()
        .iter()
        .filter(|call| call.starts_with("delete node"))
        .count();
    assert_eq!(deletions, 2, "{:?}", prod.fake.calls());
}

#[tokio::test]
async fn where_the_api_is_silent_the_hosts_own_word_counts() {
    let mut prod = Prod::new().await;
    prod.site.agent("a1", 2, "127.0.0.2").await;
    prod.round().await;
    assert_eq!(prod.asks("a1").await.status, 200);
    prod.round().await;
    let id = prod.site.state("a1").await.id;
    assert_eq!(
        prod.site.tell(id, Purpose::Host, 20, "ready", json!({})).await,
        "joining",
        "the API knows no such node"
    );
    prod.fake.stop().await;
    prod.round().await;
    assert_eq!(prod.site.tell(id, Purpose::Host, 21, "ready", json!({})).await, "ready");
    assert_eq!(
        prod.site.state("a1").await.run.unwrap().evidence.ready_by,
        Some(ReadyBy::OwnWord)
    );
    let shown = prod.site.api_get("/api/v1/clusters/prod").await.json();
    assert_eq!(shown["api"]["state"], "unreachable");
}

#[tokio::test]
async fn another_clusters_credentials_are_refused() {
    let prod = Prod::new().await;
    let other = FakeCluster::start("other").await;
    let theirs = Access::read(&other.kubeconfig).unwrap();
    let (address, port) = (prod.fake.address.ip(), prod.fake.address.port());
    // Its CA is not this one's: nothing is sent.
    let refused = Nodes::at(address, port, &theirs).unwrap().list().await.unwrap_err();
    assert!(matches!(refused, Trouble::Api(_)), "{refused}");
    // The right CA, and somebody else's certificate.
    let ours = Access::read(&prod.fake.kubeconfig).unwrap();
    let mixed = Access {
        ca: ours.ca.clone(),
        certificate: theirs.certificate.clone(),
        key: theirs.key.clone(),
    };
    let refused = Nodes::at(address, port, &mixed).unwrap().list().await.unwrap_err();
    assert!(matches!(refused, Trouble::Api(_)), "{refused}");
    assert!(Nodes::at(address, port, &ours).unwrap().list().await.is_ok());
}

#[tokio::test]
async fn nobody_begins_while_a_server_that_is_not_known_to_run_answers() {
    let site = TestApp::sighted().await;
    let fake = FakeCluster::start("prod").await;
    let prober = Prober::new(fake.address.port()).unwrap();
    site.cluster("prod").await;
    site.server("s1", 1, "127.0.0.1").await;
    site.server("s2", 2, "127.0.0.9").await;
    let waits = site.join("s2").await;
    assert!(
        waits.json()["detail"].as_str().unwrap().contains("looking whether"),
        "{}",
        waits.text()
    );
    round(&site.app, &prober, fake.address.port()).await;
    let waits = site.join("s2").await;
    assert!(
        waits.json()["detail"]
            .as_str()
            .unwrap()
            .contains("s1 answers on port 6443"),
        "{}",
        waits.text()
    );
    let sight = site
        .app
        .clusters
        .sight(&"prod".parse().unwrap(), &holder_of(&site, "s2").await);
    assert_eq!(
        (sight.api, sight.others_answering),
        (Api::Unknown, vec!["s1".to_owned()])
    );
}

async fn holder_of(site: &TestApp, name: &str) -> thirdboot_lifecycle::Holder {
    let state = site.state(name).await;
    super::super::join::member(&state).unwrap().holder
}

/// It takes connections and says nothing, as a server does whose disk hangs.
#[tokio::test]
async fn a_server_that_hangs_is_not_the_only_one_that_is_asked() {
    let fake = FakeCluster::start("prod").await;
    fake.node("s2", BOOT_ID, "True");
    let port = fake.address.port();
    let _hangs = tokio::net::TcpListener::bind(("127.0.0.2", port)).await.unwrap();
    let server = |host, address: &str| Server {
        host,
        name: format!("s{host}"),
        addresses: vec![address.parse().unwrap()],
    };
    let seen = Seen {
        answering: [1, 2].into(),
        ..Seen::default()
    };
    let access = Access::read(&fake.kubeconfig).unwrap();
    let servers = [server(1, "127.0.0.2"), server(2, "127.0.0.1")];
    let found = first_that_lists(port, &servers, &seen, &access).await;
    assert_eq!(
        found.map(|(_, nodes)| nodes.into_keys().collect::<Vec<_>>()),
        Ok(vec!["s2".to_owned()])
    );
}
