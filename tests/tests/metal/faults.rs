//! What goes wrong on the way: power, the server, the cable.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use thirdboot_tests::metal::rig::STAGES;
use thirdboot_tests::metal::{Machine, Rig, cluster};
use tokio::time::sleep;

/// How long a server or a cable is gone.
const GONE: Duration = Duration::from_secs(20);

/// The stages that a machine goes through with its power on: a fault finds it in each.
fn stages() -> impl Iterator<Item = &'static str> {
    STAGES.into_iter().filter(|stage| !["armed", "ready"].contains(stage))
}

/// Those during which the rootfs is not on its way: an outage then is a story of its own.
fn stages_after_the_rootfs() -> impl Iterator<Item = &'static str> {
    stages().filter(|stage| *stage != "netbooting")
}

/// A report is named by boot and number: none is recorded twice, and of those that say a milestone none is missing.
async fn no_report_was_lost_or_doubled(rig: &Rig) -> Result<()> {
    let events = rig.admin.events("m1").await?;
    let mut named = BTreeSet::new();
    for event in events.iter().filter(|event| !event["seq"].is_null()) {
        let name = (event["boot_id"].to_string(), event["seq"].to_string());
        assert!(named.insert(name), "twice: {event}");
    }
    let said: BTreeSet<_> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    for milestone in [
        "live",
        "installed",
        "first-boot",
        "layering",
        "layered",
        "layered-boot",
        "network",
        "joining",
        "ready",
    ] {
        assert!(said.contains(milestone), "no {milestone} in {said:?}");
    }
    Ok(())
}

/// How often the disk was allowed to be written, by one permit.
async fn attempts(rig: &Rig) -> Result<Value> {
    let run = rig.admin.host("m1").await?["run"].clone();
    assert_eq!(run["number"], 1, "another permit was needed");
    Ok(run["attempt"].clone())
}

#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn a_power_cut_in_every_stage_ends_in_ready_and_a_ready_machine_is_sent_to_its_disk() -> Result<()> {
    let rig = Rig::for_story("faults-power").await?;
    let (machine, _switch) = cluster::first_server(&rig).await?;
    for stage in stages() {
        let powered = machine.power_on()?;
        rig.find_in(&powered, "m1", stage).await?;
        powered.pull_the_plug().await?;
        if stage == "installed" {
            // What Ignition made is on the disk, and its boot does not count as complete: it runs once more. A cut before
            // may find users half made, with which no second run comes to its end (docs/metal.md).
            let powered = machine.power_on()?;
            let local = rig.hear(&powered, 0, "Thirdboot boots the local disk").await?;
            rig.hear(&powered, local, "Finished thirdboot-sync.service").await?;
            powered.pull_the_plug().await?;
        }
    }
    let powered = machine.power_on()?;
    rig.reach(&powered, "m1", "ready").await?;
    powered.pull_the_plug().await?;
    is_sent_to_its_disk(&rig, &machine).await?;
    no_report_was_lost_or_doubled(&rig).await?;
    assert_eq!(
        attempts(&rig).await?,
        2,
        "the write that was cut off is claimed once more, and no other"
    );
    Ok(())
}

/// A ready machine comes up again by the network: it boots what is on its disk, and nobody else writes to it.
async fn is_sent_to_its_disk(rig: &Rig, machine: &Machine) -> Result<()> {
    let before = machine.disks[0].head()?;
    let told = rig.admin.events("m1").await?.len();
    let powered = machine.power_on()?;
    rig.hear(&powered, 0, "Thirdboot boots the local disk").await?;
    let booted = rig
        .watch(&powered, "the boot of a ready machine", async || {
            let events = rig.admin.events("m1").await?;
            Ok(events.into_iter().skip(told).find(|event| event["event"] == "booted"))
        })
        .await;
    rig.off(powered).await?;
    booted?["boot_id"].as_str().context("no boot_id")?;
    assert_eq!(machine.disks[0].head()?, before, "its first megabytes changed");
    let run = rig.admin.host("m1").await?["run"].clone();
    assert_eq!((&run["number"], &run["stage"]), (&json!(1), &json!("ready")));
    Ok(())
}

#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn a_server_that_is_gone_for_twenty_seconds_in_every_stage_is_waited_for() -> Result<()> {
    let mut rig = Rig::for_story("faults-server").await?;
    let (machine, _switch) = cluster::first_server(&rig).await?;
    let powered = machine.power_on()?;
    // While iPXE asks for what to load.
    rig.hear(&powered, 0, "bytes [script]").await?;
    rig.server.kill().await?;
    sleep(GONE).await;
    rig.server.start_again().await?;
    for stage in stages_after_the_rootfs() {
        rig.find_in(&powered, "m1", stage).await?;
        rig.server.kill().await?;
        sleep(GONE).await;
        rig.server.start_again().await?;
    }
    let ready = rig.reach(&powered, "m1", "ready").await;
    rig.off(powered).await?;
    ready?;
    assert_eq!(attempts(&rig).await?, 1, "it was written twice");
    no_report_was_lost_or_doubled(&rig).await
}

#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn a_cable_that_is_out_for_twenty_seconds_in_every_stage_after_netbooting_loses_no_report() -> Result<()> {
    let rig = Rig::for_story("faults-cable").await?;
    let (machine, _switch) = cluster::first_server(&rig).await?;
    let powered = machine.power_on()?;
    for stage in stages_after_the_rootfs() {
        rig.find_in(&powered, "m1", stage).await?;
        powered.set_link("boot", false).await?;
        sleep(GONE).await;
        powered.set_link("boot", true).await?;
    }
    let ready = rig.reach(&powered, "m1", "ready").await;
    rig.off(powered).await?;
    ready?;
    assert_eq!(attempts(&rig).await?, 1, "it was written twice");
    no_report_was_lost_or_doubled(&rig).await
}

/// The real live initramfs ends in an emergency shell then, for ever; `rd.shell=0
/// rd.emergency=reboot`, which the install script brings, makes dracut's own emergency script
/// reboot instead.
#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn a_rootfs_that_breaks_off_is_an_emergency_and_a_reboot_helps() -> Result<()> {
    let mut rig = Rig::for_story("faults-rootfs").await?;
    let machine = rig.machine(1)?;
    rig.admin.add(&Rig::description(&machine)).await?;
    rig.admin.arm("m1").await?;
    let powered = machine.power_on()?;
    rig.hear(&powered, 0, "initramfs: Fetching rootfs image").await?;
    rig.server.kill().await?;
    let failed = rig.hear(&powered, 0, "initramfs: FAILED").await?;
    // Nothing good follows such words: here the question is whether a reboot does.
    let again = rig
        .watch(&powered, "the reboot out of the emergency", async || {
            let found = powered.serial.find(failed, "reboot: Restarting system");
            Ok(found.map(|(at, _)| at))
        })
        .await?;
    rig.server.start_again().await?;
    rig.hear(&powered, again, "Thirdboot installs m1").await?;
    rig.reach(&powered, "m1", "installed").await?;
    rig.off(powered).await?;
    Ok(())
}
