//! What goes wrong on the way: power, the server, the cable.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Result;
use thirdboot_tests::metal::Rig;
use tokio::time::sleep;

/// Stages that take a while, so that a fault finds them.
const STAGES: [&str; 6] = [
    "netbooting",
    "live",
    "installing",
    "installed",
    "first-boot",
    "layered-boot",
];

/// A report is named by boot and number: none is recorded twice, and of those that say a
/// milestone none is missing.
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
        "ready",
    ] {
        assert!(said.contains(milestone), "no {milestone} in {said:?}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn a_power_cut_in_every_stage_ends_in_ready() -> Result<()> {
    let rig = Rig::for_story("faults-power").await?;
    let machine = rig.machine(1)?;
    rig.admin.add(&Rig::description(&machine)).await?;
    rig.admin.arm("m1").await?;
    for stage in STAGES {
        let powered = machine.power_on()?;
        rig.reach(&powered, "m1", stage).await?;
        powered.pull_the_plug().await?;
    }
    let powered = machine.power_on()?;
    rig.reach(&powered, "m1", "ready").await?;
    let serial = powered.pull_the_plug().await?;
    rig.keep(&[(&machine, &serial)]).await?;
    no_report_was_lost_or_doubled(&rig).await?;
    let run = rig.admin.host("m1").await?["run"].clone();
    assert_eq!(run["number"], 1, "another permit was needed");
    assert_eq!(
        run["attempt"], 2,
        "the write that was cut off is claimed once more, and no other"
    );
    Ok(())
}

#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn a_server_that_is_gone_for_twenty_seconds_in_every_stage_is_waited_for() -> Result<()> {
    let mut rig = Rig::for_story("faults-server").await?;
    let machine = rig.machine(1)?;
    rig.admin.add(&Rig::description(&machine)).await?;
    rig.admin.arm("m1").await?;
    let powered = machine.power_on()?;
    // Not while the rootfs is on its way: that is a story of its own.
    for stage in [
        "live",
        "installing",
        "installed",
        "first-boot",
        "layering",
        "layered-boot",
    ] {
        rig.reach(&powered, "m1", stage).await?;
        rig.server.kill().await?;
        sleep(Duration::from_secs(20)).await;
        rig.server.start_again().await?;
    }
    rig.reach(&powered, "m1", "ready").await?;
    let serial = powered.pull_the_plug().await?;
    rig.keep(&[(&machine, &serial)]).await?;
    no_report_was_lost_or_doubled(&rig).await
}

#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn a_cable_that_is_out_for_twenty_seconds_in_every_stage_loses_no_report() -> Result<()> {
    let rig = Rig::for_story("faults-cable").await?;
    let machine = rig.machine(1)?;
    rig.admin.add(&Rig::description(&machine)).await?;
    rig.admin.arm("m1").await?;
    let powered = machine.power_on()?;
    for stage in [
        "live",
        "installing",
        "installed",
        "first-boot",
        "layering",
        "layered-boot",
    ] {
        rig.reach(&powered, "m1", stage).await?;
        powered.set_link("boot", false).await?;
        sleep(Duration::from_secs(20)).await;
        powered.set_link("boot", true).await?;
    }
    rig.reach(&powered, "m1", "ready").await?;
    let serial = powered.pull_the_plug().await?;
    rig.keep(&[(&machine, &serial)]).await?;
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
    let again = rig.hear(&powered, failed, "reboot: Restarting system").await?;
    rig.server.start_again().await?;
    rig.hear(&powered, again, "Thirdboot installs m1").await?;
    rig.reach(&powered, "m1", "installed").await?;
    let serial = powered.pull_the_plug().await?;
    rig.keep(&[(&machine, &serial)]).await
}
