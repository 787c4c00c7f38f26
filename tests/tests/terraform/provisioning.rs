//! Waiting until a machine is really ready, and hearing why it is not.

use std::time::Duration;

use anyhow::{Result, ensure};
use thirdboot_simulator::Fault;
use thirdboot_tests::terraform::{Folder, simulated};
use thirdboot_tests::{Site, wait};

use crate::{says, says_not};

/// Outer bound of what takes a moment.
const LIMIT: Duration = Duration::from_secs(60);

fn config(macs: &[String], provision: &str) -> String {
    format!(
        "resource \"thirdboot_host\" \"a\" {{\n  name = \"a\"\n  macs = {macs:?}\n  role = \"runner\"\n}}\n\
         resource \"thirdboot_provision\" \"a\" {{\n  host = thirdboot_host.a.name\n{provision}}}\n"
    )
}

async fn stage_is(site: &Site, wanted: &str) -> Result<()> {
    wait::until(wanted, LIMIT, async || {
        let host = site.admin.host("a").await.unwrap_or_default();
        Ok((host["run"]["stage"] == wanted).then_some(()))
    })
    .await
}

#[tokio::test]
async fn an_apply_ends_when_the_machine_is_ready_and_provisions_again_when_told_so() -> Result<()> {
    let site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    let machine = simulated("a", 1);
    folder.write(&config(&machine.macs(), "  triggers = { image = \"1\" }\n"))?;
    let plan = folder.plan().await?;
    says!(
        plan,
        "a will be wiped and installed",
        "Wiped is the disk that the description of a names, or else"
    );
    let running = folder.start_apply()?;
    stage_is(&site, "armed").await?;
    let _fleet = machine.switched_on(&site)?;
    let said = running.ended().await?.succeeded()?;
    says!(said, "2 added");
    folder.plan_is_empty().await?;
    let state = folder.shown("thirdboot_provision.a").await?;
    ensure!(state["stage"] == "ready" && state["run"] == 1, "{state}");

    // The first install has pinned its disk: the plan knows which one is wiped.
    folder.write(&config(&machine.macs(), "  triggers = { image = \"2\" }\n"))?;
    let plan = folder.plan().await?;
    says!(
        plan,
        "will be updated in-place",
        "the disk D0000001 of a",
        "0 to add, 1 to change"
    );
    says_not!(plan, "thirdboot_host.a will");
    let running = folder.start_apply()?;
    stage_is(&site, "armed").await?;
    let _again = machine.switched_on(&site)?;
    running.ended().await?.succeeded()?;
    ensure!(
        folder.shown("thirdboot_provision.a").await?["run"] == 2,
        "it was not provisioned again"
    );
    folder.plan_is_empty().await?;

    // Destroying it leaves the machine alone.
    let host = config(&machine.macs(), "");
    folder.write(
        host.split("resource \"thirdboot_provision\"")
            .next()
            .unwrap_or_default(),
    )?;
    says!(folder.apply().await?, "1 destroyed");
    ensure!(site.admin.stage("a").await? == "ready", "the machine was touched");
    Ok(())
}

#[tokio::test]
async fn a_machine_that_fails_ends_the_apply_with_stage_cause_and_advice() -> Result<()> {
    let site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    let machine = simulated("a", 1).failing(Fault::DiskHoldsCeph);
    folder.write(&config(&machine.macs(), ""))?;
    let running = folder.start_apply()?;
    stage_is(&site, "armed").await?;
    let fleet = machine.switched_on(&site)?;
    let said = running.ended().await?.failed()?;
    fleet.stop().await;
    says!(
        said,
        "a failed while live",
        "Stage: live",
        "Cause: ",
        "ceph-bluestore",
        "Advice: ",
        "on main.tf line 7"
    );
    // It is in the state, and the next apply begins again; this time the disk may be wiped.
    ensure!(
        folder.state().await?.contains(&"thirdboot_provision.a".to_owned()),
        "it left the state"
    );
    let machine = simulated("a", 1);
    let running = folder.start_apply()?;
    stage_is(&site, "armed").await?;
    let _fleet = machine.switched_on(&site)?;
    running.ended().await?.succeeded()?;
    folder.plan_is_empty().await
}

#[tokio::test]
async fn a_machine_that_stalls_ends_the_apply_and_its_permit_still_counts() -> Result<()> {
    let site = Site::start().await?;
    let soon = serde_json::json!({"stages": {"armed": {"stall_s": 10, "give_up_s": null}}});
    site.admin.patch("/api/v1/settings/deadlines", &soon).await?;
    let folder = Folder::of(&site).await?;
    let machine = simulated("a", 1);
    folder.write(&config(&machine.macs(), ""))?;
    // Nobody switches it on.
    let said = folder.apply_fails().await?;
    says!(
        said,
        "a is stalled while armed",
        "Stage: armed",
        "Cause: never-asked",
        "nothing has asked for a script since",
        "Advice: check that the machine is powered",
        "The run goes on",
        "on main.tf line 7"
    );
    ensure!(site.admin.stage("a").await? == "armed", "its run was ended");
    // The next apply waits for the same run.
    folder.write(&config(&machine.macs(), "  on_stall = \"wait\"\n  timeout = \"1s\"\n"))?;
    let said = folder.apply_fails().await?;
    says!(
        said,
        "Run 1 of a was under way",
        "arms nothing",
        "a is not ready after 1 s"
    );
    // Somebody switches it on after all. Terraform calls what failed tainted, until it is told otherwise.
    let _fleet = machine.switched_on(&site)?;
    stage_is(&site, "ready").await?;
    says!(
        folder.plan().await?,
        "is tainted, so must be replaced",
        "a will be wiped and installed"
    );
    folder.run(&["untaint", "thirdboot_provision.a"]).await?.succeeded()?;
    folder.plan_is_empty().await?;
    let host = site.admin.host("a").await?;
    ensure!(host["run"]["number"] == 1, "it was armed again: {host}");
    Ok(())
}

#[tokio::test]
async fn time_that_is_over_ends_the_apply_with_where_it_is() -> Result<()> {
    let site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    folder.write(&config(&simulated("a", 1).macs(), "  timeout = \"1s\"\n"))?;
    let said = folder.apply_fails().await?;
    says!(said, "a is not ready after 1 s: it is armed", "The run goes on");
    Ok(())
}

#[tokio::test]
async fn a_ctrl_c_while_it_waits_keeps_everything_and_the_next_apply_goes_on() -> Result<()> {
    let site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    let machine = simulated("a", 1);
    folder.write(&config(&machine.macs(), ""))?;
    let running = folder.start_apply()?;
    stage_is(&site, "armed").await?;
    running.interrupt()?;
    // Its wait would take an hour.
    let done = tokio::time::timeout(LIMIT, running.ended()).await??;
    ensure!(done.code != Some(0), "an interrupted apply went well: {}", done.text);
    ensure!(
        folder.state().await? == ["thirdboot_host.a", "thirdboot_provision.a"],
        "{:?}",
        folder.state().await?
    );
    let plan = folder.plan().await?;
    says!(plan, "will be updated in-place");
    says_not!(plan, "will be wiped", "must be replaced");
    let _fleet = machine.switched_on(&site)?;
    folder.apply().await?;
    let state = folder.shown("thirdboot_provision.a").await?;
    ensure!(state["run"] == 1 && state["stage"] == "ready", "{state}");
    folder.plan_is_empty().await
}

#[tokio::test]
async fn a_server_that_restarts_meanwhile_ends_no_wait() -> Result<()> {
    let mut site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    let machine = simulated("a", 1);
    folder.write(&config(&machine.macs(), ""))?;
    let running = folder.start_apply()?;
    stage_is(&site, "armed").await?;
    site.server.kill().await?;
    site.server.start_again().await?;
    let _fleet = machine.switched_on(&site)?;
    running.ended().await?.succeeded()?;
    folder.plan_is_empty().await
}

#[tokio::test]
async fn a_machine_can_be_made_between_arming_and_waiting() -> Result<()> {
    let site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    let machine = simulated("a", 1);
    let both = config(&machine.macs(), "  wait_for = \"armed\"\n")
        + r#"
resource "terraform_data" "machine" {
  input      = thirdboot_host.a.boot_url
  depends_on = [thirdboot_provision.a]
}
resource "thirdboot_provision" "ready" {
  host       = thirdboot_host.a.name
  run        = thirdboot_provision.a.run
  depends_on = [terraform_data.machine]
}
"#;
    folder.write(&both)?;
    let running = folder.start_apply()?;
    stage_is(&site, "armed").await?;
    let _fleet = machine.switched_on(&site)?;
    says!(running.ended().await?.succeeded()?, "4 added");
    ensure!(
        folder.shown("thirdboot_provision.ready").await?["stage"] == "ready",
        "it did not wait"
    );
    folder.plan_is_empty().await
}

#[tokio::test]
async fn a_host_that_is_ready_is_imported_without_being_wiped() -> Result<()> {
    let site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    let machine = simulated("a", 1);
    folder.write(&config(&machine.macs(), ""))?;
    folder
        .run(&["apply", "-auto-approve", "-no-color", "-target", "thirdboot_host.a"])
        .await?
        .succeeded()?;
    site.admin.arm("a").await?;
    let _fleet = machine.switched_on(&site)?;
    stage_is(&site, "ready").await?;
    folder
        .run(&["import", "thirdboot_provision.a", "a"])
        .await?
        .succeeded()?;
    folder.plan_is_empty().await
}
