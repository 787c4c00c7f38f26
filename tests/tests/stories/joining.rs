//! The join: asked for on the third boot, by those who have one, while there is one.

use anyhow::Result;
use reqwest::StatusCode;
use serde_json::{Value, json};
use thirdboot_tests::Site;
use thirdboot_tests::host::Event;

#[tokio::test]
async fn a_join_waits_for_a_proven_network() -> Result<()> {
    let site = Site::start().await?;
    let mut machine = site.armed(1, "a1", "agent").await?;
    machine.boot_live().await?.install(&mut machine).await?;
    let mut first = machine.boot_disk().await?;
    first.reporter.tell(first.event("first-boot")).await?;
    assert_eq!(first.join().await?.status, StatusCode::CONFLICT);
    assert_eq!(site.admin.stage("a1").await?, "first-boot");
    Ok(())
}

#[tokio::test]
async fn a_join_can_be_read_again_until_the_node_is_ready() -> Result<()> {
    let site = Site::start().await?;
    let mut machine = site.armed(1, "a1", "agent").await?;
    machine.boot_live().await?.install(&mut machine).await?;
    machine.boot_disk().await?.layer(&mut machine).await?;
    let mut third = machine.boot_disk().await?;
    third.reporter.tell(third.event("layered-boot")).await?;
    third.reporter.tell(third.network()).await?;

    let (once, again) = (third.join_granted().await?, third.join_granted().await?);
    assert_eq!(once, again);
    assert_eq!(once["node_name"], "a1");
    assert_eq!(site.admin.stage("a1").await?, "joining");
    third.reporter.tell(Event::new("ready")).await?;
    assert_eq!(third.join().await?.status, StatusCode::CONFLICT);
    Ok(())
}

#[tokio::test]
async fn a_runner_has_nothing_to_join() -> Result<()> {
    let site = Site::start().await?;
    let mut machine = site.armed(1, "r1", "runner").await?;
    machine.boot_live().await?.install(&mut machine).await?;
    machine.boot_disk().await?.layer(&mut machine).await?;
    let mut third = machine.boot_disk().await?;
    third.reporter.tell(third.event("layered-boot")).await?;
    third.reporter.tell(third.network()).await?;
    assert_eq!(third.join().await?.status, StatusCode::CONFLICT);
    Ok(())
}

#[tokio::test]
async fn only_the_holder_of_the_init_grant_hands_in_a_cluster() -> Result<()> {
    let site = Site::start().await?;
    let mut machine = site.armed(1, "a1", "agent").await?;
    machine.provision(true).await?;
    let host = machine.boot_disk().await?;
    let body = json!({"run": 1, "boot_id": host.reporter.boot_id, "kubeconfig": "apiVersion: v1\n",
        "ca_sha256": "c0".repeat(32)});
    let answer = host.reporter.post("/v1/cluster", &body).await?;
    assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.text());
    let problem: Value = serde_json::from_slice(&answer.body)?;
    assert!(problem["detail"].is_string());
    Ok(())
}

/// From power-on to asking for its join.
async fn asking(machine: &mut thirdboot_tests::host::Machine) -> Result<thirdboot_tests::host::InstalledSystem> {
    machine.boot_live().await?.install(machine).await?;
    machine.boot_disk().await?.layer(machine).await?;
    let mut third = machine.boot_disk().await?;
    third.reporter.tell(third.event("layered-boot")).await?;
    third.reporter.tell(third.network()).await?;
    Ok(third)
}

fn detail(answer: &thirdboot_tests::host::fetch::Fetched) -> String {
    let problem: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    problem["detail"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_cluster_forms_over_a_kill_of_the_server() -> Result<()> {
    let mut site = Site::start().await?;
    site.cluster("prod").await?;
    let mut racked = Vec::new();
    for (n, name, role) in [
        (1, "s1", "server"),
        (2, "s2", "server"),
        (3, "s3", "server"),
        (4, "a1", "agent"),
    ] {
        racked.push(site.member(n, name, role, "prod").await?);
    }
    let mut hosts = Vec::new();
    for machine in &mut racked {
        hosts.push(asking(machine).await?);
    }
    let [s1, s2, s3, a1] = hosts.as_mut_slice() else {
        anyhow::bail!("not four hosts")
    };
    let waits = a1.join().await?;
    assert_eq!(waits.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(detail(&waits).contains("no server has begun"), "{}", waits.text());
    let first = s1.join_granted().await?;
    assert_eq!(first["kind"], "init");
    let files = s1.download(&first).await?;
    assert_eq!(files.len(), 2, "binary and manifest");
    site.server.kill().await?;
    site.server.start_again().await?;
    assert_eq!(s1.join_granted().await?, first, "kept over a kill");
    assert!(detail(&s2.join().await?).contains("s1 begins prod"));
    s1.reporter.tell(Event::new("joining")).await?;
    s1.hand_in_cluster().await?;
    assert!(s1.hand_in_cluster().await.is_err(), "once");
    s1.reporter.tell(Event::new("ready")).await?;

    let second = s2.join_granted().await?;
    assert_eq!(second["kind"], "join");
    assert!(detail(&s3.join().await?).contains("s2 joins prod"));
    let agent = a1.join_granted().await?;
    let token = |grant: &Value, key: &str| {
        let config = grant["config"].as_str().unwrap_or_default();
        let line = config.lines().find(|line| line.starts_with(key)).unwrap_or_default();
        line.split('"').nth(1).unwrap_or_default().to_owned()
    };
    let server_token = token(&first, "token:");
    assert!(server_token.len() > 40, "{server_token}");
    assert!(token(&second, "token:").starts_with("K10") && token(&second, "token:").ends_with(&server_token));
    assert!(!agent["config"].as_str().unwrap_or_default().contains(&server_token));
    for (host, name) in [(s2, "s2"), (a1, "a1")] {
        host.reporter.tell(Event::new("joining")).await?;
        host.reporter.tell(Event::new("ready")).await?;
        assert_eq!(site.admin.stage(name).await?, "ready");
    }
    assert_eq!(s3.join_granted().await?["kind"], "join");
    let shown = site.admin.cluster("prod").await?;
    assert_eq!(shown["init"]["host"], "s1");
    assert!(!shown.to_string().contains(&server_token));
    Ok(())
}

#[tokio::test]
async fn a_host_whose_cluster_is_not_described_is_not_armed() -> Result<()> {
    let site = Site::start().await?;
    let refused = site.member(1, "s1", "server", "nowhere").await.unwrap_err().to_string();
    assert!(refused.contains("there is no cluster nowhere"), "{refused}");
    Ok(())
}
