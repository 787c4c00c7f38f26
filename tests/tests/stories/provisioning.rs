//! A host goes from armed to ready in three boots, and can do it again.

use anyhow::Result;
use reqwest::StatusCode;
use serde_json::json;
use thirdboot_tests::assets::Images;
use thirdboot_tests::host::{Answer, Event, Verdict};
use thirdboot_tests::{Site, site};

#[tokio::test]
async fn a_runner_goes_from_armed_to_ready_in_three_boots() -> Result<()> {
    let site = Site::start().await?;
    let mut machine = site.armed(1, "r1", "runner").await?;
    assert_eq!(site.admin.stage("r1").await?, "armed");

    let mut live = machine.boot_live().await?;
    assert_eq!(site.admin.stage("r1").await?, "netbooting");
    live.install(&mut machine).await?;
    assert_eq!(site.admin.stage("r1").await?, "installed");

    machine.boot_disk().await?.layer(&mut machine).await?;
    assert_eq!(site.admin.stage("r1").await?, "layered");

    machine.boot_disk().await?.come_up(false).await?;
    let host = site.admin.host("r1").await?;
    assert_eq!(host["run"]["stage"], "ready");
    assert_eq!(host["run"]["boots"].as_array().map(Vec::len), Some(3), "{host:#}");
    Ok(())
}

#[tokio::test]
async fn a_server_and_an_agent_join_and_become_ready() -> Result<()> {
    let site = Site::start().await?;
    for (n, name, role) in [(1, "s1", "server"), (2, "a1", "agent")] {
        let mut machine = site.armed(n, name, role).await?;
        machine.provision(true).await?;
        assert_eq!(site.admin.stage(name).await?, "ready");
    }
    Ok(())
}

#[tokio::test]
async fn a_ready_host_boots_its_disk_and_says_what_it_runs() -> Result<()> {
    let site = Site::start().await?;
    let mut machine = site.armed(1, "r1", "runner").await?;
    machine.provision(false).await?;

    let mut later = machine.boot_disk().await?;
    let booted = later.event("booted");
    assert_eq!(later.reporter.tell(booted).await?, "ready");
    Ok(())
}

#[tokio::test]
async fn a_host_known_by_its_key_needs_no_address() -> Result<()> {
    let site = Site::with(&Images::sample(), &[]).await?;
    let mut machine = site.machine(1)?;
    let mut host = site::host("r1", "runner", &machine.hardware);
    host["known_by"] = "key".into();
    site.admin.add(&host).await?;
    site.admin.arm("r1").await?;

    assert!(machine.boot_live().await.is_err(), "its MAC alone is not enough");
    machine.firmware_url = site.admin.boot_url("r1").await?;
    machine.provision(false).await?;
    assert_eq!(site.admin.stage("r1").await?, "ready");
    Ok(())
}

#[tokio::test]
async fn a_report_said_twice_is_recorded_once() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    let live = machine.boot_live().await?;
    let report = json!({"run": 1, "boot_id": live.reporter.boot_id, "seq": 1,
        "at": "2026-11-22T10:00:00Z", "event": "live"});
    let first = live.reporter.post("/v1/report", &report).await?;
    let again = live.reporter.post("/v1/report", &report).await?;
    assert_eq!((first.status, first.text()), (StatusCode::OK, again.text()));
    assert_eq!(again.status, StatusCode::OK);
    let heard = site.admin.events("r1").await?;
    assert_eq!(heard.iter().filter(|e| e["event"] == "live").count(), 1, "{heard:#?}");
    Ok(())
}

#[tokio::test]
async fn a_later_report_stands_for_those_that_were_lost() -> Result<()> {
    let site = Site::start().await?;
    let mut machine = site.armed(1, "r1", "runner").await?;
    let mut live = machine.boot_live().await?;
    live.install(&mut machine).await?;
    // Boot 2 layers its packages, and nothing of it is heard.
    let mut third = machine.boot_disk().await?;
    third.deployment = "5ec0".repeat(16);
    third.come_up(false).await?;
    assert_eq!(site.admin.stage("r1").await?, "ready");
    Ok(())
}

#[tokio::test]
async fn the_old_deployment_after_the_reboot_means_layering_again() -> Result<()> {
    let site = Site::start().await?;
    let mut machine = site.armed(1, "r1", "runner").await?;
    machine.boot_live().await?.install(&mut machine).await?;
    let base = machine.boot_disk().await?.deployment;
    machine.boot_disk().await?.layer(&mut machine).await?;

    // The power went before the staged deployment was finalised.
    let mut third = machine.boot_disk().await?;
    third.deployment = base;
    let stage = third.reporter.tell(third.event("layered-boot")).await?;
    assert_eq!(stage, "layering");
    Ok(())
}

#[tokio::test]
async fn a_ready_host_is_installed_again_and_its_old_secrets_die_with_the_claim() -> Result<()> {
    let site = Site::start().await?;
    let mut machine = site.armed(1, "r1", "runner").await?;
    machine.provision(false).await?;
    let mut old = machine.boot_disk().await?;

    site.admin.arm("r1").await?;
    let said = old.reporter.say(old.event("booted")).await?;
    assert!(
        matches!(said, Answer::Recorded(_)),
        "until the new run's claim: {said:?}"
    );
    machine.hardware.disks[0].previous = Some(("r1".to_owned(), 1));
    let mut live = machine.boot_live().await?;
    assert_eq!(live.reporter.identity.run, 2);
    live.reporter.tell(live.event()).await?;
    live.claim_granted().await?;
    let report = json!({"run": 1, "boot_id": old.reporter.boot_id, "seq": 99,
        "at": "2026-11-22T10:00:00Z", "event": "note"});
    let said = old.reporter.post("/v1/report", &report).await?;
    assert_ne!(said.status, StatusCode::OK, "the old host secret outlived the claim");
    Ok(())
}

#[tokio::test]
async fn a_failed_install_is_held_and_says_why() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    let mut live = machine.boot_live().await?;
    live.reporter.tell(live.event()).await?;
    live.claim_granted().await?;
    let failed = Event::new("install-failed").with("message", "No space left on device");
    assert_eq!(live.reporter.tell(failed).await?, "failed");

    let script = machine.power_on().await?;
    assert_eq!(
        script.verdict,
        Verdict::Hold {
            reason: "failed-after-claim".to_owned()
        }
    );
    let host = site.admin.host("r1").await?;
    assert_eq!(host["run"]["failed"]["stage"], "installing");
    assert!(host["run"].to_string().contains("No space left"), "{host:#}");
    Ok(())
}
