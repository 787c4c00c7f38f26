//! The real Ignition fetches its config over HTTPS with the server's own CA, and the scripts that it
//! writes report with curl under the same CA. Needs root: `tests/run ignition`.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use thirdboot_tests::Site;
use thirdboot_tests::assets::Images;
use thirdboot_tests::host::{LiveSystem, ignition::Config};
use thirdboot_tests::ignition::{self, Tree};

/// A server that takes nothing of hosts over plain HTTP.
async fn over_https() -> Result<Site> {
    let arguments = ["--boot-tls-listen", "127.0.0.1:0", "--require-tls", "true"];
    let arguments = [["--address-source", "127.0.0.0/8"].as_slice(), &arguments].concat();
    Site::with(&Images::sample(), &arguments).await
}

async fn live(site: &Site) -> Result<LiveSystem> {
    site.armed(1, "r1", "runner").await?.boot_live().await
}

/// The pointer, with another CA in it.
fn trusting(pointer: &[u8], ca: Value) -> Result<Vec<u8>> {
    let mut pointer: Value = serde_json::from_slice(pointer)?;
    *pointer
        .pointer_mut("/ignition/security/tls/certificateAuthorities/0/source")
        .context("the pointer names no CA")? = ca;
    // One try: Ignition asks for ever otherwise.
    pointer["ignition"]["timeouts"] = json!({"httpResponseHeaders": 5, "httpTotal": 5});
    Ok(serde_json::to_vec(&pointer)?)
}

#[tokio::test]
async fn ignition_fetches_the_live_config_with_the_ca_of_the_pointer() -> Result<()> {
    let site = over_https().await?;
    let live = live(&site).await?;
    assert!(live.config_url.starts_with("https://"));
    ignition::validate("pointer.ign", &live.pointer).await?;
    let tree = ignition::apply(&live.pointer).await?;
    let environment = tree.file("/etc/thirdboot/reporter.env")?;
    assert!(
        environment.text.contains("THIRDBOOT_URL=https://"),
        "{}",
        environment.text
    );
    assert_eq!(
        tree.file("/etc/thirdboot/ca.pem")?.text.as_bytes(),
        Config::read(&live.pointer)?.authorities()?
    );
    Ok(())
}

#[tokio::test]
async fn ignition_refuses_a_server_that_another_ca_vouches_for() -> Result<()> {
    let (site, other) = (over_https().await?, over_https().await?);
    let (live, foreign) = (live(&site).await?, live(&other).await?);
    let foreign: Value = serde_json::from_slice(&foreign.pointer)?;
    let foreign = foreign["ignition"]["security"]["tls"]["certificateAuthorities"][0]["source"].clone();
    let refused = ignition::apply(&trusting(&live.pointer, foreign)?).await;
    let error = refused.err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("certificate signed by unknown authority"), "{error}");
    Ok(())
}

/// What the machine's own reporter does with a report of the live system; its exit code and what it says.
fn reports(tree: &Tree) -> Result<(bool, String)> {
    let root = tree.path("/");
    let boot_id = root.join("proc/sys/kernel/random");
    fs::create_dir_all(&boot_id)?;
    fs::write(boot_id.join("boot_id"), "11111111-2222-4333-8444-555555555555\n")?;
    let run = Command::new("bash")
        .arg(tree.path("/usr/local/bin/thirdboot-report"))
        .args(["live", "--for", "1"])
        .env("THIRDBOOT_ROOT", &root)
        .env("THIRDBOOT_PAUSE", "0.01")
        .output()?;
    let sent = Command::new("bash")
        .arg(tree.path("/usr/local/bin/thirdboot-report"))
        .args(["--send", "--for", "1"])
        .env("THIRDBOOT_ROOT", &root)
        .env("THIRDBOOT_PAUSE", "0.01")
        .output()?;
    let said = String::from_utf8_lossy(&run.stderr) + String::from_utf8_lossy(&sent.stderr);
    Ok((sent.status.success(), said.into_owned()))
}

#[tokio::test]
async fn the_reporter_pins_the_ca_and_takes_no_other() -> Result<()> {
    let (site, other) = (over_https().await?, over_https().await?);
    let live = live(&site).await?;
    let tree = ignition::apply(&live.pointer).await?;
    let ca = tree.path("/etc/thirdboot/ca.pem");
    let own = fs::read(&ca)?;
    fs::copy(other.server.settings.data_dir.join("tls/ca.pem"), &ca)?;
    let (was_sent, said) = reports(&tree)?;
    assert!(!was_sent && said.contains("certificate"), "{said}");
    assert_eq!(site.admin.stage("r1").await?, "netbooting");
    fs::write(&ca, own)?;
    let (was_sent, said) = reports(&tree)?;
    assert!(was_sent, "{said}");
    assert_eq!(site.admin.stage("r1").await?, "live");
    Ok(())
}
