//! Looks at clusters, and does in them what a join needs.
//!
//! Handlers must not wait for machines that may be down; so one task goes round, beside the reconciler: which known
//! servers answer, whether the API does, what an earlier installation left behind, which nodes are Ready. A round is
//! idempotent, takes no input, may be cut off at any point and is the same after a restart. It runs every [`PERIOD`], and
//! at once when a host asks to join and nothing is known yet.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use thirdboot_lifecycle::{BootId, Cluster, Init, NodeWord, Role, Run, RunNumber, Stage};
use thirdboot_store::{ClusterState, HostState, Submission, SubmitError};

use super::nodes::{NodeFacts, Nodes, Trouble};
use super::probe::Prober;
use super::watched::{ApiSeen, Begun};
use super::{Access, Seen, open_access, place};
use crate::App;

/// Between two rounds: a host that joins is Ready within a minute at best.
pub(crate) const PERIOD: Duration = Duration::from_secs(10);
/// Rounds follow each other no sooner, however many hosts ask.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
/// Where k3s serves.
pub(crate) const API_PORT: u16 = 6443;

/// Goes round until it is dropped.
pub(crate) async fn run(app: App) {
    if app.clusters.is_blind() {
        return;
    }
    let prober = match Prober::new(API_PORT) {
        Ok(prober) => prober,
        Err(error) => {
            tracing::error!(%error, "clusters cannot be looked at: no TLS client");
            return;
        }
    };
    loop {
        round(&app, &prober, API_PORT).await;
        tokio::time::sleep(SHORTEST_PAUSE).await;
        tokio::select! {
            () = tokio::time::sleep(PERIOD) => {}
            () = app.look_at_clusters.notified() => {}
        }
    }
}

/// A server of a cluster that has not answered for so long is not the only one that is asked.
const HEDGE: Duration = Duration::from_secs(1);
/// How long the API of one cluster may take: the others' next look waits for it.
const ROUND_LIMIT: Duration = Duration::from_secs(15);

/// One round over all clusters, side by side: one that is silent must not hold up the others.
pub(super) async fn round(app: &App, prober: &Prober, port: u16) {
    let begun = app.clusters.begin();
    let clusters = match app.store.clusters().await {
        Ok(clusters) => clusters,
        Err(error) => {
            tracing::warn!(%error, "cannot list clusters; trying again later");
            return;
        }
    };
    join_all(clusters.iter().map(|kept| one(app, prober, port, kept, begun))).await;
}

async fn one(app: &App, prober: &Prober, port: u16, kept: &ClusterState, begun: Begun) {
    let name = &kept.cluster.spec.name;
    let hosts = match app.store.hosts_of(name).await {
        Ok(hosts) => hosts,
        Err(error) => {
            tracing::warn!(%error, cluster = %name, "cannot list a cluster's hosts; trying again later");
            return;
        }
    };
    let mut seen = app.clusters.of(name);
    let servers = servers(&kept.cluster, &hosts);
    let access = kept
        .kubeconfig
        .as_ref()
        .map(|sealed| open_access(&app.secrets, name, sealed));
    let access = access.filter(|_| matches!(kept.cluster.init, Init::Done { .. }));
    // Of a bundle k3s pins the root and serves all of it: both are hashes of this cluster.
    let known: Vec<String> = kept
        .cluster
        .ca_sha256()
        .map(str::to_owned)
        .into_iter()
        .chain(access.iter().flatten().map(Access::ca_sha256))
        .collect();
    probe(prober, &kept.cluster, &known, &servers, &mut seen).await;
    match access {
        Some(Ok(access)) => {
            let asked = ask(app, port, kept, &access, &hosts, &servers, &mut seen);
            if tokio::time::timeout(ROUND_LIMIT, asked).await.is_err() {
                tracing::warn!(cluster = %name, "the API of a cluster takes too long to answer");
                let limit = ROUND_LIMIT.as_secs();
                seen.api = ApiSeen::Unreachable(format!("it did not answer everything within {limit} s"));
                seen.nodes.clear();
            }
        }
        Some(Err(_)) => {
            seen.api = ApiSeen::Unreachable("its kubeconfig cannot be opened: was the master key changed?".to_owned());
        }
        None => {
            seen.api = ApiSeen::Unknown;
            seen.clean.clear();
            seen.nodes.clear();
        }
    }
    app.clusters.keep(name, seen, begun);
}

/// A server and its addresses in the cluster.
pub(super) struct Server {
    host: u64,
    name: String,
    addresses: Vec<IpAddr>,
}

/// Every server that ever had a network in this cluster.
pub(super) fn servers(cluster: &Cluster, hosts: &[HostState]) -> Vec<Server> {
    hosts
        .iter()
        .filter_map(|state| {
            let run = state.run.as_ref().filter(|run| run.role == Role::Server)?;
            Some(Server {
                host: state.id.0,
                name: state.host.name.to_string(),
                addresses: place(&cluster.spec, &state.host, run).ok()?.node_ips,
            })
        })
        .collect()
}

async fn probe(prober: &Prober, cluster: &Cluster, known: &[String], servers: &[Server], seen: &mut Seen) {
    let answers = join_all(servers.iter().map(|server| async move {
        let asked = server.addresses.iter().map(|address| prober.ca_sha256(*address));
        join_all(asked).await.into_iter().flatten().next()
    }));
    let names = join_all(cluster.spec.tls_san.iter().map(|name| prober.ca_sha256_of_name(name)));
    let (answers, names) = tokio::join!(answers, names);
    let mut answering = BTreeSet::new();
    let mut others = Vec::new();
    for (server, answer) in servers.iter().zip(answers) {
        match answer {
            Some(ca) if known.contains(&ca) => answering.extend([server.host]),
            Some(_) => others.push((Some(server.host), server.name.clone())),
            None => {}
        }
    }
    for (name, answer) in cluster.spec.tls_san.iter().zip(names) {
        if answer.is_some_and(|ca| !known.contains(&ca)) {
            others.push((None, name.clone()));
        }
    }
    seen.answering = answering;
    seen.others = others;
    seen.looked_at = Some(Instant::now());
}

/// Asks the API by a server that answers.
async fn ask(
    app: &App,
    port: u16,
    kept: &ClusterState,
    access: &Access,
    hosts: &[HostState],
    servers: &[Server],
    seen: &mut Seen,
) {
    match first_that_lists(port, servers, seen, access).await {
        Ok((nodes, listed)) => {
            seen.api = ApiSeen::Reachable;
            clean(app, kept, hosts, &nodes, &listed, seen).await;
            words(app, hosts, Some(&listed), seen).await;
        }
        Err(why) => {
            seen.api = ApiSeen::Unreachable(why);
            seen.nodes.clear();
            words(app, hosts, None, seen).await;
        }
    }
}

/// Asks those that answered just now, one after the other: who has not answered after [`HEDGE`] has had its turn, and the
/// first answer counts. One that hangs so holds up nobody.
pub(super) async fn first_that_lists(
    port: u16,
    servers: &[Server],
    seen: &Seen,
    access: &Access,
) -> Result<(Nodes, BTreeMap<String, NodeFacts>), String> {
    let mut left = Vec::new();
    for server in servers.iter().filter(|server| seen.answering.contains(&server.host)) {
        left.extend(server.addresses.iter().map(|address| (server.name.as_str(), *address)));
    }
    let mut left = left.into_iter();
    let mut asked = FuturesUnordered::new();
    let mut last = "none of its servers has answered".to_owned();
    loop {
        let has_more = match left.next() {
            Some(next) => {
                asked.push(lists(port, next, access));
                true
            }
            None => false,
        };
        tokio::select! {
            answer = asked.next() => match answer {
                Some(Ok(found)) => return Ok(found),
                Some(Err(why)) => last = why,
                None => return Err(last),
            },
            () = tokio::time::sleep(HEDGE), if has_more => {}
        }
    }
}

async fn lists(
    port: u16,
    (name, address): (&str, IpAddr),
    access: &Access,
) -> Result<(Nodes, BTreeMap<String, NodeFacts>), String> {
    let listed = async {
        let nodes = Nodes::at(address, port, access)?;
        let listed = nodes.list().await?;
        Ok::<_, Trouble>((nodes, listed))
    };
    listed.await.map_err(|trouble| format!("{name}: {trouble}"))
}

fn boots(run: &Run) -> Vec<&BootId> {
    run.evidence
        .boots
        .iter()
        .filter(|boot| boot.role == 3)
        .map(|boot| &boot.boot_id)
        .collect()
}

/// Removes what an earlier installation of a host left, before its join: never after it, when the node may be the new one.
async fn clean(
    app: &App,
    kept: &ClusterState,
    hosts: &[HostState],
    nodes: &Nodes,
    listed: &BTreeMap<String, NodeFacts>,
    seen: &mut Seen,
) {
    seen.clean.retain(|(host, run)| is_waiting(hosts, *host, *run));
    for state in hosts {
        let Some(run) = state
            .run
            .as_ref()
            .filter(|run| run.stage == Stage::Networked && run.role.joins())
        else {
            continue;
        };
        let key = (state.id.0, run.number);
        let has_slot = kept
            .cluster
            .slots
            .iter()
            .any(|slot| (slot.holder.host, slot.holder.run) == key);
        if has_slot || seen.clean.contains(&key) {
            continue;
        }
        // As it is now: a join may have been handed out since the hosts were listed.
        match app.store.host_by_id(state.id).await {
            Ok(Some(now))
                if now
                    .run
                    .as_ref()
                    .is_some_and(|now| (now.number, now.stage) == (run.number, run.stage)) => {}
            _ => continue,
        }
        let name = state.host.name.as_str();
        match clean_one(nodes, name, run, listed.get(name)).await {
            Ok(true) => seen.clean.extend([key]),
            Ok(false) => {}
            Err(trouble) => {
                tracing::warn!(%trouble, node = name, "what an earlier installation left cannot be removed yet");
            }
        }
    }
}

fn is_waiting(hosts: &[HostState], host: u64, number: RunNumber) -> bool {
    hosts.iter().any(|state| {
        state.id.0 == host
            && state
                .run
                .as_ref()
                .is_some_and(|run| run.number == number && !run.stage.is_end())
    })
}

/// Whether nothing is left.
async fn clean_one(nodes: &Nodes, name: &str, run: &Run, node: Option<&NodeFacts>) -> Result<bool, Trouble> {
    if let Some(node) = node {
        if node.word(&boots(run)) != NodeWord::Missing {
            return Ok(true);
        }
        tracing::info!(node = name, "removing the node of an earlier installation");
        if !nodes.remove_node(name).await? {
            return Ok(false);
        }
    }
    nodes.remove_password(name).await
}

/// Tells the runs what the API says of their nodes, when that is something new.
async fn words(app: &App, hosts: &[HostState], listed: Option<&BTreeMap<String, NodeFacts>>, seen: &mut Seen) {
    if listed.is_some() {
        seen.nodes.clear();
    }
    for state in hosts {
        let Some(run) = state.run.as_ref().filter(|run| run.role.joins()) else {
            continue;
        };
        let word = match listed {
            Some(listed) => word_of(state, run, listed),
            None => NodeWord::Unreachable,
        };
        if listed.is_some() {
            seen.nodes.insert(state.id.0, word.clone());
        }
        let known = run.evidence.node.as_ref().map(|node| &node.word);
        if run.stage != Stage::Joining || known == Some(&word) || (known.is_none() && word == NodeWord::Unreachable) {
            continue;
        }
        let submission = Submission::NodeSeen { run: run.number, word };
        match app.store.submit(state.id, submission).await {
            // It moved on meanwhile.
            Ok(_) | Err(SubmitError::Refused(_) | SubmitError::NotNow(_) | SubmitError::NoSuchHost) => {}
            Err(error) => {
                tracing::warn!(%error, host = %state.host.name, "what the API says cannot be stored; trying again later");
            }
        }
    }
}

/// After its join a node may reboot: then the boot that its kubelet names is the observed one.
fn word_of(state: &HostState, run: &Run, listed: &BTreeMap<String, NodeFacts>) -> NodeWord {
    let mut known = boots(run);
    known.extend(state.observed.as_ref().and_then(|observed| observed.boot_id.as_ref()));
    listed
        .get(state.host.name.as_str())
        .map_or(NodeWord::Missing, |node| node.word(&known))
}

#[cfg(test)]
mod tests;
