//! A cluster for people.

use std::fmt::Write as _;

use thirdboot_api::control::{ApiState, ClusterView, InitState, MemberView};

use crate::cli::table::{table, text};

/// One cluster.
pub(super) fn cluster(cluster: &ClusterView, columns: Option<u16>) -> String {
    let spec = &cluster.spec;
    let mut out = format!("{}  k3s {}\n", spec.name, spec.k3s.version);
    let mut line = |what: &str, value: String| {
        // A String takes every write.
        let _ = writeln!(out, "{what:<10}{value}");
    };
    line("init", init(cluster));
    line("api", api(cluster));
    line("pods", spec.pod_cidrs.join(", "));
    line("services", spec.service_cidrs.join(", "));
    line("network", network(cluster));
    if cluster.rotating {
        line(
            "tokens",
            "are being changed: nobody joins before that is finished".to_owned(),
        );
    }
    for warning in &cluster.warnings {
        line("warning", warning.clone());
    }
    if cluster.members.is_empty() {
        return out;
    }
    let mut rows = table(&["HOST", "ROLE", "STAGE", "NODE", "WAITS FOR"], columns);
    for member in &cluster.members {
        rows.add_row([
            member.name.clone(),
            member.role.to_string(),
            stage(member),
            node(member).to_owned(),
            member.waits_for.clone().unwrap_or_default(),
        ]);
    }
    format!("{out}\n{}\n", text(&rows).trim_end())
}

/// Every cluster.
pub(super) fn clusters(clusters: &[ClusterView], columns: Option<u16>) -> String {
    if clusters.is_empty() {
        return "no clusters\n".to_owned();
    }
    let mut rows = table(&["CLUSTER", "K3S", "INIT", "API", "READY"], columns);
    for cluster in clusters {
        let ready = cluster.members.iter().filter(|member| is_ready(member)).count();
        rows.add_row([
            cluster.spec.name.clone(),
            cluster.spec.k3s.version.clone(),
            init(cluster),
            cluster.api.state.to_string(),
            format!("{ready} of {}", cluster.members.len()),
        ]);
    }
    format!("{}\n", text(&rows).trim_end())
}

fn is_ready(member: &MemberView) -> bool {
    member.stage.as_ref().is_some_and(|stage| stage.as_str() == "ready")
}

fn init(cluster: &ClusterView) -> String {
    let host = cluster.init.host.as_deref();
    match (cluster.init.state, host) {
        (InitState::Open, _) => "not begun: the first server that asks begins it".to_owned(),
        (InitState::Reserved, host) => format!("{} was chosen to begin it", host.unwrap_or("a host")),
        (InitState::Granted, host) => format!("{} begins it", host.unwrap_or("a host")),
        (InitState::Done, Some(host)) => format!("begun by {host}"),
        (InitState::Done, None) => "begun, known by its kubeconfig".to_owned(),
        (InitState::InDoubt, _) => "in doubt".to_owned(),
    }
}

fn api(cluster: &ClusterView) -> String {
    let api = &cluster.api;
    let mut said = api.state.to_string();
    if let Some(why) = api.why.as_ref().filter(|_| api.state != ApiState::Reachable) {
        said = format!("{said}: {why}");
    }
    if !api.answering.is_empty() {
        said = format!("{said} ({})", api.answering.join(", "));
    }
    said
}

fn network(cluster: &ClusterView) -> String {
    let spec = &cluster.spec;
    let among = spec
        .vlan
        .map_or_else(|| "the uplink".to_owned(), |id| format!("VLAN {id}"));
    let pool = spec.pool.iter().flat_map(|pool| pool.ipv4.iter().chain(&pool.ipv6));
    let prefixes: Vec<&str> = pool.map(|range| range.prefix.as_str()).collect();
    let given = match prefixes.as_slice() {
        [] => String::new(),
        prefixes => format!(", addresses from {}", prefixes.join(" and ")),
    };
    format!("{among}{given}, flannel by {}", spec.flannel_backend)
}

fn stage(member: &MemberView) -> String {
    match (&member.stage, member.ready_by.as_deref()) {
        (None, _) => "not armed".to_owned(),
        (Some(stage), Some("own-word")) if is_ready(member) => format!("{stage} (own word)"),
        (Some(stage), _) => stage.to_string(),
    }
}

fn node(member: &MemberView) -> &'static str {
    match member.node_ready {
        Some(true) => "Ready",
        Some(false) => "not Ready",
        None => "-",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn prod() -> ClusterView {
        serde_json::from_value(json!({
            "spec": {"name": "prod", "k3s": {"version": "v1.34.1+k3s1", "binaries": {}}, "vlan": 1234, "pool": {"ipv4": {"prefix": "10.8.0.0/24"}}}, "etag": "\"e\"",
            "init": {"state": "done", "host": "s1", "run": 1, "since": "2026-09-01T12:00:00Z", "ca_sha256": "c0"},
            "rotating": false, "has_kubeconfig": true, "api": {"state": "reachable", "why": null, "answering": ["s1"]},
            "members": [
                {"name": "a1", "role": "agent", "stage": "networked", "joins": false, "waits_for": "s2 joins prod at the moment", "ready_by": null, "node_ready": false},
                {"name": "s1", "role": "server", "stage": "ready", "joins": false, "waits_for": null, "ready_by": "own-word", "node_ready": true},
                {"name": "s2", "role": "server", "stage": "joining", "joins": true, "waits_for": null, "ready_by": null, "node_ready": false}
            ],
            "warnings": ["2 servers: etcd tolerates no more failures than with 1"]
        }))
        .unwrap()
    }

    #[test]
    fn a_cluster_shows_its_hosts_and_whose_turn_it_is() {
        insta::assert_snapshot!(cluster(&prod(), None));
    }

    #[test]
    fn a_list_shows_a_line_each() {
        insta::assert_snapshot!(clusters(&[prod()], None));
        assert_eq!(clusters(&[], None), "no clusters\n");
    }
}
