//! What was acknowledged is there after a kill -9, and a restart strands no host.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};
use futures_util::future::join_all;
use reqwest::StatusCode;
use thirdboot_tests::Site;
use thirdboot_tests::host::{Answer, Event, Reporter, Verdict};
use tokio::sync::Notify;

/// How often the server is killed.
const KILLS: usize = 50;
/// How many hosts pour reports in.
const HOSTS: u8 = 6;

/// Reports until nobody answers; gives the numbers that were acknowledged.
async fn pour(reporter: &mut Reporter, enough: &Notify, heard: &AtomicUsize, stop_at: usize) -> Result<Vec<u64>> {
    let mut acknowledged = Vec::new();
    loop {
        if reporter.unsent() == 0 {
            reporter.queue(Event::new("note").with("message", "still here"));
        }
        let sending = reporter.first_unsent().context("nothing to send")?;
        match reporter.send_one().await? {
            Some(Answer::Recorded(_)) => acknowledged.push(sending),
            Some(other) => anyhow::bail!("{other:?}"),
            None => return Ok(acknowledged),
        }
        if heard.fetch_add(1, Ordering::Relaxed) + 1 == stop_at {
            enough.notify_one();
        }
    }
}

#[tokio::test]
async fn every_acknowledged_report_survives_fifty_kills() -> Result<()> {
    let mut site = Site::start().await?;
    let mut reporters = Vec::new();
    for n in 1..=HOSTS {
        let machine = site.armed(n, &format!("r{n}"), "runner").await?;
        let mut live = machine.boot_live().await?;
        live.reporter.tell(live.event()).await?;
        reporters.push(live.reporter);
    }
    let mut acknowledged = vec![BTreeSet::new(); reporters.len()];
    for round in 0..KILLS {
        let (enough, heard) = (Notify::new(), AtomicUsize::new(0));
        // Another moment of the group commit each time.
        let stop_at = 5 + round * 7 % 40;
        let pouring = join_all(reporters.iter_mut().map(|r| pour(r, &enough, &heard, stop_at)));
        let kill = async {
            enough.notified().await;
            site.server.kill().await
        };
        let (poured, killed) = tokio::join!(pouring, kill);
        killed?;
        for (host, numbers) in acknowledged.iter_mut().zip(poured) {
            host.extend(numbers?);
        }
        site.server.start_again().await?;
    }
    for (reporter, acknowledged) in reporters.iter().zip(acknowledged) {
        let name = &reporter.identity.host;
        let stored = numbers(&site, name, reporter).await?;
        let once: BTreeSet<u64> = stored.iter().copied().collect();
        ensure!(
            once.len() == stored.len(),
            "{name}: a report is there twice: {stored:?}"
        );
        let lost: Vec<_> = acknowledged.difference(&once).collect();
        ensure!(lost.is_empty(), "{name}: acknowledged and lost: {lost:?}");
        ensure!(
            acknowledged.len() >= KILLS,
            "{name}: only {} acknowledged",
            acknowledged.len()
        );
    }
    Ok(())
}

/// The numbers of the stored reports of one boot.
async fn numbers(site: &Site, name: &str, reporter: &Reporter) -> Result<Vec<u64>> {
    let boot = reporter.boot_id.to_string();
    let events = site.admin.events(name).await?;
    Ok(events
        .iter()
        .filter(|e| e["boot_id"] == boot)
        .filter_map(|e| e["seq"].as_u64())
        .collect())
}

#[tokio::test]
async fn a_host_goes_on_where_it_was_after_every_restart() -> Result<()> {
    let mut site = Site::start().await?;
    let mut machine = site.armed(1, "r1", "runner").await?;
    site.server.kill().await?;
    site.server.start_again().await?;
    let mut live = machine.boot_live().await?;
    site.server.stop().await?;
    site.server.start_again().await?;
    live.install(&mut machine).await?;
    site.server.kill().await?;
    site.server.start_again().await?;
    machine.boot_disk().await?.layer(&mut machine).await?;
    site.server.stop().await?;
    site.server.start_again().await?;
    machine.boot_disk().await?.come_up(false).await?;
    assert_eq!(site.admin.stage("r1").await?, "ready");
    Ok(())
}

#[tokio::test]
async fn what_people_and_claims_decided_survives_a_kill() -> Result<()> {
    let mut site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    site.armed(2, "r2", "runner").await?;
    let live = machine.boot_live().await?;
    live.claim_granted().await?;
    site.admin.cancel("r2").await?;
    site.server.kill().await?;
    site.server.start_again().await?;

    assert_eq!(site.admin.stage("r2").await?, "cancelled");
    assert_eq!(site.admin.stage("r1").await?, "installing");
    assert_eq!(live.claim_granted().await?, 1, "the same boot asks again");
    assert_eq!(machine.boot_live().await?.claim_granted().await?, 2);
    Ok(())
}

#[tokio::test]
async fn reports_wait_for_a_server_that_is_away() -> Result<()> {
    let mut site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    let mut live = machine.boot_live().await?;
    site.server.stop().await?;
    assert!(live.claim().await.is_err(), "no answer: do not write, ask again");
    live.reporter.queue(live.event());
    assert_eq!(live.reporter.send_one().await?, None);
    site.server.start_again().await?;
    assert_eq!(
        live.reporter.send_one().await?,
        Some(Answer::Recorded("live".to_owned()))
    );
    Ok(())
}

#[tokio::test]
async fn the_live_config_is_the_same_after_a_restart() -> Result<()> {
    let mut site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    let before = machine.boot_live().await?.document;
    site.server.stop().await?;
    site.server.start_again().await?;
    assert!(machine.boot_live().await?.document == before, "not byte-identical");
    Ok(())
}

#[tokio::test]
async fn a_clean_stop_takes_its_address_away() -> Result<()> {
    let mut site = Site::start().await?;
    let endpoints = site.path("data/endpoints.json");
    assert!(endpoints.exists());
    site.server.stop().await?;
    assert!(!endpoints.exists());
    Ok(())
}

#[tokio::test]
async fn a_restored_backup_voids_every_open_permit() -> Result<()> {
    let mut site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    let mut live = machine.boot_live().await?;
    live.reporter.tell(live.event()).await?;
    site.server.stop().await?;
    fs::copy(site.path("data/thirdboot.db"), site.path("backup.db"))?;
    site.server.start_again().await?;
    site.admin.cancel("r1").await?;
    site.server.stop().await?;
    // The database from before somebody cancelled, under the key and the epoch of now.
    fs::copy(site.path("backup.db"), site.path("data/thirdboot.db"))?;
    for rest in ["data/thirdboot.db-wal", "data/thirdboot.db-shm"] {
        let _ = fs::remove_file(site.path(rest));
    }
    site.server.start_again().await?;

    assert_ne!(live.claim().await?.status, StatusCode::OK);
    let script = machine.power_on().await?;
    assert!(matches!(script.verdict, Verdict::Local { .. }), "{}", script.text);
    Ok(())
}
