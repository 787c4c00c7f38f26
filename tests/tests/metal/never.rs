//! What must never happen, on real disks.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use thirdboot_tests::metal::{Disk, Machine, Rig, lvm, signatures};

/// Boots an armed machine that must refuse, and gives the reason that the server shows.
async fn refusal(rig: &Rig, machine: &Machine) -> Result<String> {
    refusal_of(rig, machine, &Rig::description(machine)).await
}

async fn refusal_of(rig: &Rig, machine: &Machine, description: &Value) -> Result<String> {
    rig.admin.add(description).await?;
    rig.admin.arm(&machine.name).await?;
    let powered = machine.power_on()?;
    let failed = rig
        .watch(&powered, "the refusal", async || {
            let run = rig.admin.host(&machine.name).await?["run"].clone();
            ensure!(run["stage"] != "installed", "it was installed: {run}");
            Ok((run["stage"] == "failed").then(|| run["failed"]["cause"].to_string()))
        })
        .await;
    rig.off(powered).await?;
    failed
}

#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn a_disk_that_holds_something_is_refused_by_name_and_untouched() -> Result<()> {
    let rig = Rig::for_story("never-holds").await?;
    for (n, (word, leave)) in (1..).zip(signatures::ALL) {
        let machine = rig.machine(n)?;
        leave(&machine.disks[0])?;
        let before = machine.disks[0].head()?;
        let cause = refusal(&rig, &machine).await?;
        assert!(cause.contains(word), "no {word} in {cause}");
        assert_eq!(machine.disks[0].head()?, before, "{word}: it was written to");
    }
    Ok(())
}

/// The installer's own unit keeps volume groups from coming up; the stand-in brings them up all the same when it is told
/// to. What is in a volume that is up is named as well.
#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn an_active_volume_group_is_refused_by_name_and_untouched() -> Result<()> {
    let rig = Rig::for_story("never-active").await?;
    let machine = rig.machine(1)?;
    lvm::group(&machine.disks[0])?;
    let before = machine.disks[0].head()?;
    let mut description = Rig::description(&machine);
    description["install"]["kernel_arguments"] = json!(["standin.volume-groups"]);
    let cause = refusal_of(&rig, &machine, &description).await?;
    for word in ["lvm", lvm::INSIDE] {
        assert!(cause.contains(word), "no {word} in {cause}");
    }
    assert_eq!(machine.disks[0].head()?, before, "it was written to");
    Ok(())
}

#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn a_second_disk_with_an_old_boot_label_is_refused_and_neither_is_touched() -> Result<()> {
    let rig = Rig::for_story("never-label").await?;
    let mut machine = rig.machine(1)?;
    let other = Disk::empty(rig.folder.join("other.disk"), "OTHER")?;
    other.format("boot")?;
    machine.disks.push(other);
    let mut description = Rig::description(&machine);
    description["install"]["disk"] = "DISK-1".into();
    let before = machine.disks[1].head()?;
    let cause = refusal_of(&rig, &machine, &description).await?;
    assert!(cause.contains("boot"), "{cause}");
    assert!(machine.disks[0].is_blank()?, "it was written to");
    assert_eq!(machine.disks[1].head()?, before, "the other one was written to");
    Ok(())
}

#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn an_inspection_says_what_is_there_and_writes_nothing() -> Result<()> {
    let rig = Rig::for_story("never-inspect").await?;
    let machine = rig.machine(1)?;
    rig.admin.add(&Rig::description(&machine)).await?;
    rig.admin.arm_with("m1", json!({"inspect": true})).await?;
    let powered = machine.power_on()?;
    let seen = rig
        .watch(&powered, "the inspection", async || {
            let events = rig.admin.events("m1").await?;
            Ok(events.into_iter().find(|event| event["message"] == "inspection"))
        })
        .await;
    rig.off(powered).await?;
    assert_eq!(seen?["refused"], Value::Null);
    assert!(machine.disks[0].is_blank()?, "it was written to");
    Ok(())
}
