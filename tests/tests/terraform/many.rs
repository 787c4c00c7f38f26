//! Two hundred hosts in one apply. How long it takes is measured by tests/bench/terraform.sh.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use thirdboot_tests::Site;
use thirdboot_tests::terraform::Folder;

use crate::says;

/// How many, unless the bench says otherwise.
const MANY: usize = 200;

/// Fewer are the bench's alone: nothing else makes the story smaller.
fn many() -> Result<usize> {
    let Ok(text) = std::env::var("THIRDBOOT_BENCH_HOSTS") else {
        return Ok(MANY);
    };
    let count = text
        .parse()
        .with_context(|| format!("THIRDBOOT_BENCH_HOSTS={text:?}: expected a number"))?;
    let is_bench = std::env::var("THIRDBOOT_BENCH").is_ok_and(|bench| bench == "terraform");
    ensure!(
        count >= MANY || is_bench,
        "THIRDBOOT_BENCH_HOSTS={text}: expected {MANY} or more, fewer only by tests/bench/terraform.sh"
    );
    Ok(count)
}

#[tokio::test]
async fn two_hundred_hosts_are_applied_planned_and_destroyed() -> Result<()> {
    let site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    let count = many()?;
    let each = r#"
  name = "node-${count.index}"
  macs = [format("52:54:00:00:%02x:%02x", floor(count.index / 256), count.index % 256)]
  role = "runner"
}
"#;
    folder.write(&format!(
        "resource \"thirdboot_host\" \"many\" {{\n  count = {count}{each}"
    ))?;
    let mut seconds = Vec::new();
    let start = Instant::now();
    says!(folder.apply().await?, &format!("{count} added"));
    seconds.push(("apply", start.elapsed()));
    let start = Instant::now();
    folder.plan_is_empty().await?;
    seconds.push(("empty plan", start.elapsed()));
    let start = Instant::now();
    says!(folder.destroy().await?, &format!("{count} destroyed"));
    seconds.push(("destroy", start.elapsed()));
    for (what, took) in seconds {
        println!("{count} hosts, {what}: {:.1} s", took.as_secs_f64());
    }
    ensure!(folder.state().await?.is_empty(), "something is left");
    Ok(())
}

/// What Terraform takes by itself: the same with resources that ask nobody.
#[tokio::test]
async fn two_hundred_resources_of_terraforms_own() -> Result<()> {
    let folder = Folder::new().await?;
    let count = many()?;
    let each = "  input = \"node-${count.index}\"\n}\n";
    folder.write(&format!(
        "resource \"terraform_data\" \"many\" {{\n  count = {count}\n{each}"
    ))?;
    let start = Instant::now();
    says!(folder.apply().await?, &format!("{count} added"));
    println!(
        "{count} of terraform_data, apply: {:.1} s",
        start.elapsed().as_secs_f64()
    );
    Ok(())
}
