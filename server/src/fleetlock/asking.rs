//! A host's question for its slot, with what its cluster says.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use thirdboot_lifecycle::{
    ClusterName, GroupName, LockAsk, LockReason, Purpose, Run, Servers, SlotState, Stage, judge_claim,
};
use thirdboot_store::{Actor, HostState, LockChange, StoreError, Submission, SubmitError};

use super::nodes::NodeLook;
use super::patience::nodes_beside;
use crate::App;

/// A host that waits with its claim is noted so often, and at once when it waits for something else.
const NOTED_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// The group of what is on the host's disk.
pub(crate) fn group_of(state: &HostState) -> GroupName {
    match &state.run {
        Some(run) => run.group_in_force(&state.host),
        None => GroupName::of(state.host.cluster.as_ref(), state.host.role),
    }
}

/// The cluster of a node.
pub(super) fn cluster_of(state: &HostState) -> Option<&ClusterName> {
    let role = state.run.as_ref().map_or(state.host.role, |run| run.role);
    state.host.cluster.as_ref().filter(|_| role.joins())
}

/// The question, with all it takes to answer it. `nodes` are those of its cluster, where they are known.
pub(super) async fn question(
    app: &App,
    state: &HostState,
    reason: LockReason,
    nodes: Option<&BTreeMap<String, NodeLook>>,
) -> Result<LockAsk, StoreError> {
    let group = group_of(state);
    let drains = nodes.is_some_and(|nodes| nodes.contains_key(state.host.name.as_str()));
    let servers = match group.servers_of() {
        Some(cluster) => Some(servers(app, state, &group, &cluster, nodes).await?),
        None => None,
    };
    Ok(LockAsk {
        host: state.id.0,
        name: state.host.name.clone(),
        group,
        reason,
        drains,
        servers,
    })
}

/// The servers of a cluster, and which of the others are down: the cluster says so, or they are about to be installed
/// again, or that went wrong.
async fn servers(
    app: &App,
    asker: &HostState,
    group: &GroupName,
    cluster: &ClusterName,
    nodes: Option<&BTreeMap<String, NodeLook>>,
) -> Result<Servers, StoreError> {
    let members = app.store.hosts_of(cluster).await?;
    let is_server = |state: &&HostState| {
        let has_been_ready = state.run.as_ref().is_some_and(Run::has_been_ready);
        state.id == asker.id || (has_been_ready && !state.host.retired && group_of(state) == *group)
    };
    let servers: Vec<&HostState> = members.iter().filter(is_server).collect();
    let by_run = |state: &HostState| {
        state.run.as_ref().is_some_and(|run| match run.stage {
            // Of the latter two nothing is known to have happened yet.
            Stage::Ready | Stage::Armed | Stage::Netbooting => false,
            Stage::Failed | Stage::Cancelled => run.was_claimed(),
            _ => true,
        })
    };
    let by_node = |state: &HostState| {
        nodes.is_some_and(|nodes| !nodes.get(state.host.name.as_str()).is_some_and(|node| node.ready))
    };
    let asker_is_down = by_run(asker) || by_node(asker);
    // Others that wait in their live systems for the same slot: of those that are down one goes first. An inspection takes
    // no slot, and waits for none.
    let only_waits = |state: &HostState| {
        let waits =
            |run: &Run| run.stage == Stage::Live && !run.was_claimed() && run.permit.purpose != Purpose::Inspect;
        state.run.as_ref().is_some_and(waits)
    };
    let is_down = |state: &&&HostState| {
        let is_before_it = !(asker_is_down && only_waits(state));
        state.id != asker.id && is_before_it && (by_run(state) || by_node(state))
    };
    Ok(Servers {
        count: servers.len(),
        down: servers
            .iter()
            .filter(is_down)
            .map(|state| (state.id.0, state.host.name.clone()))
            .collect(),
        asker_is_down,
    })
}

/// Takes a slot for a new install of a host that was ready before. Says why there is none; a first install needs none.
pub(crate) async fn before_claim(
    app: &App,
    state: &HostState,
    claim: &thirdboot_lifecycle::Claim,
) -> Result<Option<String>, SubmitError> {
    let Some(run) = state.run.as_ref().filter(|run| run.number == claim.run) else {
        return Ok(None);
    };
    let is_free = run.replaces.is_none() || run.permit.purpose == Purpose::Inspect;
    // What is refused anyway takes nothing, and one that claimed before has its slot, or a person took it away.
    if is_free || run.was_claimed() || judge_claim(&state.host, run, claim, &[], app.store.now()).is_err() {
        return Ok(None);
    }
    // It is down, so nobody is spared by letting it wait for an API that may be what it is to mend.
    let nodes = nodes_beside(app, state).await.unwrap_or_default();
    let ask = question(app, state, LockReason::Reinstall { run: run.number }, nodes.as_ref()).await?;
    let slot = app.store.change_lock(LockChange::Ask(ask)).await?.slot;
    app.look_at_locks.notify_one();
    let Some(slot) = slot.filter(|slot| slot.state == SlotState::Waiting) else {
        return Ok(None);
    };
    let why = slot.note.unwrap_or_else(|| "no slot is free".to_owned());
    note(app, state, run, &why).await?;
    Ok(Some(why))
}

async fn note(app: &App, state: &HostState, run: &Run, why: &str) -> Result<(), SubmitError> {
    let noted = run.evidence.claim_wait.as_ref();
    let is_known =
        noted.is_some_and(|wait| wait.why == why && app.store.now().duration_since(wait.asked_at) < NOTED_EVERY);
    if is_known {
        return Ok(());
    }
    let submission = Submission::ClaimWaits {
        run: run.number,
        why: why.to_owned(),
    };
    match app.store.submit(state.id, submission).await {
        // Its live report is on its way yet.
        Ok(_) | Err(SubmitError::Refused(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// A claim that was refused after all gives back what was taken for it.
pub(crate) async fn claim_was_refused(
    app: &App,
    state: &HostState,
    run: thirdboot_lifecycle::RunNumber,
) -> Result<(), StoreError> {
    let reason = LockReason::Reinstall { run };
    let slot = app.store.lock_of(state.id).await?;
    let Some(slot) = slot.filter(|slot| slot.reason == reason) else {
        return Ok(());
    };
    let release = LockChange::Release {
        host: state.id,
        if_asks: Some(slot.asks),
        by: Actor::Server,
        why: "its claim was refused".to_owned(),
    };
    app.store.change_lock(release).await.map(drop)
}
