//! A fleet in a data folder: every host has a run, a few of them are asked.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use data_encoding::HEXLOWER;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use thirdboot::secrets::{Purpose, Secrets};
use thirdboot::serve::{self, Running, ServeOptions};
use thirdboot_lifecycle::{DEFAULT_ATTEMPTS, Host, Permit, Purpose as Allowed, RunNumber};
use thirdboot_store::{Actor, Document, DocumentKind, HostId, HostState, Store, Submission};

/// Hosts whose script and config are fetched.
const FETCHED: usize = 64;
/// Hosts that have something to report, at most.
const ABLE_TO_REPORT: usize = 1_000;
/// Hosts that are watched meanwhile.
const QUIET: usize = 500;
/// Hosts added in one transaction.
const BATCH: usize = 1000;
/// Hosts armed at the same time.
const ARMED_AT_ONCE: usize = 512;
/// A sealed live config is about this long.
const DOCUMENT_BYTES: usize = 6 << 10;
const BOOT_ID: &str = "3f2a0000-0000-4000-8000-00000000b001";

/// What is asked of a fleet.
pub(crate) struct Fleet {
    /// Scripts of a few armed hosts.
    pub(crate) scripts: Vec<String>,
    /// Live configs of the same.
    pub(crate) live_configs: Vec<String>,
    /// Hosts that install, and report their progress.
    pub(crate) reporters: Vec<Reporter>,
    /// Names of hosts that nothing happens to.
    pub(crate) quiet: Vec<String>,
}

/// A host that reports its progress.
#[derive(Clone)]
pub(crate) struct Reporter {
    /// Its host's name.
    pub(crate) name: String,
    secret: String,
}

impl Reporter {
    pub(crate) fn request(&self, seq: u64) -> Vec<u8> {
        let body =
            json!({"run": 1, "boot_id": BOOT_ID, "seq": seq, "event": "installing", "percent": seq % 101}).to_string();
        let secret = &self.secret;
        let length = body.len();
        format!("POST /v1/report HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {secret}\r\nContent-Length: {length}\r\n\r\n{body}")
            .into_bytes()
    }
}

impl Fleet {
    /// So many of those that report, spread over the whole fleet.
    pub(crate) fn some_reporters(&self, count: usize) -> Vec<Reporter> {
        let step = (self.reporters.len() / count).max(1);
        self.reporters.iter().step_by(step).take(count).cloned().collect()
    }

    /// Fills a data folder with `size` hosts.
    pub(crate) async fn fill(folder: &Path, size: u32) -> anyhow::Result<Self> {
        mirror(&folder.join("assets"))?;
        let options = ServeOptions::on_loopback(folder.join("data"), folder.join("assets"));
        let running = serve::start(options).await?;
        let hosts = add(running.app().store.as_ref(), size).await?;
        // Spread over the whole fleet: neighbours share pages.
        let asked = |count: usize, offset: usize| -> Vec<HostState> {
            let step = (hosts.len() / count).max(1);
            hosts
                .iter()
                .skip(offset % hosts.len())
                .step_by(step)
                .take(count)
                .cloned()
                .collect()
        };
        let fetched = asked(FETCHED.min(hosts.len() / 2), 0);
        // Of a thousand enough are left that nothing happens to.
        let reporting: Vec<HostState> = asked(ABLE_TO_REPORT.min(hosts.len() * 2 / 5), 1)
            .into_iter()
            .filter(|host| fetched.iter().all(|other| other.id != host.id))
            .collect();
        let secrets = &running.app().secrets;
        let fleet = Self {
            scripts: fetched
                .iter()
                .map(|host| format!("/ipxe?mac={}", host.host.macs[0]))
                .collect(),
            live_configs: fetched
                .iter()
                .map(|host| format!("/ignition/{}/live.ign", secret(secrets, Purpose::Conf, host.id)))
                .collect(),
            reporters: reporting
                .iter()
                .map(|host| Reporter {
                    name: host.host.name.to_string(),
                    secret: secret(secrets, Purpose::Live, host.id),
                })
                .collect(),
            quiet: hosts
                .iter()
                .filter(|host| fetched.iter().chain(&reporting).all(|other| other.id != host.id))
                .take(QUIET)
                .map(|host| host.host.name.to_string())
                .collect(),
        };
        arm_for_real(&running, fetched.iter().chain(&reporting)).await?;
        claim(&running, &reporting).await?;
        let named: std::collections::HashSet<HostId> = fetched.iter().chain(&reporting).map(|host| host.id).collect();
        arm_the_rest(
            &running.app().store,
            hosts.iter().filter(|host| !named.contains(&host.id)),
        )
        .await?;
        running.shutdown().await?;
        Ok(fleet)
    }
}

fn secret(secrets: &Secrets, purpose: Purpose, host: HostId) -> String {
    secrets.derive(purpose, host, RunNumber(1), 0).expose().to_owned()
}

async fn add(store: &dyn Store, size: u32) -> anyhow::Result<Vec<HostState>> {
    let mut added = Vec::new();
    let described = (0..size).map(describe).collect::<Result<Vec<Host>, _>>()?;
    for batch in described.chunks(BATCH) {
        added.extend(store.add_hosts(batch.to_vec(), Actor::Server).await?);
    }
    Ok(added)
}

fn describe(n: u32) -> anyhow::Result<Host> {
    let [_, a, b, c] = n.to_be_bytes();
    let host = json!({"name": format!("node-{n:06}"), "macs": [format!("52:54:00:{a:02x}:{b:02x}:{c:02x}")], "role": "agent",
        "ssh_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPJyZaraVOOlFs4QMLzv1hJHdrDtkG1UqHbJfFJJ8Bmz admin@sample"]});
    Ok(serde_json::from_value(host)?)
}

async fn post(url: String, bearer: String, body: Value) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let answer = client
        .post(&url)
        .bearer_auth(bearer)
        .body(body.to_string())
        .send()
        .await?;
    let status = answer.status();
    ensure!(status.is_success(), "{url}: {status} {}", answer.text().await?);
    Ok(())
}

async fn arm_for_real(running: &Running, hosts: impl Iterator<Item = &HostState>) -> anyhow::Result<()> {
    for host in hosts {
        let name = host.host.name.to_string();
        let url = format!("{}/api/v1/hosts/{name}/arm", running.control_url());
        post(url, running.admin_token().to_owned(), json!({"confirm": name})).await?;
    }
    Ok(())
}

async fn claim(running: &Running, hosts: &[HostState]) -> anyhow::Result<()> {
    for host in hosts {
        let disk = json!({"path": "/dev/disk/by-id/x", "serial": host.host.name, "size_bytes": 64_u64 << 30});
        let body = json!({"run": 1, "boot_id": BOOT_ID, "macs": host.host.macs, "disk": disk, "disks": [disk]});
        let url = format!("{}/v1/claim", running.boot_url());
        post(url, secret(&running.app().secrets, Purpose::Live, host.id), body).await?;
    }
    Ok(())
}

/// The others have a run, too, but nobody will ask for its documents.
async fn arm_the_rest(store: &Arc<dyn Store>, hosts: impl Iterator<Item = &HostState>) -> anyhow::Result<()> {
    let now = store.now();
    let permit = Permit {
        purpose: Allowed::Inspect,
        issued_at: now,
        expires_at: now
            .saturating_add(jiff::SignedDuration::from_hours(24 * 365))
            .context("no such time")?,
        attempts: DEFAULT_ATTEMPTS,
        power: None,
        voided: None,
    };
    let armed = |host: &HostState| {
        let (store, id) = (Arc::clone(store), host.id);
        let submission = Submission::Arm {
            permit: permit.clone(),
            documents: vec![Document {
                kind: DocumentKind::Live,
                sha512: "0".repeat(128),
                sealed: vec![0x5a; DOCUMENT_BYTES],
            }],
            expected_version: host.version,
            by: Actor::Server,
        };
        async move { store.submit(id, submission).await.map(|_| ()) }
    };
    stream::iter(hosts.map(armed))
        .buffer_unordered(ARMED_AT_ONCE)
        .try_collect::<Vec<()>>()
        .await?;
    Ok(())
}

fn mirror(root: &Path) -> anyhow::Result<()> {
    let folder = root.join("x86_64/43.1");
    std::fs::create_dir_all(&folder)?;
    let mut files = serde_json::Map::new();
    for role in ["kernel", "initramfs", "rootfs"] {
        let bytes = role.repeat(1000);
        std::fs::write(folder.join(role), &bytes)?;
        let sha256 = HEXLOWER.encode(&Sha256::digest(&bytes));
        files.insert(
            role.to_owned(),
            json!({"name": role, "sha256": sha256, "size": bytes.len()}),
        );
    }
    let manifest = json!({"version": "43.1", "arch": "x86_64", "files": files});
    std::fs::write(folder.join("manifest.json"), manifest.to_string())?;
    Ok(symlink("43.1", root.join("x86_64/current"))?)
}
