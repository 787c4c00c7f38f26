//! Permits that hold no longer, on real disks: refused before a byte is written.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use thirdboot_tests::metal::{Disk, Machine, Powered, Rig};

/// A machine that has its live config and will claim its disk once it goes on.
async fn about_to_claim(rig: &Rig, machine: &Machine, settings: Value) -> Result<Powered> {
    rig.admin.add(&Rig::description(machine)).await?;
    rig.admin.arm_with(&machine.name, settings).await?;
    let powered = machine.power_on()?;
    rig.hear(&powered, 0, "initramfs: switching root").await?;
    powered.pause().await?;
    Ok(powered)
}

/// Lets it go on until the server has refused its claim, and looks at the disk.
async fn refused(rig: &Rig, machine: &Machine, powered: Powered, why: &str) -> Result<()> {
    powered.go_on().await?;
    let said = rig
        .watch(&powered, "the refused claim", async || {
            let log = rig.server.log()?;
            ensure!(!log.contains("claim granted"), "it was granted");
            Ok(log
                .lines()
                .find(|line| line.contains("claim refused"))
                .map(str::to_owned))
        })
        .await;
    rig.off(powered).await?;
    let said = said?;
    assert!(said.contains(why), "no {why} in {said}");
    assert!(machine.disks[0].is_blank()?, "it was written to");
    Ok(())
}

#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn a_permit_that_was_cancelled_is_none() -> Result<()> {
    let rig = Rig::for_story("permit-cancelled").await?;
    let machine = rig.machine(1)?;
    let powered = about_to_claim(&rig, &machine, json!({})).await?;
    rig.admin.cancel("m1").await?;
    refused(&rig, &machine, powered, "cancelled").await
}

#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn a_permit_that_expired_is_none() -> Result<()> {
    let rig = Rig::for_story("permit-expired").await?;
    let machine = rig.machine(1)?;
    let powered = about_to_claim(&rig, &machine, json!({"ttl_s": 150})).await?;
    // The machine stands still meanwhile: what is waited for is the server's word.
    thirdboot_tests::wait::until("the permit's end", std::time::Duration::from_secs(300), async || {
        let run = rig.admin.host("m1").await?["run"].clone();
        Ok((run["stage"] == "failed").then_some(()))
    })
    .await?;
    refused(&rig, &machine, powered, "expired").await
}

/// The machine that a permit is for has another serial number than the one that asks.
#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn a_machine_with_another_serial_number_is_held() -> Result<()> {
    let rig = Rig::for_story("permit-serial").await?;
    let machine = rig.machine(1)?;
    let mut description = Rig::description(&machine);
    description["serial"] = "SN-OTHER".into();
    rig.admin.add(&description).await?;
    rig.admin.arm("m1").await?;
    let powered = machine.power_on()?;
    let held = rig.hear(&powered, 0, "Thirdboot holds this machine").await;
    rig.off(powered).await?;
    held?;
    assert!(machine.disks[0].is_blank()?, "it was written to");
    let alerts = rig.admin.ask(reqwest::Method::GET, "/api/v1/alerts", None).await?.1;
    for word in ["m1", "SN-0001", "SN-OTHER"] {
        assert!(alerts.to_string().contains(word), "no {word} in {alerts}");
    }
    Ok(())
}

/// The description is put right while the wrong machine is on its way already: its claim is the last question.
#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn a_claim_of_a_machine_with_another_serial_number_is_refused() -> Result<()> {
    let rig = Rig::for_story("permit-claim").await?;
    let machine = rig.machine(1)?;
    let powered = about_to_claim(&rig, &machine, json!({})).await?;
    rig.admin
        .patch("/api/v1/hosts/m1", &json!({"serial": "SN-OTHER"}))
        .await?;
    refused(&rig, &machine, powered, "serial is SN-0001, expected SN-OTHER").await
}

/// A machine like it, by all that it says of itself, was armed by the same permit and is slower.
#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn a_permit_that_was_used_is_none() -> Result<()> {
    let rig = Rig::for_story("permit-used").await?;
    let machine = rig.machine(1)?;
    let slow = Machine {
        name: "slow".to_owned(),
        disks: vec![Disk::empty(rig.folder.join("slow.disk"), "DISK-1")?],
        ..machine.clone()
    };
    rig.admin.add(&Rig::description(&machine)).await?;
    rig.admin.arm("m1").await?;
    let late = slow.power_on()?;
    rig.hear(&late, 0, "initramfs: switching root").await?;
    late.pause().await?;

    let powered = machine.power_on()?;
    let installed = rig.reach(&powered, "m1", "installed").await;
    rig.off(powered).await?;
    installed?;

    late.go_on().await?;
    let said = rig
        .watch(&late, "the refused claim", async || {
            let log = rig.server.log()?;
            Ok(log
                .lines()
                .find(|line| line.contains("claim refused"))
                .map(str::to_owned))
        })
        .await;
    rig.off(late).await?;
    let said = said?;
    assert!(said.contains("its permit is used up"), "{said}");
    assert!(slow.disks[0].is_blank()?, "it was written to");
    Ok(())
}

/// A copy has an open permit: restoring it voids the permit, and the machine boots its disk.
#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn a_restored_database_brings_no_permit_back() -> Result<()> {
    let mut rig = Rig::for_story("permit-restored").await?;
    let machine = rig.machine(1)?;
    rig.admin.add(&Rig::description(&machine)).await?;
    rig.admin.arm("m1").await?;
    let copy = rig.folder.join("copy.db");
    database(&rig, "backup", &copy).await?;
    rig.server.stop().await?;
    database(&rig, "restore", &copy).await?;
    rig.server.start_again().await?;

    let powered = machine.power_on()?;
    let local = rig.hear(&powered, 0, "Thirdboot boots the local disk").await;
    rig.off(powered).await?;
    local?;
    assert!(machine.disks[0].is_blank()?, "it was written to");
    Ok(())
}

/// The disk says that it was installed by a later run than this database knows.
#[tokio::test]
#[ignore = "minutes: tests/run metal --full"]
async fn a_disk_that_a_later_run_installed_is_not_written_by_an_earlier_one() -> Result<()> {
    let rig = Rig::for_story("permit-earlier").await?;
    let machine = rig.machine(1)?;
    let disk = &machine.disks[0];
    installed_by(disk, r#"{"host":"m1","run":7}"#)?;
    let before = disk.head()?;
    rig.admin.add(&Rig::description(&machine)).await?;
    rig.admin.arm("m1").await?;
    let powered = machine.power_on()?;
    let failed = rig
        .watch(&powered, "the refusal", async || {
            let run = rig.admin.host("m1").await?["run"].clone();
            ensure!(run["stage"] != "installed", "it was installed: {run}");
            Ok((run["stage"] == "failed").then(|| run["failed"]["cause"].to_string()))
        })
        .await;
    rig.off(powered).await?;
    let cause = failed?;
    assert!(cause.contains("run 7"), "{cause}");
    assert_eq!(disk.head()?, before, "it was written to");
    Ok(())
}

/// A disk with a boot partition whose file system carries a mark.
fn installed_by(disk: &Disk, mark: &str) -> Result<()> {
    let folder = tempfile::tempdir()?;
    fs::create_dir(folder.path().join("thirdboot"))?;
    fs::write(folder.path().join("thirdboot/install.json"), mark)?;
    let table = folder.path().join("table");
    fs::write(&table, "label: gpt\nstart=1MiB, size=80MiB, name=boot\n")?;
    let done = Command::new("sfdisk")
        .arg("--quiet")
        .arg(&disk.file)
        .stdin(fs::File::open(&table)?)
        .status()
        .context("sfdisk (package fdisk)")?;
    ensure!(done.success(), "sfdisk: {done}");
    let done = Command::new("mke2fs")
        .args(["-q", "-F", "-t", "ext4", "-L", "boot", "-E", "offset=1048576", "-d"])
        .arg(folder.path())
        .arg(&disk.file)
        .arg("80M")
        .status()
        .context("mke2fs (package e2fsprogs)")?;
    ensure!(done.success(), "mke2fs: {done}");
    Ok(())
}

/// `thirdboot db VERB FILE` on the rig's database.
async fn database(rig: &Rig, verb: &str, file: &Path) -> Result<()> {
    let done = tokio::process::Command::new(thirdboot_tests::server::binary::path().await?)
        .args(["db", "--data-dir"])
        .arg(&rig.server.settings.data_dir)
        .arg(verb)
        .arg(file)
        .output()
        .await?;
    ensure!(
        done.status.success(),
        "{verb}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    Ok(())
}
