//! The demo's own server: a data folder, made-up assets, deadlines short enough to see a stall.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Map, json};
use sha2::{Digest as _, Sha256};
use thirdboot_api::{Client, Token};
use thirdboot_lifecycle::{Deadline, Deadlines, Stage};

use crate::serve::{self, Running, ServeOptions};

/// The version of the made-up operating system.
const VERSION: &str = "43.20260901.3.0";
/// The version of what stands in for k3s.
pub(super) const K3S_VERSION: &str = "v1.34.1+k3s1";

/// Without a sign of life for so many simulated seconds, a run stalls: longer than any boot of a simulated machine.
const STALL_S: u32 = 120;
/// A run that is stuck is given up after so many simulated seconds.
const GIVE_UP_S: u32 = 900;
/// An installer that is stuck sooner, so that one sees what that looks like.
const INSTALL_GIVE_UP_S: u32 = 300;
/// No deadline is shorter than this: the reconciler looks once a second.
const SHORTEST_STALL_S: u32 = 3;

/// A running server, and a client with its admin's token.
#[derive(Debug)]
pub(super) struct Site {
    options: ServeOptions,
    running: Option<Running>,
    pub(super) client: Client,
    pub(super) boot_url: String,
    pub(super) control_url: String,
    /// The hash of what stands in for k3s.
    pub(super) k3s_sha256: String,
}

impl Site {
    pub(super) async fn start(folder: &Path, speed: u16) -> anyhow::Result<Self> {
        let (data, assets) = (folder.join("data"), folder.join("assets"));
        let k3s_sha256 = write_assets(&assets).context("the demo's assets")?;
        let mut options = ServeOptions::on_loopback(data, assets);
        options.deadlines = deadlines(speed);
        let running = serve::start(options.clone()).await?;
        let (boot_url, control_url) = (running.boot_url().to_owned(), running.control_url().to_owned());
        // From now on the same ports: machines know them.
        options.boot_listen = address(&boot_url)?;
        options.control_listen = address(&control_url)?;
        Ok(Self {
            client: Client::new(&control_url, Token::new(running.admin_token()))?,
            options,
            running: Some(running),
            boot_url,
            control_url,
            k3s_sha256,
        })
    }

    /// Where the admin's token is.
    pub(super) fn token_file(&self) -> std::path::PathBuf {
        self.options.data_dir.join("admin-token")
    }

    /// Stops the server cleanly and starts it again on the same data.
    pub(super) async fn restart(&mut self) -> anyhow::Result<()> {
        if let Some(running) = self.running.take() {
            running.shutdown().await?;
        }
        self.running = Some(serve::start(self.options.clone()).await?);
        Ok(())
    }

    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        match self.running.take() {
            Some(running) => running.shutdown().await,
            None => Ok(()),
        }
    }
}

fn address(url: &str) -> anyhow::Result<SocketAddr> {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    address.parse().with_context(|| url.to_owned())
}

/// As much shorter as time is faster.
fn deadlines(speed: u16) -> Deadlines {
    let scaled = |simulated_s: u32| simulated_s.div_ceil(u32::from(speed));
    Stage::ALL.into_iter().fold(Deadlines::default(), |deadlines, stage| {
        let give_up_s = match stage {
            Stage::Installing => INSTALL_GIVE_UP_S,
            _ => GIVE_UP_S,
        };
        let deadline = Deadline {
            stall_s: scaled(STALL_S).max(SHORTEST_STALL_S),
            give_up_s: (stage != Stage::Armed).then(|| scaled(give_up_s).max(2 * SHORTEST_STALL_S)),
        };
        if stage.is_end() {
            deadlines
        } else {
            deadlines.with(stage, deadline)
        }
    })
}

/// Files that boot nowhere, laid out as a mirror would leave them. Returns the hash of what stands in for k3s.
fn write_assets(assets: &Path) -> anyhow::Result<String> {
    let folder = assets.join("x86_64").join(VERSION);
    fs::create_dir_all(&folder)?;
    let mut files = Map::new();
    for (role, name, size) in [
        ("kernel", "kernel.x86_64", 40_000),
        ("initramfs", "initramfs.x86_64.img", 80_000),
        ("rootfs", "rootfs.x86_64.img", 400_000),
    ] {
        let name = format!("fedora-coreos-{VERSION}-live-{name}");
        let bytes: Vec<u8> = (0..=250).cycle().take(size).collect();
        let sha256 = data_encoding::HEXLOWER.encode(&Sha256::digest(&bytes));
        fs::write(folder.join(&name), &bytes)?;
        files.insert(role.to_owned(), json!({"name": name, "sha256": sha256, "size": size}));
    }
    let manifest = json!({"version": VERSION, "arch": "x86_64", "files": files});
    fs::write(folder.join("manifest.json"), manifest.to_string())?;
    symlink(VERSION, assets.join("x86_64/current"))?;
    let k3s = assets.join("k3s").join(K3S_VERSION).join("x86_64");
    fs::create_dir_all(&k3s)?;
    let binary = b"#!/bin/false\n";
    fs::write(k3s.join("k3s"), binary)?;
    Ok(data_encoding::HEXLOWER.encode(&Sha256::digest(binary)))
}
