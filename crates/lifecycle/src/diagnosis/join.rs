//! Why a host is not in its cluster.

use jiff::Timestamp;

use super::{Cause, Diagnosis, ago, found};
use crate::{NodeWord, Run, Stage};

/// It waits for its turn: nothing is wrong with this host, and somebody else may be stuck.
pub(super) fn waiting(run: &Run, now: Timestamp) -> Option<Diagnosis> {
    let wait = run
        .evidence
        .join_wait
        .as_ref()
        .filter(|_| run.stage == Stage::Networked)?;
    Some(found(
        Cause::WaitingForTurn,
        format!(
            "the network is proven, and it waits to join since {}: {}",
            ago(wait.since, now),
            wait.why
        ),
        "nothing is wrong with this host: look at the one that it waits for, and at `thirdboot cluster show`",
    ))
}

/// It was let in, or nothing answers.
pub(super) fn stuck(run: &Run, since: &str, now: Timestamp) -> Diagnosis {
    if let Some(waiting) = waiting(run, now) {
        return waiting;
    }
    if let Some(node) = run.evidence.node.as_ref().filter(|node| node.word.contradicts()) {
        let advice = match &node.word {
            NodeWord::Missing => {
                "k3s does not reach its server or is refused by it: look at the journal of k3s.service for the token, the CA, the clock and port 6443"
            }
            _ => "look at the journal of k3s.service, and at the node's conditions with kubectl describe node",
        };
        return found(
            Cause::NodeNotReady,
            format!("it was given its join, and for {} {}", lasting(node.at, now), node.word),
            advice,
        );
    }
    found(
        Cause::JoinStuck,
        format!(
            "the network is proven, and the join has not ended ({} {since})",
            run.stage
        ),
        "a stale Node object, a changed cluster CA, an etcd learner that is stuck, or a wrong clock: look at the journal of k3s, and at whose turn it is in the join queue",
    )
}

fn lasting(then: Timestamp, now: Timestamp) -> String {
    let text = ago(then, now);
    text.strip_suffix(" ago").unwrap_or(&text).to_owned()
}

/// What a refusal that a host reported means. The words are those of k3s' own log, and of this server.
pub(super) fn refused(message: &str) -> &'static str {
    let message = message.to_ascii_lowercase();
    let says = |word: &str| message.contains(word);
    if says("password rejected") || says("duplicate hostname") {
        return "a Node object of this name is left from an earlier installation: delete it (kubectl delete node, and the secret <node>.node-password.k3s in kube-system), then arm the host again";
    }
    if says("ca hash") || says("x509") || says("certificate") {
        return "the CA that answers is not the one that the cluster was begun with, or the host's clock is wrong: compare both, and hand in the cluster's kubeconfig again if its CA was changed on purpose";
    }
    if says("learner") || says("etcd") {
        return "etcd takes one new member at a time: look for a member that never came up (kubectl get nodes, etcdctl member list), remove it, then arm the host again";
    }
    if says("token") || says("unauthorized") || says("401") {
        return "the servers take another token than the one that is handed out: thirdboot cluster rotate-token brings both together";
    }
    if says("plain http") {
        return "join material is handed out over HTTPS only: serve the boot plane with TLS, or allow plain HTTP for this cluster (insecure_join)";
    }
    if says("download") || says("fetched") || says("checksum") {
        return "the k3s binary could not be had: check the assets, and the cluster's sha256 for this architecture";
    }
    "look at the journal of thirdboot-join.service and k3s.service on the host"
}
