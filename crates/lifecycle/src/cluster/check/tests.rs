use serde_json::{Value, json};

use super::*;

fn spec(changed: &Value) -> Result<(), String> {
    let mut spec = json!({"name": "prod", "k3s": {"version": "v1.34.1+k3s1", "binaries": {"x86_64": {"sha256": "ab".repeat(32)}}}});
    for (key, value) in changed.as_object().unwrap() {
        spec[key] = value.clone();
    }
    let spec: ClusterSpec = serde_json::from_value(spec).map_err(|error| error.to_string())?;
    check_cluster(&spec).map_err(|error| error.field)
}

#[test]
fn a_cluster_needs_a_name_a_version_and_a_checksum() {
    assert_eq!(spec(&json!({})), Ok(()));
    assert_eq!(
        spec(
            &json!({"vlan": 1234, "tls_san": ["k8s.example.net", "2001:db8::1"], "disable": ["traefik"],
        "pod_cidrs": ["10.42.0.0/16", "fd00:42::/56"], "service_cidrs": ["10.43.0.0/16", "fd00:43::/112"],
        "flannel_backend": "wireguard-native", "agent": {"labels": {"rack": "7"}, "taints": ["a=b:NoSchedule"]},
        "manifests": {"kube-vip.yaml": "kind: DaemonSet\n"}})
        ),
        Ok(())
    );
}

#[test]
fn each_field_at_fault_is_named() {
    let good = "ab".repeat(32);
    let binaries = |binary: Value| json!({"k3s": {"version": "v1.34.1+k3s1", "binaries": {"x86_64": binary}}});
    for (changed, field) in [
        (
            json!({"k3s": {"version": "1.34", "binaries": {"x86_64": {"sha256": good}}}}),
            "k3s.version",
        ),
        (
            json!({"k3s": {"version": "v1.34.1+k3s1", "binaries": {}}}),
            "k3s.binaries",
        ),
        (
            binaries(json!({"sha256": "AB".repeat(32)})),
            "k3s.binaries.x86_64.sha256",
        ),
        (
            binaries(json!({"sha256": good, "url": "ftp://x/k3s"})),
            "k3s.binaries.x86_64.url",
        ),
        (
            binaries(json!({"sha256": good, "url": "https://a b/k3s"})),
            "k3s.binaries.x86_64.url",
        ),
        (json!({"vlan": 1}), "vlan"),
        (json!({"vlan": 4095}), "vlan"),
        (json!({"pool": {"ipv4": {"prefix": "10.8.0.0/24"}}}), "pool"),
        (json!({"vlan": 7, "pool": {}}), "pool"),
        (
            json!({"vlan": 7, "pool": {"ipv4": {"prefix": "fd00::/64"}}}),
            "pool.ipv4.prefix",
        ),
        (
            json!({"vlan": 7, "pool": {"ipv4": {"prefix": "10.42.7.0/24"}}}),
            "pool.ipv4.prefix",
        ),
        (json!({"pod_cidrs": []}), "pod_cidrs"),
        (json!({"pod_cidrs": ["10.42.0.0/16", "10.44.0.0/16"]}), "pod_cidrs"),
        (json!({"pod_cidrs": ["10.42.0.1/16"]}), "pod_cidrs[0]"),
        (json!({"pod_cidrs": ["10.42.0.0/24"]}), "pod_cidrs[0]"),
        (json!({"pod_cidrs": ["10.43.0.0/16"]}), "service_cidrs[0]"),
        (json!({"pod_cidrs": ["10.42.0.0/16", "fd00::/56"]}), "service_cidrs"),
        (json!({"service_cidrs": ["fd00::/112"]}), "service_cidrs"),
        (
            json!({"pod_cidrs": ["fd00:42::/56"], "service_cidrs": ["fd00:43::/64"]}),
            "service_cidrs[0]",
        ),
        (json!({"tls_san": ["k8s.example.net:6443"]}), "tls_san[0]"),
        (json!({"tls_san": ["K8S"]}), "tls_san[0]"),
        (json!({"disable": ["traefik", "a b"]}), "disable[1]"),
        (json!({"manifests": {"../x.yaml": "a: b"}}), "manifests.../x.yaml"),
        (json!({"manifests": {"x.sh": "a: b"}}), "manifests.x.sh"),
        (json!({"manifests": {"x.yaml": " "}}), "manifests.x.yaml"),
    ] {
        assert_eq!(spec(&changed), Err(field.to_owned()), "{changed}");
    }
}

#[test]
fn versions_are_those_of_releases() {
    for good in ["v1.34.1+k3s1", "v1.30.10+k3s2", "v1.34.1-rc1+k3s1"] {
        assert!(is_version(good), "{good}");
    }
    for bad in [
        "",
        "v1.34.1",
        "1.34.1+k3s1",
        "v1.34+k3s1",
        "v1.34.1+k3s",
        "v1.34.1+k3s1 ",
        "v1.x.1+k3s1",
        "v1.34.1-+k3s1",
    ] {
        assert!(!is_version(bad), "{bad}");
    }
}

#[test]
fn what_servers_share_stays_once_the_cluster_may_have_begun() {
    let of = |changed: Value| {
        let mut spec = json!({"name": "prod", "k3s": {"version": "v1.34.1+k3s1", "binaries": {"x86_64": {"sha256": "ab".repeat(32)}}}});
        for (key, value) in changed.as_object().unwrap() {
            spec[key] = value.clone();
        }
        serde_json::from_value::<ClusterSpec>(spec).unwrap()
    };
    let before = of(json!({}));
    assert_eq!(
        changed_after_begin(&before, &of(json!({"tls_san": ["a"], "vlan": 7, "selinux": false}))),
        None
    );
    assert_eq!(
        changed_after_begin(&before, &of(json!({"disable": ["traefik"]}))),
        Some("disable")
    );
    assert_eq!(
        changed_after_begin(&before, &of(json!({"flannel_backend": "host-gw"}))),
        Some("flannel_backend")
    );
    assert_eq!(
        changed_after_begin(&before, &of(json!({"pod_cidrs": ["10.40.0.0/16"]}))),
        Some("pod_cidrs")
    );
}
