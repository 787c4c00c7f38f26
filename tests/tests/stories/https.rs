//! Scripts in the open, everything else over HTTPS with the server's own CA.

use anyhow::{Context, Result};
use serde_json::json;
use thirdboot_tests::assets::Images;
use thirdboot_tests::host::{fetch, ignition};
use thirdboot_tests::{Site, secrets};

/// A server whose hosts must speak HTTPS.
async fn over_https() -> Result<Site> {
    let arguments = ["--boot-tls-listen", "127.0.0.1:0", "--require-tls", "true"];
    let arguments = [["--address-source", "127.0.0.0/8"].as_slice(), &arguments].concat();
    Site::with(&Images::sample(), &arguments).await
}

#[tokio::test]
async fn a_host_becomes_ready_and_says_nothing_in_the_open() -> Result<()> {
    let site = over_https().await?;
    let mut machine = site.armed(1, "r1", "runner").await?;
    let live = machine.boot_live().await?;
    assert!(live.config_url.starts_with("https://"), "{}", live.config_url);
    assert!(live.reporter.identity.url.starts_with("https://"));
    machine.provision(false).await?;
    assert_eq!(site.admin.stage("r1").await?, "ready");
    Ok(())
}

#[tokio::test]
async fn a_script_in_the_open_gives_away_the_pointer_and_no_config() -> Result<()> {
    let site = over_https().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    let live = machine.boot_live().await?;
    let path = live.config_url.find("/ignition/").context("no path")?;
    let in_the_open = format!("{}{}", site.server.endpoints.boot, &live.config_url[path..]);
    let refused = fetch::get(machine.client(), &in_the_open).await?;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(secrets::found_in(&refused.text()).is_empty());
    Ok(())
}

#[tokio::test]
async fn another_servers_ca_vouches_for_nothing() -> Result<()> {
    let (site, other) = (over_https().await?, over_https().await?);
    let live = site.armed(1, "r1", "runner").await?.boot_live().await?;
    let foreign = other.armed(1, "r1", "runner").await?.boot_live().await?;
    let foreign = ignition::Config::read(&foreign.pointer)?.authorities()?;
    let report = json!({"run": 1, "boot_id": live.reporter.boot_id, "seq": 1, "event": "live"});
    let url = format!("{}/v1/report", live.reporter.identity.url);
    let refused = fetch::client_trusting(&foreign)?.post(&url).json(&report).send().await;
    assert!(refused.is_err(), "a stranger passes for the server");
    Ok(())
}
