//! What takes time: drains, and giving back what nobody gives back by itself.
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
    let mut passes: u32 = 0;
    loop {
        let is_nudged = tokio::select! {
            _ = ticks.tick() => false,
            () = nudge.notified() => true,
        };
        let sweeps = is_nudged || passes.is_multiple_of(SWEEP_EVERY);
        if let Err(error) = pass(&app, sweeps).await {
            tracing::warn!(%error, "cannot look at reboot locks; trying again later");
        }
        passes = passes.wrapping_add(1);
    }
}

/// One whole pass.
#[cfg(test)]
pub(crate) async fn round(app: &App) -> Result<(), StoreError> {
    pass(app, true).await
}

async fn pass(app: &App, sweeps: bool) -> Result<(), StoreError> {
    let slots = app.store.locks().await?;
    for slot in slots.iter().filter(|slot| slot.state.holds()) {
        let Some(state) = app.store.host_by_id(HostId(slot.host)).await? else {
            continue;
        };
        if let LockReason::Reinstall { run } = slot.reason {
            reinstalled(app, slot, &state, run).await?;
        } else if slot.state == SlotState::Reserved {
            drain(app, slot, &state).await?;
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
        uncordon_the_rest(app).await?;
    }
    app.locks.read(app.store.as_ref(), &app.metrics).await
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

async fn release(app: &App, slot: &LockSlot, why: &str) -> Result<(), StoreError> {
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

/// Goes on draining the node of a reserved slot. Its grant is the end of it.
async fn drain(app: &App, slot: &LockSlot, state: &HostState) -> Result<(), StoreError> {
    let (host, since) = (state.id, slot.since);
    let Some(cluster) = cluster_of(state) else {
        app.store.change_lock(LockChange::Drained { host, since }).await?;
        return Ok(());
    };
    let node = state.host.name.as_str();
    let drained = async {
        app.nodes.cordon(app, cluster, node).await?;
        app.nodes.evict(app, cluster, node).await
    };
    let says = match drained.await {
        Ok(look) if look.left == 0 => {
            app.store.change_lock(LockChange::Drained { host, since }).await?;
            tracing::info!(host = %slot.name, %cluster, "drained");
            return Ok(());
        }
        Ok(look) => look.says(),
        Err(Trouble(why)) => format!("its node cannot be drained: {why}"),
    };
    let limit_s = app.store.lock_group(&slot.group).await?.value.drain_s;
    let limit = SignedDuration::from_secs(i64::from(limit_s));
    if app.store.now().duration_since(since) >= limit {
        let why = format!("its drain was given up after {} min: {says}", limit_s.div_ceil(60));
        tracing::warn!(host = %slot.name, %cluster, %why, "drain given up");
        app.store
            .change_lock(LockChange::DrainGivenUp { host, since, why })
            .await?;
        // So that it is uncordoned at once.
        app.look_at_locks.notify_one();
        return Ok(());
    }
    let says = LockChange::Note { host, note: Some(says) };
    app.store.change_lock(says).await.map(drop)
}

/// Nodes that were cordoned from here and whose hosts hold nothing: a drain was given up, a lock was released, or the
/// server was killed between the two.
async fn uncordon_the_rest(app: &App) -> Result<(), StoreError> {
    for kept in app.store.clusters().await? {
        let cluster = &kept.cluster.spec.name;
        let Some(nodes) = app.nodes.look(app, cluster).await else {
            continue;
        };
        let cordoned = nodes.iter().filter(|(_, node)| node.is_cordoned_by_us);
        let cordoned: Vec<&String> = cordoned.map(|(name, _)| name).collect();
        if cordoned.is_empty() {
            continue;
        }
        // After the look: who reserved a slot since was not cordoned then.
        let held = app.store.locks().await?;
        let held: BTreeSet<&str> = held
            .iter()
            .filter(|slot| slot.state.holds())
            .map(|slot| slot.name.as_str())
            .collect();
        for node in cordoned.into_iter().filter(|node| !held.contains(node.as_str())) {
            uncordon(app, cluster, node).await;
        }
    }
    Ok(())
}

async fn uncordon(app: &App, cluster: &ClusterName, node: &str) {
    match app.nodes.uncordon(app, cluster, node).await {
        Ok(()) => tracing::info!(%cluster, node, "uncordoned"),
        Err(error) => tracing::warn!(%cluster, node, %error, "cannot uncordon; trying again later"),
    }
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
