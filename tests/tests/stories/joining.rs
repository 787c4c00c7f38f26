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
