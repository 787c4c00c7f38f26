//! Nothing is wiped without a claim that a person's arming allowed.

use std::time::Duration;

use anyhow::{Result, ensure};
use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::json;
use thirdboot_tests::host::{Disk, LiveSystem, Verdict};
use thirdboot_tests::{Machine, Site, wait};

/// A live system that has said what it is and may claim now.
async fn live_on(machine: &Machine) -> Result<LiveSystem> {
    let mut live = machine.boot_live().await?;
    live.reporter.tell(live.event()).await?;
    Ok(live)
}

async fn refused(live: &LiveSystem, because: &str) -> Result<()> {
    let answer = live.claim().await?;
    ensure!(
        answer.status == StatusCode::CONFLICT,
        "{}: {}",
        answer.status,
        answer.text()
    );
    let detail = answer.text().to_lowercase();
    ensure!(detail.contains(because), "no {because:?} in {detail}");
    Ok(())
}

#[tokio::test]
async fn the_same_run_claims_again_up_to_its_attempts() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    for attempt in 1..=3 {
        let live = live_on(&machine).await?;
        assert_eq!(live.claim_granted().await?, attempt);
    }
    let script = machine.power_on().await?;
    assert_eq!(
        script.verdict,
        Verdict::Hold {
            reason: "attempts".to_owned()
        }
    );
    Ok(())
}

#[tokio::test]
async fn asking_again_in_the_same_boot_uses_no_attempt() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    let live = live_on(&machine).await?;
    let asked_at_once = join_all((0..20).map(|_| live.claim_granted())).await;
    for attempt in asked_at_once {
        assert_eq!(attempt?, 1);
    }
    assert_eq!(live_on(&machine).await?.claim_granted().await?, 2);
    Ok(())
}

#[tokio::test]
async fn an_installed_run_claims_no_more() -> Result<()> {
    let site = Site::start().await?;
    let mut machine = site.armed(1, "r1", "runner").await?;
    let mut live = machine.boot_live().await?;
    live.install(&mut machine).await?;
    assert_eq!(live.claim().await?.status, StatusCode::CONFLICT);
    Ok(())
}

#[tokio::test]
async fn cancelling_before_the_claim_refuses_it_and_boots_the_disk() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    let live = live_on(&machine).await?;
    site.admin.cancel("r1").await?;
    refused(&live, "cancel").await?;
    let script = machine.power_on().await?;
    assert!(matches!(script.verdict, Verdict::Local { .. }), "{}", script.text);
    Ok(())
}

#[tokio::test]
async fn cancelling_after_the_claim_holds_the_host_with_its_disk_in_pieces() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    let live = live_on(&machine).await?;
    live.claim_granted().await?;
    site.admin.cancel("r1").await?;
    let script = machine.power_on().await?;
    assert_eq!(
        script.verdict,
        Verdict::Hold {
            reason: "failed-after-claim".to_owned()
        }
    );
    Ok(())
}

#[tokio::test]
async fn a_hold_refuses_the_claim_until_it_is_released() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    let live = live_on(&machine).await?;
    site.admin.hold("r1", "rack is being moved").await?;
    refused(&live, "hold").await?;
    let script = machine.power_on().await?;
    assert_eq!(
        script.verdict,
        Verdict::Hold {
            reason: "held".to_owned()
        }
    );

    site.admin.release("r1").await?;
    live.claim_granted().await?;
    Ok(())
}

#[tokio::test]
async fn an_expired_permit_wipes_nothing() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.host(1, "r1", "runner").await?;
    site.admin.arm_with("r1", json!({"ttl_s": 60})).await?;
    let live = live_on(&machine).await?;
    // A minute is the shortest time that a permit can have.
    wait::until("the permit's end", Duration::from_secs(120), async || {
        let host = site.admin.host("r1").await?;
        let stage = host["run"]["stage"].as_str().unwrap_or_default();
        Ok(matches!(stage, "failed" | "cancelled").then_some(()))
    })
    .await?;
    refused(&live, "permit").await?;
    let script = machine.power_on().await?;
    assert!(matches!(script.verdict, Verdict::Local { .. }), "{}", script.text);
    Ok(())
}

#[tokio::test]
async fn a_disk_with_something_on_it_is_refused_by_name() -> Result<()> {
    let site = Site::start().await?;
    for (n, what) in [
        (1, "ceph-bluestore"),
        (2, "lvm"),
        (3, "boot-label"),
        (4, "never-heard-of"),
    ] {
        let name = format!("r{n}");
        let mut machine = site.armed(n, &name, "runner").await?;
        machine.hardware.disks = vec![Disk::empty("D1").holding(what)];
        refused(&live_on(&machine).await?, what).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_disk_named_in_the_permit_may_be_wiped() -> Result<()> {
    let site = Site::start().await?;
    let mut machine = site.host(1, "r1", "runner").await?;
    machine.hardware.disks = vec![Disk::empty("D1").holding("ext4")];
    site.admin.arm_with("r1", json!({"wipe": ["D1"]})).await?;
    live_on(&machine).await?.claim_granted().await?;
    Ok(())
}

#[tokio::test]
async fn two_empty_disks_and_no_choice_are_refused_with_both_named() -> Result<()> {
    let site = Site::start().await?;
    let mut machine = site.armed(1, "r1", "runner").await?;
    machine.hardware.disks = vec![Disk::empty("FIRST"), Disk::empty("SECOND")];
    let live = live_on(&machine).await?;
    refused(&live, "first").await?;
    refused(&live, "second").await
}

#[tokio::test]
async fn another_disk_than_the_armed_one_is_refused() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.host(1, "r1", "runner").await?;
    site.admin.arm_with("r1", json!({"disk": "serial:OTHER"})).await?;
    let live = live_on(&machine).await?;
    assert_eq!(live.claim().await?.status, StatusCode::CONFLICT);
    Ok(())
}

#[tokio::test]
async fn an_older_backup_does_not_wipe_a_newer_install() -> Result<()> {
    let site = Site::start().await?;
    let mut machine = site.armed(1, "r1", "runner").await?;
    machine.hardware.disks[0].previous = Some(("r1".to_owned(), 7));
    refused(&live_on(&machine).await?, "7").await
}

#[tokio::test]
async fn another_machine_with_the_secret_of_this_one_may_not_write() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    let mut live = live_on(&machine).await?;
    live.hardware.serial = "SN-OTHER".to_owned();
    assert_eq!(live.claim().await?.status, StatusCode::CONFLICT);
    Ok(())
}

#[tokio::test]
async fn inspecting_never_writes() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.host(1, "r1", "runner").await?;
    site.admin.arm_with("r1", json!({"inspect": true})).await?;
    let live = live_on(&machine).await?;
    assert_eq!(live.claim().await?.status, StatusCode::CONFLICT);
    Ok(())
}

#[tokio::test]
async fn a_ready_host_needs_a_new_permit() -> Result<()> {
    let site = Site::start().await?;
    let mut machine = site.armed(1, "r1", "runner").await?;
    let mut live = machine.boot_live().await?;
    live.install(&mut machine).await?;
    machine.boot_disk().await?.layer(&mut machine).await?;
    machine.boot_disk().await?.come_up(false).await?;
    assert_ne!(live.claim().await?.status, StatusCode::OK);
    let script = machine.power_on().await?;
    assert!(matches!(script.verdict, Verdict::Local { .. }), "{}", script.text);
    Ok(())
}
