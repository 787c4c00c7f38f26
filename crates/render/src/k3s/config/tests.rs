use serde_json::{Value, json};
use thirdboot_lifecycle::FlannelBackend;

use super::*;

const CA: &str = "9b1c5f0e7a6d4c3b2a190807f6e5d4c3b2a19080706f5e4d3c2b1a0908070605";

fn cluster(changed: &Value) -> ClusterSpec {
    let mut spec = json!({
        "name": "prod", "vlan": 1234, "tls_san": ["k8s.example.net", "192.0.2.7"], "disable": ["traefik", "servicelb"],
        "k3s": {"version": "v1.34.1+k3s1", "binaries": {"x86_64": {"sha256": "ab".repeat(32)}}},
        "server": {"taints": ["node-role.example.net/control-plane:NoSchedule"]},
        "agent": {"labels": {"rack": "7", "example.net/kind": "bare metal".replace(' ', "-")}},
    });
    for (key, value) in changed.as_object().unwrap() {
        spec[key] = value.clone();
    }
    serde_json::from_value(spec).unwrap()
}

fn dual() -> ClusterSpec {
    cluster(&json!({"pod_cidrs": ["10.42.0.0/16", "fd00:42::/56"], "service_cidrs": ["10.43.0.0/16", "fd00:43::/112"]}))
}

fn ips(list: &[&str]) -> Vec<IpAddr> {
    list.iter().map(|ip| ip.parse().unwrap()).collect()
}

fn first() -> Membership<'static> {
    Membership::First {
        token: "servertoken",
        agent_token: "agenttoken",
    }
}

fn server(by: &str) -> Membership<'static> {
    Membership::Server {
        by: by.parse().unwrap(),
        ca_sha256: CA,
        token: "servertoken",
        agent_token: "agenttoken",
    }
}

fn agent(by: &str) -> Membership<'static> {
    Membership::Agent {
        by: by.parse().unwrap(),
        ca_sha256: CA,
        agent_token: "agenttoken",
    }
}

fn written(cluster: &ClusterSpec, node_ips: &[&str], external: &[&str], membership: Membership<'_>) -> String {
    node_config(&NodeConfig {
        cluster,
        name: &"node-1".parse().unwrap(),
        node_ips: &ips(node_ips),
        external_ips: &ips(external),
        interface: Some("bond0.1234"),
        membership,
    })
}

#[test]
fn the_first_server_begins_with_the_bare_token() {
    insta::assert_snapshot!("first", written(&cluster(&json!({})), &["10.8.0.5"], &[], first()));
    insta::assert_snapshot!(
        "first_dual",
        written(
            &dual(),
            &["10.8.0.5", "fd00:8::5"],
            &["192.0.2.10", "2001:db8::10"],
            first()
        )
    );
}

#[test]
fn a_further_server_pins_the_ca() {
    insta::assert_snapshot!(
        "server",
        written(&cluster(&json!({})), &["10.8.0.6"], &[], server("10.8.0.5"))
    );
    insta::assert_snapshot!(
        "server_dual",
        written(&dual(), &["10.8.0.6", "fd00:8::6"], &[], server("fd00:8::5"))
    );
}

#[test]
fn an_agent_gets_neither_the_server_token_nor_what_servers_share() {
    let single = written(&cluster(&json!({})), &["10.8.0.7"], &[], agent("10.8.0.5"));
    let dual = written(&dual(), &["10.8.0.7", "fd00:8::7"], &[], agent("10.8.0.5"));
    for file in [&single, &dual] {
        assert!(
            !file.contains("servertoken") && !file.contains("agent-token:") && !file.contains("cidr"),
            "{file}"
        );
    }
    insta::assert_snapshot!("agent", single);
    insta::assert_snapshot!("agent_dual", dual);
}

#[test]
fn each_backend_is_the_servers_to_say() {
    for backend in [
        FlannelBackend::Vxlan,
        FlannelBackend::HostGw,
        FlannelBackend::WireguardNative,
    ] {
        let cluster = cluster(&json!({"flannel_backend": backend}));
        for membership in [first(), server("10.8.0.5")] {
            let file = written(&cluster, &["10.8.0.5"], &[], membership);
            assert!(
                file.contains(&format!("flannel-backend: \"{}\"\n", backend.as_str())),
                "{file}"
            );
        }
        assert!(!written(&cluster, &["10.8.0.7"], &[], agent("10.8.0.5")).contains("flannel-backend"));
    }
}

#[test]
fn two_servers_of_a_cluster_share_what_they_must() {
    let shared = |file: String| {
        let own = ["cluster-init", "server:", "token:", "node-"];
        file.lines()
            .filter(|line| !own.iter().any(|key| line.starts_with(key)))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        shared(written(&dual(), &["10.8.0.5", "fd00:8::5"], &[], first())),
        shared(written(&dual(), &["10.8.0.6", "fd00:8::6"], &[], server("10.8.0.5")))
    );
}

#[test]
fn no_value_breaks_out_of_its_line() {
    assert_eq!(quoted("a\"\nb: c"), r#""a\"\nb: c""#);
}

#[test]
fn a_membership_does_not_show_its_tokens() {
    assert!(!format!("{:?}", first()).contains("token"));
}
