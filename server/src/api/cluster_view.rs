//! A cluster as the API shows it: no token, no kubeconfig.

use thirdboot_api::control::{ApiState, ApiView, ClusterView, InitState, InitView, MemberView};
use thirdboot_lifecycle::{Cluster, Init, NodeWord, ReadyBy, Role, Stage};
use thirdboot_store::{ClusterState, HostState};

use super::fitting::is_owed_address;
use super::version::tag_of;
use crate::App;
use crate::cluster::{ApiSeen, Seen};
use crate::problem::Failure;

/// The policy of k3s.
const POLICY: &str = "k3s-selinux";

/// What is known of it now.
pub(super) async fn view(app: &App, state: &ClusterState) -> Result<ClusterView, Failure> {
    let cluster = &state.cluster;
    let hosts = app.store.hosts_of(&cluster.spec.name).await?;
    let seen = app.clusters.of(&cluster.spec.name);
    let spec = serde_json::to_value(&cluster.spec)
        .and_then(serde_json::from_value)
        .map_err(Failure::internal)?;
    Ok(ClusterView {
        spec,
        etag: tag_of(&cluster.spec),
        init: init(cluster),
        rotating: cluster.rotating,
        has_kubeconfig: state.kubeconfig.is_some(),
        api: api(app, &seen, &hosts),
        members: hosts.iter().map(|host| member(cluster, &seen, host)).collect(),
        warnings: warnings(app, cluster, &seen, &hosts).await?,
    })
}

fn init(cluster: &Cluster) -> InitView {
    let (state, holder, since) = match &cluster.init {
        Init::Open => (InitState::Open, None, None),
        Init::Reserved { name, .. } => (InitState::Reserved, Some((name.to_string(), None)), None),
        Init::Granted { to, at } => (
            InitState::Granted,
            Some((to.name.to_string(), Some(to.run.0))),
            Some(*at),
        ),
        Init::Done { by, at, .. } => (
            InitState::Done,
            by.as_ref().map(|by| (by.name.to_string(), Some(by.run.0))),
            Some(*at),
        ),
    };
    let (host, run) = holder.map_or((None, None), |(host, run)| (Some(host), run));
    InitView {
        state: if cluster.in_doubt { InitState::InDoubt } else { state },
        host,
        run,
        since,
        ca_sha256: cluster.ca_sha256().map(str::to_owned),
    }
}

fn api(app: &App, seen: &Seen, hosts: &[HostState]) -> ApiView {
    let (state, why) = match &seen.api {
        _ if app.clusters.is_blind() => {
            let why = "clusters are not looked at from here: nodes are ready by their own word";
            (ApiState::Unreachable, Some(why.to_owned()))
        }
        ApiSeen::Unknown => (ApiState::Unknown, None),
        ApiSeen::Unreachable(why) => (ApiState::Unreachable, Some(why.clone())),
        ApiSeen::Reachable => (ApiState::Reachable, None),
    };
    let answering = hosts.iter().filter(|host| seen.answering.contains(&host.id.0));
    ApiView {
        state,
        why,
        answering: answering.map(|host| host.host.name.to_string()).collect(),
    }
}

fn member(cluster: &Cluster, seen: &Seen, state: &HostState) -> MemberView {
    let run = state.run.as_ref();
    let role = run.map_or(state.host.role, |run| run.role);
    let evidence = run.map(|run| &run.evidence);
    let holds_slot = |slot: &thirdboot_lifecycle::Slot| {
        slot.holder.host == state.id.0 && run.is_some_and(|run| run.number == slot.holder.run && !run.stage.is_end())
    };
    MemberView {
        name: state.host.name.to_string(),
        role: match role {
            Role::Server => thirdboot_api::control::Role::Server,
            Role::Agent => thirdboot_api::control::Role::Agent,
            Role::Runner => thirdboot_api::control::Role::Runner,
        },
        stage: run.map(|run| run.stage.as_str().into()),
        joins: cluster.slots.iter().any(holds_slot),
        waits_for: evidence
            .filter(|_| run.is_some_and(|run| run.stage == Stage::Networked))
            .and_then(|evidence| evidence.join_wait.as_ref())
            .map(|wait| wait.why.clone()),
        ready_by: evidence.and_then(|evidence| evidence.ready_by).map(|by| match by {
            ReadyBy::Api => "api".to_owned(),
            ReadyBy::OwnWord => "own-word".to_owned(),
        }),
        node_ready: seen.nodes.get(&state.id.0).map(|word| *word == NodeWord::Ready),
    }
}

async fn warnings(app: &App, cluster: &Cluster, seen: &Seen, hosts: &[HostState]) -> Result<Vec<String>, Failure> {
    let name = &cluster.spec.name;
    let mut warnings = Vec::new();
    if cluster.in_doubt {
        warnings.push(format!(
            "the database is an older copy or a foreign one, and {name} may have begun since: hand in its kubeconfig (`thirdboot cluster kubeconfig {name} --set FILE`), or choose who begins it (`thirdboot cluster move-init {name}`)"
        ));
    }
    if !seen.others.is_empty() {
        let others: Vec<&str> = seen.others.iter().map(|(_, name)| name.as_str()).collect();
        warnings.push(format!(
            "another cluster, or one that is not known here, answers at {}",
            others.join(", ")
        ));
    }
    let servers = hosts
        .iter()
        .filter(|host| host.host.role == Role::Server && !host.host.retired)
        .count();
    if servers > 0 && servers.is_multiple_of(2) {
        warnings.push(format!(
            "{servers} servers: etcd tolerates no more failures than with {}",
            servers - 1
        ));
    }
    if !cluster.spec.insecure_join && !app.settings.config_url.is_https() {
        warnings.push(
            "configs go over plain HTTP: no host gets its join before that is HTTPS, or allowed by insecure_join"
                .to_owned(),
        );
    }
    let owed = hosts
        .iter()
        .filter(|state| !state.host.retired && is_owed_address(&cluster.spec, &state.host));
    let vlan = cluster.spec.vlan.unwrap_or_default();
    warnings.extend(owed.map(|state| {
        format!(
            "{} has no address on VLAN {vlan}: the pool had none left; make it larger, then save the host once more",
            state.host.name
        )
    }));
    if cluster.spec.selinux {
        warnings.extend(without_policy(app).await?);
    }
    Ok(warnings)
}

/// k3s under `SELinux` needs its policy on every node, and none of Fedora's repositories has it.
async fn without_policy(app: &App) -> Result<Vec<String>, Failure> {
    let repositories = app.store.repositories().await?;
    let mut warnings = Vec::new();
    for role in [Role::Server, Role::Agent] {
        let layered = app.store.role_defaults(role).await?.value.packages;
        let is_served = repositories.iter().any(|repository| repository.value.serves(role));
        let role = role.as_str();
        if !layered.iter().any(|package| package == POLICY) {
            warnings.push(format!(
                "selinux is on, and {POLICY} is not among the packages of every {role}: `thirdboot role set {role} --package {POLICY}`"
            ));
        } else if !is_served {
            warnings.push(format!(
                "every {role} layers {POLICY}, which Fedora's repositories do not have, and no other is kept for that role: add Rancher's with `thirdboot repository add`"
            ));
        }
    }
    Ok(warnings)
}
