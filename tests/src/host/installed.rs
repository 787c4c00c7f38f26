//! Boots 2 and 3: the installed system, from its first boot to ready.

use anyhow::{Context, Result, bail, ensure};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::fetch::Fetched;
use super::ignition::sha256;
use super::machine::{Installation, Machine};
use super::reporter::{Event, Identity, Reporter};
use crate::wait;

/// How long a host waits for its turn to join before a test calls it stuck.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// The checksum of the deployment with the layered packages.
const LAYERED: &str = "5ec0d5ec0d5ec0d5ec0d5ec0d5ec0d5ec0d5ec0d5ec0d5ec0d5ec0d5ec0d5ec0";

/// The installed system of one boot.
#[derive(Debug)]
pub struct InstalledSystem {
    /// Speaks under the host secret.
    pub reporter: Reporter,
    /// The checksum of the booted deployment.
    pub deployment: String,
}

impl InstalledSystem {
    /// Boots what is on a disk.
    ///
    /// # Errors
    /// When the installed config has no identity.
    pub fn start(client: Client, disk: &Installation, boot_id: Uuid) -> Result<Self> {
        let identity = Identity::of(&disk.config)?;
        let reporter = Reporter::new(identity.client(client)?, identity, boot_id);
        Ok(Self {
            reporter,
            deployment: disk.deployment.clone(),
        })
    }

    fn system(&self) -> Value {
        json!({"os_version": "43.20260901.3.0", "deployment": self.deployment})
    }

    /// An event of this system, with its version and deployment.
    pub fn event(&self, name: &str) -> Event {
        Event::new(name).with("facts", self.system())
    }

    /// What the host says of its uplink when it has no bond and no VLAN.
    pub fn network(&self) -> Event {
        let address = json!({"interface": "ens3", "address": "192.0.2.10/24"});
        let facts = json!({"bond": null, "ports": [], "vlans": [], "addresses": [address],
            "mtu": 1500, "peer": null});
        Event::new("network").with("facts", facts)
    }

    /// The whole of boot 2: first boot, layering, the layered deployment staged.
    ///
    /// # Errors
    /// When a report is refused.
    pub async fn layer(&mut self, machine: &mut Machine) -> Result<()> {
        self.reporter.tell(self.event("first-boot")).await?;
        self.reporter.tell(Event::new("layering")).await?;
        let staged = json!({"deployment": LAYERED});
        self.reporter.tell(Event::new("layered").with("facts", staged)).await?;
        let disk = machine.disk.as_mut().context("no disk")?;
        LAYERED.clone_into(&mut disk.deployment);
        Ok(())
    }

    /// The whole of boot 3: network, join (a runner has none), ready.
    ///
    /// # Errors
    /// When a report or the join is refused.
    pub async fn come_up(&mut self, joins: bool) -> Result<()> {
        self.reporter.tell(self.event("layered-boot")).await?;
        let stage = self.reporter.tell(self.network()).await?;
        ensure!(stage == "networked", "stage {stage} after the network was reported");
        if joins {
            let grant = self.join_granted().await?;
            self.download(&grant).await?;
            self.reporter.tell(Event::new("joining")).await?;
            if grant["kind"] == "init" {
                self.hand_in_cluster().await?;
            }
        }
        let stage = self.reporter.tell(Event::new("ready")).await?;
        ensure!(stage == "ready", "stage {stage} after ready");
        Ok(())
    }

    /// Asks to join, once.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn join(&self) -> Result<Fetched> {
        let body = json!({"run": self.reporter.identity.run, "boot_id": self.reporter.boot_id});
        self.reporter.post("/v1/join", &body).await
    }

    /// Asks to join until it is this host's turn.
    ///
    /// # Errors
    /// When the answer is neither a grant nor a wait, or the turn never comes.
    pub async fn join_granted(&self) -> Result<Value> {
        wait::until("the join", PATIENCE, async || {
            let answer = self.join().await?;
            let body: Value = serde_json::from_slice(&answer.body)?;
            match answer.status {
                StatusCode::OK => Ok(Some(body)),
                StatusCode::SERVICE_UNAVAILABLE => {
                    ensure!(body["detail"].is_string() && body["retry_after_s"].is_u64(), "{body}");
                    Ok(None)
                }
                other => bail!("join: {other} {body}"),
            }
        })
        .await
    }

    /// Fetches what a join names, and checks it.
    ///
    /// # Errors
    /// When it cannot be had, or is something else.
    pub async fn download(&self, grant: &Value) -> Result<Vec<(String, Vec<u8>)>> {
        let mut files = Vec::new();
        for file in grant["downloads"].as_array().context("no downloads")? {
            let text = |key: &str| {
                file[key]
                    .as_str()
                    .map(str::to_owned)
                    .with_context(|| format!("no {key}: {file}"))
            };
            let fetched = self.reporter.fetch(&text("url")?).await?;
            let sum = sha256(&fetched.body);
            ensure!(
                fetched.status == StatusCode::OK && sum == text("sha256")?,
                "{file}: {} {sum}",
                fetched.status
            );
            files.push((text("path")?, fetched.body));
        }
        Ok(files)
    }

    /// The first server hands in what it made.
    ///
    /// # Errors
    /// When it is not taken.
    pub async fn hand_in_cluster(&self) -> Result<()> {
        let (kubeconfig, ca_sha256) = cluster_of(self.reporter.boot_id);
        let body = json!({
            "run": self.reporter.identity.run, "boot_id": self.reporter.boot_id,
            "kubeconfig": kubeconfig, "ca_sha256": ca_sha256,
        });
        let answer = self.reporter.post("/v1/cluster", &body).await?;
        ensure!(
            answer.status == StatusCode::OK,
            "cluster: {} {}",
            answer.status,
            answer.text()
        );
        Ok(())
    }
}

/// The kubeconfig of a cluster that was begun in this boot, as k3s writes it, and the hash of its CA. The certificates
/// are none: nobody connects by them.
fn cluster_of(boot_id: Uuid) -> (String, String) {
    let pem = |kind: &str, content: &str| {
        let base64 = data_encoding::BASE64.encode(content.as_bytes());
        format!("-----BEGIN {kind}-----\n{base64}\n-----END {kind}-----\n")
    };
    let data = |text: &str| data_encoding::BASE64.encode(text.as_bytes());
    let ca = pem("CERTIFICATE", &format!("ca {boot_id}"));
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "default",
        "clusters": [{"name": "default", "cluster": {"server": "https://127.0.0.1:6443", "certificate-authority-data": data(&ca)}}],
        "users": [{"name": "default", "user": {"client-certificate-data": data(&pem("CERTIFICATE", "admin")),
            "client-key-data": data(&pem("EC PRIVATE KEY", "key"))}}],
        "contexts": [{"name": "default", "context": {"cluster": "default", "user": "default"}}],
    });
    (kubeconfig.to_string(), sha256(ca.as_bytes()))
}
