//! The clusters that simulated machines form.
//!
//! A stand-in for k3s: it reads the config that a machine was handed as strictly as k3s does what matters here, keeps
//! who is a member of what, and refuses whom k3s would refuse.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::BASE64;

use crate::ignition::sha256;

/// Where k3s serves.
const API_PORT: &str = ":6443";

/// Every cluster that the machines of a fleet began, by the hash of its CA.
#[derive(Debug, Clone, Default)]
pub struct Clusters(Arc<Mutex<BTreeMap<String, Cluster>>>);

#[derive(Debug)]
struct Cluster {
    server_token: String,
    agent_token: String,
    /// Addresses of its servers.
    servers: BTreeSet<String>,
}

/// What the first server hands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Begun {
    pub(crate) kubeconfig: String,
    pub(crate) ca_sha256: String,
}

/// `config.yaml` as far as it matters: one string or flag a key.
#[derive(Debug)]
struct Config(BTreeMap<String, String>);

impl Config {
    fn read(text: &str) -> Result<Self, String> {
        let mut keys = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with(' ')) {
            let (key, value) = line.split_once(':').ok_or_else(|| format!("no key: {line:?}"))?;
            let value = value.trim();
            let value = match serde_json::from_str::<String>(value) {
                Ok(text) => text,
                Err(_) if matches!(value, "true" | "false" | "") => value.to_owned(),
                Err(error) => return Err(format!("{key}: {error}")),
            };
            if keys.insert(key.to_owned(), value).is_some() {
                return Err(format!("{key} stands twice"));
            }
        }
        Ok(Self(keys))
    }

    fn need(&self, key: &str) -> Result<&str, String> {
        let value = self.0.get(key).map(String::as_str).filter(|value| !value.is_empty());
        value.ok_or_else(|| format!("{key} is missing"))
    }

    /// The first of its addresses.
    fn address(&self) -> Result<String, String> {
        let ips = self.need("node-ip")?;
        let first = ips.split(',').next().unwrap_or_default();
        first
            .parse::<std::net::IpAddr>()
            .map_err(|_| format!("node-ip {ips:?} is no address"))?;
        Ok(first.to_owned())
    }
}

impl Clusters {
    /// How many clusters there are: more than one of a name is a calamity.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Begins a cluster, as this machine does by this config; a second time it is the same.
    pub(crate) fn begin(&self, machine: &str, config: &str) -> Result<Begun, String> {
        let config = Config::read(config)?;
        if config.need("cluster-init")? != "true" {
            return Err("cluster-init is not set".to_owned());
        }
        if config.need("token")?.starts_with("K10") {
            return Err("the first server takes the short token".to_owned());
        }
        let cluster = Cluster {
            server_token: config.need("token")?.to_owned(),
            agent_token: config.need("agent-token")?.to_owned(),
            servers: BTreeSet::from([config.address()?]),
        };
        let ca = pem(
            "CERTIFICATE",
            &format!("simulated CA of the cluster that {machine} began"),
        );
        let ca_sha256 = sha256(ca.as_bytes());
        let mut clusters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clusters.entry(ca_sha256.clone()).or_insert(cluster);
        Ok(Begun {
            kubeconfig: kubeconfig(&ca, machine),
            ca_sha256,
        })
    }

    /// Joins a cluster, or says in k3s' words why not.
    pub(crate) fn join(&self, config: &str) -> Result<(), String> {
        let config = Config::read(config)?;
        let server = config.need("server")?;
        let address = server
            .strip_prefix("https://")
            .and_then(|rest| rest.strip_suffix(API_PORT))
            .ok_or_else(|| format!("server {server:?} is no URL of a server"))?
            .trim_matches(['[', ']']);
        let token = config.need("token")?;
        let (ca, credentials) = token
            .strip_prefix("K10")
            .and_then(|rest| rest.split_once("::"))
            .ok_or("the token pins no CA")?;
        let mut clusters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((found, cluster)) = clusters
            .iter_mut()
            .find(|(_, cluster)| cluster.servers.contains(address))
        else {
            return Err(format!("failed to get CA certs: {address} does not answer"));
        };
        if found != ca {
            return Err(format!(
                "token CA hash does not match the Cluster CA certificate hash: {ca} != {found}"
            ));
        }
        if credentials == format!("server:{}", cluster.server_token) {
            if config.need("agent-token")? != cluster.agent_token {
                return Err("critical configuration mismatched: agent-token".to_owned());
            }
            cluster.servers.insert(config.address()?);
            return Ok(());
        }
        if credentials == format!("node:{}", cluster.agent_token) {
            config.address()?;
            return Ok(());
        }
        Err("401 Unauthorized: the token is not valid".to_owned())
    }
}

fn pem(kind: &str, content: &str) -> String {
    format!(
        "-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n",
        BASE64.encode(content.as_bytes())
    )
}

/// As k3s writes it, with certificates that say what they are.
fn kubeconfig(ca: &str, machine: &str) -> String {
    let data = |text: &str| BASE64.encode(text.as_bytes());
    let certificate = pem("CERTIFICATE", &format!("simulated admin of {machine}"));
    let key = pem("EC PRIVATE KEY", &format!("simulated key of {machine}"));
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: default\n\
         clusters:\n- name: default\n  cluster:\n    server: https://127.0.0.1:6443\n    certificate-authority-data: {}\n\
         users:\n- name: default\n  user:\n    client-certificate-data: {}\n    client-key-data: {}\n\
         contexts:\n- name: default\n  context:\n    cluster: default\n    user: default\n",
        data(ca),
        data(&certificate),
        data(&key),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "cluster-init: true\ntoken: \"st\"\nagent-token: \"at\"\nnode-ip: \"10.8.0.1\"\n";

    fn joiner(token: &str) -> String {
        format!(
            "server: \"https://10.8.0.1:6443\"\ntoken: \"{token}\"\nagent-token: \"at\"\nnode-ip: \"10.8.0.2\"\nnode-label:\n  - \"a=b\"\n"
        )
    }

    #[test]
    fn whom_k3s_would_refuse_is_refused() {
        let clusters = Clusters::default();
        assert!(
            clusters
                .join(&joiner("K10aa::server:st"))
                .unwrap_err()
                .contains("does not answer")
        );
        let begun = clusters.begin("s1", FIRST).unwrap();
        assert_eq!(clusters.begin("s1", FIRST).unwrap(), begun);
        let ca = begun.ca_sha256;
        assert_eq!(clusters.join(&joiner(&format!("K10{ca}::server:st"))), Ok(()));
        assert_eq!(clusters.join(&joiner(&format!("K10{ca}::node:at"))), Ok(()));
        assert_eq!(clusters.count(), 1);
        for (token, why) in [
            ("st", "pins no CA"),
            ("K10aa::server:st", "CA hash does not match"),
            (&format!("K10{ca}::server:at"), "401"),
            (&format!("K10{ca}::node:st"), "401"),
        ] {
            assert!(clusters.join(&joiner(token)).unwrap_err().contains(why), "{token}");
        }
        assert!(clusters.begin("s2", &FIRST.replace("true", "false")).is_err());
        assert!(clusters.begin("s2", "token: \"st\"\ntoken: \"st\"\n").is_err());
    }
}
