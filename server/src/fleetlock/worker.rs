//! Gives back what nobody gives back by itself, and begins what takes time: drains, and nodes that get their pods back.
//!
//! A pass is idempotent and takes no input but what the store and the clusters say: a server that is killed at any point
//! goes on where it was. Nothing in here releases a slot because time has passed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use thirdboot_lifecycle::{ClusterName, LockReason, LockSlot, SlotState, Stage};
use thirdboot_store::{Actor, HostId, HostState, LockChange, StoreError};
use tokio::sync::Notify;

use super::asking::cluster_of;
use super::errands::Errands;
use super::nodes::Trouble;
use crate::App;

/// Between two looks at drains and returns.
pub(crate) const PERIOD: Duration = Duration::from_secs(5);
/// Clusters are asked for nodes that were left cordoned once in so many passes, and whenever a lock was given or released.
const SWEEP_EVERY: u32 = 12;
/// Hosts that wait and have not asked for so long are forgotten: they have lost their turn long before.
const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// Runs until it is dropped.
pub(crate) async fn run(app: App, nudge: Arc<Notify>) {
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut errands, mut passes) = (Errands::default(), 0_u32);
    loop {
        let is_nudged = tokio::select! {
            _ = ticks.tick() => false,
            () = nudge.notified() => true,
            Some(()) = errands.ended(&app) => {
                read_book(&app).await;
                continue;
            }
        };
        let sweeps = is_nudged || passes.is_multiple_of(SWEEP_EVERY);
        if let Err(error) = pass(&app, &mut errands, sweeps).await {
            tracing::warn!(%error, "cannot look at reboot locks; trying again later");
        }
        read_book(&app).await;
        passes = passes.wrapping_add(1);
    }
}

/// One whole pass, and all that it begins.
#[cfg(test)]
pub(crate) async fn round(app: &App) -> Result<(), StoreError> {
    let mut errands = Errands::default();
    pass(app, &mut errands, true).await?;
    while errands.ended(app).await.is_some() {}
    app.locks.read(app.store.as_ref(), &app.metrics).await
}

async fn read_book(app: &App) {
    if let Err(error) = app.locks.read(app.store.as_ref(), &app.metrics).await {
        tracing::warn!(%error, "cannot read who holds a reboot lock; trying again later");
    }
}

/// What the store alone can tell is done here; what a cluster must be asked for is begun.
async fn pass(app: &App, errands: &mut Errands, sweeps: bool) -> Result<(), StoreError> {
    let slots = app.store.locks().await?;
    let mut clusters = BTreeSet::new();
    for slot in slots.iter().filter(|slot| slot.state.holds()) {
        let Some(state) = app.store.host_by_id(HostId(slot.host)).await? else {
            continue;
        };
        if let LockReason::Reinstall { run } = slot.reason {
            reinstalled(app, slot, &state, run).await?;
        } else if slot.state == SlotState::Reserved {
            if let Some(cluster) = cluster_of(&state) {
                clusters.insert(cluster.clone());
            } else {
                // It was a node when it asked.
                let (host, since) = (state.id, slot.since);
                app.store.change_lock(LockChange::Drained { host, since }).await?;
            }
        }
    }
    let before = app
        .store
        .now()
        .saturating_sub(FORGOTTEN_AFTER)
        .unwrap_or(Timestamp::MIN);
    if slots
        .iter()
        .any(|slot| slot.state == SlotState::Waiting && slot.asked_at < before)
    {
        app.store.change_lock(LockChange::Forget { before }).await?;
    }
    if sweeps {
        let all = app.store.clusters().await?;
        clusters.extend(all.into_iter().map(|kept| kept.cluster.spec.name));
    }
    for cluster in &clusters {
        errands.start(app, cluster, sweeps);
    }
    Ok(())
}

/// A new install gives its slot back once its host is ready, or once it is certain that it never began.
async fn reinstalled(
    app: &App,
    slot: &LockSlot,
    state: &HostState,
    number: thirdboot_lifecycle::RunNumber,
) -> Result<(), StoreError> {
    let Some(run) = &state.run else { return Ok(()) };
    let why = if run.stage == Stage::Ready {
        "it is ready again"
    } else if run.number == number && run.stage.is_end() && !run.was_claimed() {
        "its new install ended before anything was touched"
    } else {
        return Ok(());
    };
    release(app, slot, why).await
}

/// Gives it back, unless its host has asked since.
pub(super) async fn release(app: &App, slot: &LockSlot, why: &str) -> Result<(), StoreError> {
    let release = LockChange::Release {
        host: HostId(slot.host),
        // Whoever asked again since means something else.
        if_asks: Some(slot.asks),
        by: Actor::Server,
        why: why.to_owned(),
    };
    if app.store.change_lock(release).await?.is_new {
        tracing::info!(host = %slot.name, group = %slot.group, why, "reboot lock released");
    }
    Ok(())
}

/// Whether a cluster's member is well again after its reboot, and may take pods. Where the API does not answer here the
/// host's own word has to do: its units ask only once its kubelet says that the node is Ready.
///
/// # Errors
/// Says why it is not, for people.
pub(super) async fn is_back(app: &App, state: &HostState, cluster: &ClusterName) -> Result<(), String> {
    let Some(nodes) = app.nodes.look(app, cluster).await else {
        return Ok(());
    };
    let name = state.host.name.as_str();
    let Some(node) = nodes.get(name) else {
        return Err(format!("{cluster} knows no node {name}"));
    };
    if !node.ready {
        return Err(format!("the node is not Ready in {cluster}"));
    }
    let boot_id = state.observed.as_ref().and_then(|observed| observed.boot_id.as_ref());
    if let (Some(ours), Some(theirs)) = (boot_id, &node.boot_id)
        && !ours.as_str().eq_ignore_ascii_case(theirs)
    {
        return Err(format!("{cluster} speaks of the node's boot before this one"));
    }
    if node.is_cordoned_by_us {
        app.nodes
            .uncordon(app, cluster, name)
            .await
            .map_err(|Trouble(why)| format!("the node cannot be uncordoned: {why}"))?;
    }
    Ok(())
}
