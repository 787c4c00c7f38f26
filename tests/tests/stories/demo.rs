//! What the README shows first.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use thirdboot_tests::server::binary;
use tokio::process::Command;
use tokio::time::timeout;

#[tokio::test]
async fn the_demo_ends_by_itself_with_every_host_where_it_was_meant_to_be() -> Result<()> {
    let mut demo = Command::new(binary::path().await?);
    demo.args(["demo", "--once"]).kill_on_drop(true);
    let ended = timeout(Duration::from_secs(300), demo.output())
        .await
        .context("no end")??;
    let told = String::from_utf8_lossy(&ended.stdout) + String::from_utf8_lossy(&ended.stderr);
    ensure!(ended.status.success(), "{told}");
    let hosts = told.lines().filter(|line| line.starts_with("ok ")).count();
    ensure!(hosts >= 10, "a line a host: {told}");
    Ok(())
}
