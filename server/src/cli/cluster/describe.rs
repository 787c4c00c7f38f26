//! `thirdboot cluster add` and `update`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::de::DeserializeOwned;
use thirdboot_api::control::{
    AddressPoolSpec, AddressRangeSpec, BinarySpec, ClusterSpec, FlannelBackend, K3sSpec, NodeSpec,
};

use super::table;
use crate::cli::input::input;
use crate::cli::{Connection, Failure};

/// What a file says and flags do not repeat.
const DESCRIBED_BY_FLAGS: [&str; 15] = [
    "name",
    "k3s_version",
    "binaries",
    "binary_urls",
    "pod_cidrs",
    "service_cidrs",
    "vlan",
    "pool",
    "tls_san",
    "disable",
    "flannel_backend",
    "labels",
    "taints",
    "manifests",
    "insecure_join",
];

/// A description on the command line, or in a file.
#[derive(Debug, Args)]
pub(super) struct AddOptions {
    /// Its name: an RFC 1123 label, unique among clusters.
    #[arg(required_unless_present = "file")]
    name: Option<String>,
    /// Read the whole description from a JSON file as the API takes it; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = DESCRIBED_BY_FLAGS)]
    file: Option<PathBuf>,
    /// Version of k3s, such as v1.34.1+k3s1.
    #[arg(long, value_name = "VERSION", required_unless_present = "file")]
    k3s_version: Option<String>,
    /// The k3s binary's sha256 for an architecture, from the release's sha256sum file (repeat it for each).
    #[arg(long = "binary", value_name = "ARCH=SHA256", value_parser = pair, required_unless_present = "file")]
    binaries: Vec<(String, String)>,
    /// Where nodes of an architecture fetch the binary; none means from this server's assets (repeat it).
    #[arg(long = "binary-url", value_name = "ARCH=URL", value_parser = pair)]
    binary_urls: Vec<(String, String)>,
    /// Addresses of pods: one prefix, or one of each family (repeat it); 10.42.0.0/16 when left out.
    #[arg(long = "pod-cidr", value_name = "CIDR", value_delimiter = ',')]
    pod_cidrs: Vec<String>,
    /// Addresses of services, of the same families in the same order; 10.43.0.0/16 when left out.
    #[arg(long = "service-cidr", value_name = "CIDR", value_delimiter = ',')]
    service_cidrs: Vec<String>,
    /// The VLAN that nodes talk over, 2 to 4094; none means their uplink.
    #[arg(long, value_name = "ID")]
    vlan: Option<u16>,
    /// Where hosts get their addresses on that VLAN from when they state none: a prefix, and which part of it is given
    /// (repeat it for the other family).
    #[arg(long, value_name = "CIDR[=FIRST-LAST]", requires = "vlan", value_parser = range)]
    pool: Vec<AddressRangeSpec>,
    /// Further name or address in the API server's certificate (repeat it).
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    tls_san: Vec<String>,
    /// Packaged component to leave out, such as traefik (repeat it).
    #[arg(long, value_name = "COMPONENT", value_delimiter = ',')]
    disable: Vec<String>,
    /// How flannel carries pods' traffic: vxlan, host-gw or wireguard-native.
    #[arg(long, default_value_t)]
    flannel_backend: FlannelBackend,
    /// Label of every server's or agent's node (repeat it).
    #[arg(long = "label", value_name = "ROLE:KEY=VALUE", value_parser = of_role)]
    labels: Vec<(NodeRole, String)>,
    /// Taint of every server's or agent's node (repeat it).
    #[arg(long = "taint", value_name = "ROLE:KEY=VALUE:EFFECT", value_parser = of_role)]
    taints: Vec<(NodeRole, String)>,
    /// File with Kubernetes objects that k3s applies by itself (repeat it).
    #[arg(long = "manifest", value_name = "FILE")]
    manifests: Vec<PathBuf>,
    /// Hand out tokens over plain HTTP: for a boot network that nobody else can listen to.
    #[arg(long)]
    insecure_join: bool,
}

/// The server checks what stands in it.
fn range(text: &str) -> Result<AddressRangeSpec, String> {
    let (prefix, bounds) = match text.split_once('=') {
        Some((prefix, bounds)) => {
            let bounds = bounds.split_once('-');
            (
                prefix,
                Some(bounds.ok_or("expected CIDR=FIRST-LAST, such as 10.8.0.0/24=10.8.0.10-10.8.0.99")?),
            )
        }
        None => (text, None),
    };
    Ok(AddressRangeSpec {
        prefix: prefix.to_owned(),
        first: bounds.map(|(first, _)| first.to_owned()),
        last: bounds.map(|(_, last)| last.to_owned()),
    })
}

/// One range of each family.
fn pool(ranges: Vec<AddressRangeSpec>) -> Result<Option<AddressPoolSpec>, Failure> {
    let mut pool = AddressPoolSpec::default();
    if ranges.is_empty() {
        return Ok(None);
    }
    for range in ranges {
        let of_family = if range.prefix.contains(':') {
            &mut pool.ipv6
        } else {
            &mut pool.ipv4
        };
        if of_family.is_some() {
            let why = format!("--pool {}: expected one range of each family at most", range.prefix);
            return Err(Failure::Usage(why));
        }
        *of_family = Some(range);
    }
    Ok(Some(pool))
}

/// Whose nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NodeRole {
    Server,
    Agent,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected ARCH=VALUE, such as x86_64=…")?;
    Ok((key.to_owned(), value.to_owned()))
}

fn of_role(text: &str) -> Result<(NodeRole, String), String> {
    match text.split_once(':') {
        Some(("server", rest)) => Ok((NodeRole::Server, rest.to_owned())),
        Some(("agent", rest)) => Ok((NodeRole::Agent, rest.to_owned())),
        _ => Err("expected server: or agent: before it".to_owned()),
    }
}

impl AddOptions {
    pub(super) async fn run(self, connection: &Connection) -> Result<(), Failure> {
        let spec = match &self.file {
            Some(file) => from_file(file)?,
            None => self.spec()?,
        };
        let cluster = connection.client()?.add_cluster(&spec).await?;
        connection
            .output
            .print(&cluster, || table::cluster(&cluster, connection.output.columns()))
    }

    fn spec(self) -> Result<ClusterSpec, Failure> {
        let mut binaries: BTreeMap<String, BinarySpec> = BTreeMap::new();
        for (arch, sha256) in self.binaries {
            binaries.entry(arch).or_default().sha256 = sha256;
        }
        for (arch, url) in self.binary_urls {
            let binary = binaries.get_mut(&arch);
            let missing = || {
                Failure::Usage(format!(
                    "--binary-url {arch}=…: expected --binary {arch}=SHA256 beside it"
                ))
            };
            binary.ok_or_else(missing)?.url = Some(url);
        }
        let (mut server, mut agent) = (NodeSpec::default(), NodeSpec::default());
        for (role, label) in self.labels {
            let refuse = || Failure::Usage(format!("--label {label}: expected ROLE:KEY=VALUE"));
            let (key, value) = label.split_once('=').ok_or_else(refuse)?;
            let node = if role == NodeRole::Server {
                &mut server
            } else {
                &mut agent
            };
            node.labels.insert(key.to_owned(), value.to_owned());
        }
        for (role, taint) in self.taints {
            let node = if role == NodeRole::Server {
                &mut server
            } else {
                &mut agent
            };
            node.taints.push(taint);
        }
        // What is left out has the API's defaults.
        let mut spec: ClusterSpec = serde_json::from_value(serde_json::json!({
            "name": self.name, "k3s": K3sSpec { version: self.k3s_version.unwrap_or_default(), binaries },
            "vlan": self.vlan, "tls_san": self.tls_san, "disable": self.disable,
            "flannel_backend": self.flannel_backend, "server": server, "agent": agent,
            "insecure_join": self.insecure_join, "manifests": manifests(&self.manifests)?, "pool": pool(self.pool)?,
        }))
        .map_err(anyhow::Error::from)?;
        if !self.pod_cidrs.is_empty() {
            spec.pod_cidrs = self.pod_cidrs;
        }
        if !self.service_cidrs.is_empty() {
            spec.service_cidrs = self.service_cidrs;
        }
        Ok(spec)
    }
}

/// By file name, as k3s will have them.
fn manifests(files: &[PathBuf]) -> Result<BTreeMap<String, String>, Failure> {
    let refuse = |file: &Path, why: String| Failure::Usage(format!("--manifest {}: {why}", file.display()));
    files
        .iter()
        .map(|file| {
            let name = file.file_name().and_then(|name| name.to_str());
            let name = name.ok_or_else(|| refuse(file, "expected a file".to_owned()))?;
            let text = std::fs::read_to_string(file).map_err(|error| refuse(file, error.to_string()))?;
            Ok((name.to_owned(), text))
        })
        .collect()
}

/// `thirdboot cluster update`.
#[derive(Debug, Args)]
pub(super) struct UpdateOptions {
    /// Its name.
    name: String,
    /// The whole description, as the API takes it or `show --json` prints it; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
}

impl UpdateOptions {
    pub(super) async fn run(self, connection: &Connection) -> Result<(), Failure> {
        let client = connection.client()?;
        let mut value: serde_json::Value = from_file(&self.file)?;
        // As `show --json` prints it: the description with the etag that names it.
        let etag = value.get("etag").and_then(|etag| etag.as_str()).map(str::to_owned);
        if let Some(spec) = value.get_mut("spec") {
            value = spec.take();
        }
        let refuse = |error: serde_json::Error| Failure::Usage(format!("--file {}: {error}", self.file.display()));
        let spec: ClusterSpec = serde_json::from_value(value).map_err(refuse)?;
        if spec.name != self.name {
            let why = format!(
                "--file {}: it describes {}, not {}",
                self.file.display(),
                spec.name,
                self.name
            );
            return Err(Failure::Usage(why));
        }
        let etag = match etag {
            Some(etag) => etag,
            None => client.cluster(&self.name).await?.etag,
        };
        let cluster = client.update_cluster(&spec, &etag).await?;
        connection
            .output
            .print(&cluster, || table::cluster(&cluster, connection.output.columns()))
    }
}

/// The error names line, column and field.
fn from_file<T: DeserializeOwned>(file: &Path) -> Result<T, Failure> {
    let refuse = |why: String| Failure::Usage(format!("--file {}: {why}", file.display()));
    let text = input("--file", file)?;
    serde_json::from_str(&text).map_err(|error| refuse(error.to_string()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        options: AddOptions,
    }

    fn spec(line: &str) -> Result<ClusterSpec, String> {
        let words = std::iter::once("add").chain(line.split_whitespace());
        let line = Line::try_parse_from(words).map_err(|error| error.to_string())?;
        line.options.spec().map_err(|error| error.to_string())
    }

    #[test]
    fn flags_describe_a_cluster() {
        let spec = spec(
            "prod --k3s-version v1.34.1+k3s1 --binary x86_64=abcd --binary-url x86_64=https://example.net/k3s \
             --pod-cidr 10.42.0.0/16,fd00:42::/56 --service-cidr 10.43.0.0/16,fd00:43::/112 --vlan 1234 \
             --pool 10.8.0.0/24=10.8.0.10-10.8.0.99 --pool fd00:8::/64 --label agent:rack=7 --taint server:a=b:NoSchedule --disable traefik --flannel-backend host-gw",
        )
        .unwrap();
        assert_eq!(
            spec.k3s.binaries["x86_64"].url.as_deref(),
            Some("https://example.net/k3s")
        );
        let pool = spec.pool.clone().unwrap();
        let (ipv4, ipv6) = (pool.ipv4.unwrap(), pool.ipv6.unwrap());
        assert_eq!(
            (ipv4.prefix.as_str(), ipv4.last.as_deref(), ipv6.first),
            ("10.8.0.0/24", Some("10.8.0.99"), None)
        );
        assert_eq!((spec.pod_cidrs.len(), spec.vlan, spec.selinux), (2, Some(1234), true));
        assert_eq!(
            (spec.agent.labels["rack"].as_str(), spec.server.taints[0].as_str()),
            ("7", "a=b:NoSchedule")
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(spec("prod").unwrap_err().contains("--k3s-version"));
        let line = "prod --k3s-version v1.34.1+k3s1 --binary x86_64=ab";
        assert!(
            spec(&format!("{line} --label rack=7"))
                .unwrap_err()
                .contains("expected server: or agent:")
        );
        assert!(
            spec(&format!("{line} --binary-url aarch64=https://x"))
                .unwrap_err()
                .contains("--binary aarch64=SHA256")
        );
        assert!(
            spec(&format!("{line} --vlan 7 --pool 10.8.0.0/24 --pool 10.9.0.0/24"))
                .unwrap_err()
                .contains("one range of each family")
        );
        assert!(
            spec(&format!("{line} --vlan 7 --pool 10.8.0.0/24=10.8.0.9"))
                .unwrap_err()
                .contains("CIDR=FIRST-LAST")
        );
        assert!(
            spec(&format!("{line} --flannel-backend none"))
                .unwrap_err()
                .contains("vxlan")
        );
    }
}
