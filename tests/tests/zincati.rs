//! The real Zincati updates hosts of the real server: `tests/run peers`. Needs root, for a mount namespace.

use anyhow::{Context as _, Result, ensure};
use reqwest::Method;
use serde_json::Value;
use thirdboot_tests::zincati::{Graph, NEW, ZincatiMachine};
use thirdboot_tests::{Site, wait};

/// Outer bound of what takes Zincati two of its shortened rounds.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(60);

/// Host `n` is installed and ready, and its Zincati is as it was told to be.
async fn ready(site: &Site, graph: &Graph, n: u8, name: &str) -> Result<ZincatiMachine> {
    let mut machine = site.armed(n, name, "runner").await?;
    let mut live = machine.boot_live().await?;
    let config = live.installed_config()?;
    live.install(&mut machine).await?;
    machine.boot_disk().await?.layer(&mut machine).await?;
    machine.boot_disk().await?.come_up(false).await?;
    ZincatiMachine::new(n, &config, graph)
}

/// The group as the API shows it.
async fn group(site: &Site) -> Result<Value> {
    let (status, group) = site.admin.ask(Method::GET, "/api/v1/locks/runner", None).await?;
    ensure!(status.is_success(), "{status} {group}");
    Ok(group)
}

async fn holder(site: &Site) -> Result<Option<String>> {
    let group = group(site).await?;
    let holders = group["holders"].as_array().context("no holders")?;
    ensure!(holders.len() <= 1, "two hold one slot: {group}");
    Ok(holders
        .first()
        .and_then(|place| place["host"].as_str())
        .map(str::to_owned))
}

/// Waits until this host was refused after `since`, and gives when.
async fn refused_after(site: &Site, name: &str, since: &str) -> Result<String> {
    wait::until("another refusal", LIMIT, async || {
        let group = group(site).await?;
        let waiting = group["waiting"].as_array().context("no list")?;
        let place = waiting.iter().find(|place| place["host"] == name);
        let asked = place.and_then(|place| place["asked_at"].as_str());
        Ok(asked.filter(|at| *at != since).map(str::to_owned))
    })
    .await
}

#[tokio::test]
async fn a_whole_cycle_from_steady_state_to_steady_state() -> Result<()> {
    let site = Site::start().await?;
    let graph = Graph::start().await?;
    let mut a1 = ready(&site, &graph, 1, "a1").await?;
    a1.boot()?;
    a1.until_past_pre_reboot().await?;
    assert_eq!(holder(&site).await?.as_deref(), Some("a1"));
    let calls = a1.calls()?;
    let stage = format!("deploy --lock-finalization --skip-branch-check revision={NEW} --disallow-downgrade");
    let finalize = format!("finalize-deployment {NEW}");
    let at = |call: &str| {
        calls
            .iter()
            .position(|one| one == call)
            .with_context(|| format!("{call}: {calls:?}"))
    };
    ensure!(at(&stage)? < at(&finalize)?, "{calls:?}");

    a1.go_down().await?;
    assert_eq!(holder(&site).await?.as_deref(), Some("a1"), "it is away");
    a1.boot()?;
    wait::until("the lock given back", LIMIT, async || {
        Ok(holder(&site).await?.is_none().then_some(()))
    })
    .await?;
    let events = site.admin.events("a1").await?;
    let locks: Vec<&str> = events
        .iter()
        .filter_map(|event| event["event"].as_str())
        .filter(|name| name.starts_with("lock-"))
        .collect();
    assert_eq!(locks, ["lock-granted", "lock-released"]);
    ensure!(!a1.is_past_pre_reboot(), "there is nothing newer");
    Ok(())
}

/// And whatever happens to the server in between.
#[tokio::test]
async fn two_on_one_slot_are_never_both_past_pre_reboot() -> Result<()> {
    let mut site = Site::start().await?;
    let graph = Graph::start().await?;
    let mut a1 = ready(&site, &graph, 1, "a1").await?;
    let mut a2 = ready(&site, &graph, 2, "a2").await?;
    a1.boot()?;
    a2.boot()?;
    let first = wait::until("one past pre-reboot", LIMIT, async || {
        Ok(if a1.is_past_pre_reboot() {
            Some("a1")
        } else if a2.is_past_pre_reboot() {
            Some("a2")
        } else {
            None
        })
    })
    .await
    .with_context(|| format!("{}\n{}", a1.log(), a2.log()))?;
    let (first, second, name) = if first == "a1" {
        (&mut a1, &mut a2, "a2")
    } else {
        (&mut a2, &mut a1, "a1")
    };
    let at = refused_after(&site, name, "").await?;
    ensure!(!second.is_past_pre_reboot());

    // Killed with one host away and one waiting.
    site.server.kill().await?;
    first.go_down().await?;
    site.server.start_again().await?;
    let at = refused_after(&site, name, &at).await?;
    ensure!(!second.is_past_pre_reboot(), "{}", second.log());
    assert_ne!(holder(&site).await?.as_deref(), Some(name));
    // And once more, while nobody says anything.
    site.server.kill().await?;
    site.server.start_again().await?;
    refused_after(&site, name, &at).await?;
    ensure!(!second.is_past_pre_reboot(), "{}", second.log());

    first.boot()?;
    second.until_past_pre_reboot().await?;
    assert_eq!(holder(&site).await?.as_deref(), Some(name));
    // It was granted after the other one had come back.
    let number = async |host: &str, event: &str| -> Result<u64> {
        let events = site.admin.events(host).await?;
        let found = events.iter().find(|one| one["event"] == event);
        found
            .and_then(|one| one["id"].as_u64())
            .with_context(|| format!("{event}: {events:?}"))
    };
    let other = if name == "a2" { "a1" } else { "a2" };
    ensure!(number(other, "lock-released").await? < number(name, "lock-granted").await?);
    Ok(())
}
