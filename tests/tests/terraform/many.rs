//! Two hundred hosts in one apply. How long it takes is measured by tests/bench/terraform.sh.

use std::time::Instant;

use anyhow::{Result, ensure};
use thirdboot_tests::Site;
use thirdboot_tests::terraform::Folder;

use crate::says;

#[tokio::test]
async fn two_hundred_hosts_are_applied_planned_and_destroyed() -> Result<()> {
    let site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    folder.write(
        r#"
resource "thirdboot_host" "many" {
  count = 200
  name  = "node-${count.index}"
  macs  = [format("52:54:00:00:%02x:%02x", floor(count.index / 256), count.index % 256)]
  role  = "runner"
}
"#,
    )?;
    let mut seconds = Vec::new();
    let start = Instant::now();
    says!(folder.apply().await?, "200 added");
    seconds.push(("apply", start.elapsed()));
    let start = Instant::now();
    folder.plan_is_empty().await?;
    seconds.push(("empty plan", start.elapsed()));
    let start = Instant::now();
    says!(folder.destroy().await?, "200 destroyed");
    seconds.push(("destroy", start.elapsed()));
    for (what, took) in seconds {
        println!("200 hosts, {what}: {:.1} s", took.as_secs_f64());
    }
    ensure!(folder.state().await?.is_empty(), "something is left");
    Ok(())
}

/// What Terraform takes by itself: the same with resources that ask nobody.
#[tokio::test]
async fn two_hundred_resources_of_terraforms_own() -> Result<()> {
    let folder = Folder::new().await?;
    folder.write("resource \"terraform_data\" \"many\" {\n  count = 200\n  input = \"node-${count.index}\"\n}\n")?;
    let start = Instant::now();
    says!(folder.apply().await?, "200 added");
    println!("200 of terraform_data, apply: {:.1} s", start.elapsed().as_secs_f64());
    Ok(())
}
