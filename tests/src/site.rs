//! One line of set-up: a running server with its assets, and an admin.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::admin::Admin;
use crate::assets::{self, Images};
use crate::host::{Hardware, Machine};
use crate::server::{Settings, TestServer};

/// What stands in for a k3s binary.
pub const K3S: &[u8] = b"#!/bin/false\n";
/// What k3s would apply by itself.
pub const MANIFEST: &str = "apiVersion: v1\nkind: ConfigMap\n";

/// A server, its folders and its admin. Dropping it kills and removes them.
#[derive(Debug)]
pub struct Site {
    /// The server.
    pub server: TestServer,
    /// The control plane.
    pub admin: Admin,
    folder: TempDir,
}

impl Site {
    /// A server with sample assets that knows hosts by their address on loopback.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start() -> Result<Self> {
        Self::with(&Images::sample(), &["--address-source", "127.0.0.0/8"]).await
    }

    /// A server with the given assets and further arguments.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn with(images: &Images, arguments: &[&str]) -> Result<Self> {
        Self::logging(images, arguments, "info").await
    }

    /// A server that knows hosts by key or address and logs all there is to log.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn talkative(images: &Images) -> Result<Self> {
        Self::logging(images, &["--address-source", "127.0.0.0/8"], "trace").await
    }

    /// A server with further arguments that logs all there is to log.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn talkative_with(images: &Images, arguments: &[&str]) -> Result<Self> {
        Self::logging(images, arguments, "trace").await
    }

    /// A server whose boot plane listens on an address of its own.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn on(boot_listen: &str, images: &Images, arguments: &[&str]) -> Result<Self> {
        Self::begin(boot_listen, images, arguments, "info").await
    }

    async fn logging(images: &Images, arguments: &[&str], log: &str) -> Result<Self> {
        Self::begin("127.0.0.1:0", images, arguments, log).await
    }

    async fn begin(boot_listen: &str, images: &Images, arguments: &[&str], log: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("thirdboot-").tempdir()?;
        let (data_dir, assets_dir) = (folder.path().join("data"), folder.path().join("assets"));
        fs::create_dir(&data_dir)?;
        images.write(&assets_dir)?;
        let server = TestServer::start(Settings {
            data_dir,
            assets_dir,
            boot_listen: boot_listen.to_owned(),
            control_listen: "127.0.0.1:0".to_owned(),
            log: log.to_owned(),
            // The hosts of these tests have addresses that nobody must be sent to.
            arguments: arguments
                .iter()
                .chain(&["--blind-to-clusters", "true"])
                .map(|a| (*a).to_owned())
                .collect(),
        })
        .await?;
        let admin = Admin::new(&server.endpoints.control, &server.admin_token()?)?;
        Ok(Self { server, admin, folder })
    }

    /// Somebody at the control plane with a token that is none.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn stranger(&self) -> Result<Admin> {
        Admin::new(&self.server.endpoints.control, "no-token-of-this-server")
    }

    /// A path in the site's own temporary folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Racks machine `n`, which nobody has told the server of.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn machine(&self, n: u8) -> Result<Machine> {
        Machine::new(format!("{}/boot.ipxe", self.server.endpoints.boot), Hardware::number(n))
    }

    /// Racks machine `n` and adds it as a host of a role.
    ///
    /// # Errors
    /// When the host is refused.
    pub async fn host(&self, n: u8, name: &str, role: &str) -> Result<Machine> {
        let machine = self.machine(n)?;
        self.admin.add(&host(name, role, &machine.hardware)).await?;
        Ok(machine)
    }

    /// Lays a binary of k3s into the assets, and gives what a cluster says of it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn k3s(&self, binary: &[u8]) -> Result<Value> {
        assets::lay_k3s(&self.path("assets"), binary)?;
        Ok(assets::k3s(binary))
    }

    /// Describes a cluster whose k3s is a few bytes in the assets, and which hands out its tokens over plain HTTP.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn cluster(&self, name: &str) -> Result<Value> {
        self.cluster_on(name, None).await
    }

    /// The same, with nodes that meet on a VLAN.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn cluster_on(&self, name: &str, vlan: Option<u16>) -> Result<Value> {
        let cluster = json!({"name": name, "insecure_join": true, "manifests": {"vip.yaml": MANIFEST}, "vlan": vlan,
            "k3s": self.k3s(K3S)?});
        self.admin.add_cluster(&cluster).await
    }

    /// Racks machine `n` as a host of a cluster, and arms it.
    ///
    /// # Errors
    /// When either is refused.
    pub async fn member(&self, n: u8, name: &str, role: &str, cluster: &str) -> Result<Machine> {
        let machine = self.machine(n)?;
        let mut host = host(name, role, &machine.hardware);
        host["cluster"] = cluster.into();
        self.admin.add(&host).await?;
        self.admin.arm(name).await?;
        Ok(machine)
    }

    /// Racks machine `n`, adds it and arms it.
    ///
    /// # Errors
    /// When either is refused.
    pub async fn armed(&self, n: u8, name: &str, role: &str) -> Result<Machine> {
        let machine = self.host(n, name, role).await?;
        self.admin.arm(name).await?;
        Ok(machine)
    }
}

/// A host as it is added through the API, known by its address.
pub fn host(name: &str, role: &str, hardware: &Hardware) -> Value {
    json!({
        "name": name, "macs": hardware.macs, "role": role, "known_by": "address",
        "ssh_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPJyZaraVOOlFs4QMLzv1hJHdrDtkG1UqHbJfFJJ8Bmz admin@sample"],
    })
}
