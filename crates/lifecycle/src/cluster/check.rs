//! What a cluster must be like, and what of it cannot change once it may have begun.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Binary, ClusterSpec};

/// Names and addresses in the API server's certificate.
const MAX_TLS_SAN: usize = 32;
/// Files that k3s applies by itself.
const MAX_MANIFESTS: usize = 32;
/// Bytes of one such file, and of all: they travel with every server's join.
const MAX_MANIFEST_BYTES: usize = 256 << 10;
const MAX_MANIFESTS_BYTES: usize = 512 << 10;

/// A field of a cluster that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct InvalidCluster {
    /// Its path, such as `pod_cidrs[1]`.
    pub field: String,
    /// What was expected.
    pub why: String,
}

fn refuse<T>(field: impl Into<String>, why: impl Into<String>) -> Result<T, InvalidCluster> {
    Err(InvalidCluster {
        field: field.into(),
        why: why.into(),
    })
}

/// Checks what its types do not say.
///
/// # Errors
/// The first field that is not as it must be.
pub fn check_cluster(spec: &ClusterSpec) -> Result<(), InvalidCluster> {
    k3s(spec)?;
    cidrs(spec)?;
    if let Some(vlan) = spec.vlan
        && !(2..=4094).contains(&vlan)
    {
        return refuse("vlan", format!("{vlan} is not a VLAN id: expected 2 to 4094"));
    }
    pool(spec)?;
    names(spec)?;
    manifests(spec)
}

fn k3s(spec: &ClusterSpec) -> Result<(), InvalidCluster> {
    if !is_version(&spec.k3s.version) {
        let why = format!(
            "{:?} is not a version of k3s: expected one like v1.34.1+k3s1",
            spec.k3s.version
        );
        return refuse("k3s.version", why);
    }
    if spec.k3s.binaries.is_empty() {
        return refuse("k3s.binaries", "expected at least one architecture with its sha256");
    }
    for (arch, Binary { sha256, url }) in &spec.k3s.binaries {
        let at = |field: &str| format!("k3s.binaries.{}.{field}", arch.as_str());
        if sha256.len() != 64 || !sha256.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')) {
            return refuse(
                at("sha256"),
                "expected 64 lower-case hex digits, as in the release's sha256sum file",
            );
        }
        if let Some(url) = url
            && !is_url(url)
        {
            return refuse(
                at("url"),
                "expected an absolute http:// or https:// URL without spaces, user and fragment",
            );
        }
    }
    Ok(())
}

fn is_version(version: &str) -> bool {
    let parse = || {
        let (kubernetes, k3s) = version.strip_prefix('v')?.split_once("+k3s")?;
        let (numbers, pre) = kubernetes.split_once('-').unwrap_or((kubernetes, "rc1"));
        let numbers: Vec<&str> = numbers.split('.').collect();
        let is_number = |text: &str| (1..=4).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit());
        let is_pre = !pre.is_empty() && pre.len() <= 20 && pre.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'.');
        (numbers.len() == 3 && numbers.into_iter().all(is_number) && is_number(k3s) && is_pre).then_some(())
    };
    parse().is_some()
}

fn is_url(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else {
        return false;
    };
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let is_plain = |c: u8| c.is_ascii_graphic() && !matches!(c, b'"' | b'\'' | b'\\' | b'<' | b'>' | b'#' | b'`');
    url.len() <= 1000 && !host.is_empty() && !host.contains('@') && url.bytes().all(is_plain)
}

/// Whether it is a name that DNS can carry; in lower case, as Kubernetes wants it.
pub(super) fn is_dns_name(text: &str) -> bool {
    let is_label = |label: &str| {
        let bytes = label.as_bytes();
        !bytes.is_empty()
            && bytes.len() <= 63
            && bytes.first() != Some(&b'-')
            && bytes.last() != Some(&b'-')
            && bytes
                .iter()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == b'-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

fn cidrs(spec: &ClusterSpec) -> Result<(), InvalidCluster> {
    for (field, nets) in [("pod_cidrs", &spec.pod_cidrs), ("service_cidrs", &spec.service_cidrs)] {
        match nets.as_slice() {
            [_] => {}
            [one, other] if is_v4(one) != is_v4(other) => {}
            [_, _] => return refuse(field, "expected one prefix of each family, not two of the same"),
            _ => return refuse(field, "expected one prefix, or one of each family"),
        }
        for (at, net) in nets.iter().enumerate() {
            cidr(field, at, net)?;
        }
    }
    let families = |nets: &[IpNet]| nets.iter().map(is_v4).collect::<Vec<_>>();
    if families(&spec.pod_cidrs) != families(&spec.service_cidrs) {
        return refuse("service_cidrs", "expected the families of pod_cidrs, in the same order");
    }
    for (at, services) in spec.service_cidrs.iter().enumerate() {
        if let Some(pods) = spec.pod_cidrs.iter().find(|pods| overlap(pods, services)) {
            return refuse(
                format!("service_cidrs[{at}]"),
                format!("{services} overlaps the pods' {pods}"),
            );
        }
    }
    Ok(())
}

fn is_v4(net: &IpNet) -> bool {
    matches!(net, IpNet::V4(_))
}

fn overlap(a: &IpNet, b: &IpNet) -> bool {
    a.contains(&b.network()) || b.contains(&a.network())
}

/// What kube-controller-manager and kube-apiserver take. A node gets a /24 or a /64 of the pods' prefix, at most 2^16
/// nodes; services have at most 20 bits.
fn cidr(field: &str, at: usize, net: &IpNet) -> Result<(), InvalidCluster> {
    let field_at = || format!("{field}[{at}]");
    if net.addr() != net.network() {
        return refuse(field_at(), format!("{net} has host bits: expected {}", net.trunc()));
    }
    if net.addr().is_unspecified() || net.addr().is_loopback() || net.addr().is_multicast() {
        return refuse(
            field_at(),
            format!("{net} is not a prefix that pods or services can have"),
        );
    }
    let (shortest, longest) = match (field, net) {
        ("pod_cidrs", IpNet::V4(_)) => (8, 23),
        ("pod_cidrs", IpNet::V6(_)) => (48, 63),
        (_, IpNet::V4(_)) => (12, 28),
        (_, IpNet::V6(_)) => (108, 124),
    };
    if !(shortest..=longest).contains(&net.prefix_len()) {
        let why = format!("{net}: expected a prefix length of {shortest} to {longest}");
        return refuse(field_at(), why);
    }
    Ok(())
}

/// Where hosts get their addresses on the VLAN from.
fn pool(spec: &ClusterSpec) -> Result<(), InvalidCluster> {
    let Some(pool) = &spec.pool else { return Ok(()) };
    if spec.vlan.is_none() {
        return refuse(
            "pool",
            "it gives addresses on the cluster's VLAN: expected a vlan beside it",
        );
    }
    if let Err((below, why)) = pool.check() {
        return refuse(format!("pool{below}"), why);
    }
    for (family, range) in [("ipv4", &pool.ipv4), ("ipv6", &pool.ipv6)] {
        let Some(range) = range else { continue };
        let mut cidrs = spec.pod_cidrs.iter().chain(&spec.service_cidrs);
        if let Some(cidr) = cidrs.find(|cidr| overlap(cidr, &range.prefix)) {
            let why = format!(
                "{} overlaps {cidr}: expected a network apart from pods and services",
                range.prefix
            );
            return refuse(format!("pool.{family}.prefix"), why);
        }
    }
    Ok(())
}

fn names(spec: &ClusterSpec) -> Result<(), InvalidCluster> {
    if spec.tls_san.len() > MAX_TLS_SAN {
        return refuse("tls_san", format!("expected at most {MAX_TLS_SAN}"));
    }
    for (at, san) in spec.tls_san.iter().enumerate() {
        if san.parse::<IpAddr>().is_err() && !is_dns_name(san) {
            let shown: String = san.chars().take(80).collect();
            return refuse(
                format!("tls_san[{at}]"),
                format!("{shown:?}: expected an address or a lower-case DNS name, without port"),
            );
        }
    }
    for (at, component) in spec.disable.iter().enumerate() {
        let is_fine = !component.contains('.') && is_dns_name(component);
        if !is_fine {
            let shown: String = component.chars().take(80).collect();
            return refuse(
                format!("disable[{at}]"),
                format!(
                    "{shown:?}: expected a component such as traefik, servicelb, local-storage, metrics-server or coredns"
                ),
            );
        }
    }
    Ok(())
}

fn manifests(spec: &ClusterSpec) -> Result<(), InvalidCluster> {
    if spec.manifests.len() > MAX_MANIFESTS {
        return refuse("manifests", format!("expected at most {MAX_MANIFESTS} files"));
    }
    let total: usize = spec.manifests.values().map(String::len).sum();
    if total > MAX_MANIFESTS_BYTES {
        return refuse(
            "manifests",
            format!("expected at most {MAX_MANIFESTS_BYTES} bytes in all"),
        );
    }
    for (name, text) in &spec.manifests {
        let at = || format!("manifests.{}", name.chars().take(80).collect::<String>());
        let stem = [".yaml", ".yml", ".json"].iter().find_map(|end| name.strip_suffix(end));
        if name.len() > 100 || !stem.is_some_and(is_dns_name) {
            return refuse(
                at(),
                "expected a file name of a-z 0-9 - . that ends in .yaml, .yml or .json",
            );
        }
        if text.trim().is_empty() || text.len() > MAX_MANIFEST_BYTES {
            return refuse(
                at(),
                format!("expected Kubernetes objects of at most {MAX_MANIFEST_BYTES} bytes"),
            );
        }
    }
    Ok(())
}

/// The first field that differs and cannot, once a server may have begun the cluster: every server has it, and one with
/// another value would be refused by them or split from them.
#[must_use]
pub fn changed_after_begin(before: &ClusterSpec, after: &ClusterSpec) -> Option<&'static str> {
    [
        ("name", before.name == after.name),
        ("pod_cidrs", before.pod_cidrs == after.pod_cidrs),
        ("service_cidrs", before.service_cidrs == after.service_cidrs),
        ("flannel_backend", before.flannel_backend == after.flannel_backend),
        ("disable", before.disable == after.disable),
    ]
    .into_iter()
    .find_map(|(field, is_same)| (!is_same).then_some(field))
}

#[cfg(test)]
mod tests;
