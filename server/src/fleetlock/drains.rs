//! Drains, and nodes that get their pods back. Idempotent, and may be cut off at any point.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use jiff::SignedDuration;
use thirdboot_lifecycle::{ClusterName, LockSlot, SlotState};
use thirdboot_store::{HostId, HostState, LockChange, StoreError};

use super::asking::cluster_of;
use super::nodes::Trouble;
use super::worker::release;
use crate::App;

/// How long one look at a node, or at all of a cluster, may take; it goes on at the next.
const LOOK_LIMIT: Duration = Duration::from_secs(20);
/// Nodes of a cluster that are drained side by side.
const AT_ONCE: usize = 8;

/// All that is to be done in a cluster now.
pub(super) async fn in_cluster(app: &App, cluster: &ClusterName, sweeps: bool) -> Result<(), StoreError> {
    let mut drains = Vec::new();
    for slot in app.store.locks().await? {
        if slot.state == SlotState::Reserved
            && let Some(state) = app.store.host_by_id(HostId(slot.host)).await?
            && cluster_of(&state) == Some(cluster)
        {
            drains.push((slot, state));
        }
    }
    let drains = stream::iter(drains).map(|(slot, state)| async move { drain(app, &slot, &state, cluster).await });
    let drained: Vec<Result<(), StoreError>> = drains.buffer_unordered(AT_ONCE).collect().await;
    for drained in drained {
        drained?;
    }
    if sweeps {
        uncordon_the_rest(app, cluster).await?;
    }
    Ok(())
}

/// Goes on draining the node of a reserved slot. Its grant is the end of it.
pub(super) async fn drain(
    app: &App,
    slot: &LockSlot,
    state: &HostState,
    cluster: &ClusterName,
) -> Result<(), StoreError> {
    let (host, since) = (state.id, slot.since);
    // Others were drained since the list was read: it may have been given back.
    let now = app.store.lock_of(host).await?;
    let is_meant = |now: &LockSlot| now.state == SlotState::Reserved && now.since == since;
    let Some(slot) = now.filter(is_meant) else {
        return Ok(());
    };
    let settings = app.store.lock_group(&slot.group).await?.value;
    // Its settings were changed, or its window is over: nobody was told yet that it may go.
    if let Err(not_now) = settings.permits(&slot.group, slot.reason, app.store.now()) {
        release(app, &slot, &not_now.why).await?;
        // So that it is uncordoned at once.
        app.look_at_locks.notify_one();
        return Ok(());
    }
    let node = state.host.name.as_str();
    let drained = tokio::time::timeout(LOOK_LIMIT, async {
        app.nodes.cordon(app, cluster, node).await?;
        app.nodes.evict(app, cluster, node).await
    });
    let says = match drained.await {
        Ok(Ok(look)) if look.left == 0 => {
            app.store.change_lock(LockChange::Drained { host, since }).await?;
            tracing::info!(host = %slot.name, %cluster, "drained");
            return Ok(());
        }
        Ok(Ok(look)) => look.says(),
        Ok(Err(Trouble(why))) => format!("its node cannot be drained: {why}"),
        Err(_) => format!("its node is being drained, and {cluster} is slow to answer"),
    };
    let limit = SignedDuration::from_secs(i64::from(settings.drain_s));
    if app.store.now().duration_since(since) >= limit {
        let minutes = settings.drain_s.div_ceil(60);
        let why = format!("its drain was given up after {minutes} min: {says}");
        tracing::warn!(host = %slot.name, %cluster, %why, "drain given up");
        let given_up = LockChange::DrainGivenUp { host, since, why };
        app.store.change_lock(given_up).await?;
        app.look_at_locks.notify_one();
        return Ok(());
    }
    let says = LockChange::Note { host, note: Some(says) };
    app.store.change_lock(says).await.map(drop)
}

/// Nodes that were cordoned from here and whose hosts hold nothing: a drain was given up, a lock was released, or the
/// server was killed between the two.
async fn uncordon_the_rest(app: &App, cluster: &ClusterName) -> Result<(), StoreError> {
    let Ok(Some(nodes)) = tokio::time::timeout(LOOK_LIMIT, app.nodes.look(app, cluster)).await else {
        return Ok(());
    };
    let cordoned = nodes.iter().filter(|(_, node)| node.is_cordoned_by_us);
    let cordoned: Vec<&String> = cordoned.map(|(name, _)| name).collect();
    if cordoned.is_empty() {
        return Ok(());
    }
    // After the look: who reserved a slot since was not cordoned then.
    let held = app.store.locks().await?;
    let held: BTreeSet<&str> = held
        .iter()
        .filter(|slot| slot.state.holds())
        .map(|slot| slot.name.as_str())
        .collect();
    for node in cordoned.into_iter().filter(|node| !held.contains(node.as_str())) {
        match tokio::time::timeout(LOOK_LIMIT, app.nodes.uncordon(app, cluster, node)).await {
            Ok(Ok(())) => tracing::info!(%cluster, node, "uncordoned"),
            Ok(Err(error)) => tracing::warn!(%cluster, node, %error, "cannot uncordon; trying again later"),
            Err(_) => tracing::warn!(%cluster, node, "cannot uncordon in time; trying again later"),
        }
    }
    Ok(())
}
