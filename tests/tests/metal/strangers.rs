//! Machines of another kind, and one that nobody described.

use anyhow::Result;
use serde_json::Value;
use thirdboot_tests::metal::Rig;
use thirdboot_tests::vm::Firmware;

#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn a_machine_with_uefi_comes_as_far_as_its_first_report() -> Result<()> {
    let rig = Rig::for_story("uefi").await?;
    let mut machine = rig.machine(1)?;
    machine.firmware = Firmware::Uefi;
    rig.admin.add(&Rig::description(&machine)).await?;
    rig.admin.arm("m1").await?;
    let powered = machine.power_on()?;
    let reached = rig.reach(&powered, "m1", "live").await;
    rig.off(powered).await?;
    reached.map(|_| ())
}

/// Held, listed, described, armed, installed: nobody goes near its power switch.
#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn an_unknown_machine_is_adopted_and_installed_without_touching_its_power() -> Result<()> {
    let rig = Rig::for_story("stranger").await?;
    let machine = rig.machine(1)?;
    let powered = machine.power_on()?;
    rig.hear(&powered, 0, "Thirdboot holds this machine").await?;
    let listed = Value::Array(rig.admin.unknown_machines().await?).to_string();
    for word in [&machine.mac, &machine.serial, &machine.uuid] {
        assert!(listed.contains(word), "no {word} in {listed}");
    }
    assert!(machine.disks[0].is_blank()?, "it was written to");

    rig.admin.add(&Rig::description(&machine)).await?;
    rig.admin.arm("m1").await?;
    let reached = rig.reach(&powered, "m1", "installed").await;
    rig.off(powered).await?;
    reached.map(|_| ())
}
