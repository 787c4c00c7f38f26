//! A cluster of the stand-in for k3s: its binary among the assets, its description, and its first server.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use super::partner::Partner;
use super::{Card, Machine, Rig, os};
use crate::assets;

/// The VLAN that its nodes talk over.
pub const VLAN: u16 = 1234;

const STAND_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/metal/standins/k3s");

/// Lays the built images and k3s into a folder, as a mirror has them.
///
/// # Errors
/// When the stand-in OS was not built or the folder cannot be written.
pub fn assets(folder: &Path) -> Result<()> {
    assets::lay_k3s(folder, &fs::read(STAND_IN)?)?;
    Ok(symlink(os::folder()?.join("assets/x86_64"), folder.join("x86_64"))?)
}

/// Describes the cluster `c1` to a rig's server. Tokens may go over plain HTTP: nobody else is on this network.
///
/// # Errors
/// When it is refused.
pub async fn describe(rig: &Rig) -> Result<()> {
    let k3s = assets::k3s(&fs::read(STAND_IN)?);
    let cluster = json!({"name": "c1", "vlan": VLAN, "insecure_join": true, "k3s": k3s});
    let (status, answer) = rig.admin.ask(Method::POST, "/api/v1/clusters", Some(&cluster)).await?;
    ensure!(status.is_success(), "{status} {answer}");
    Ok(())
}

/// Makes a described host a node of it.
pub fn member(description: &mut Value, role: &str) {
    description["role"] = role.into();
    description["cluster"] = "c1".into();
}

/// Machine 1 with two cards in a switch, described and armed as the first server of the cluster: a bond in 802.3ad, a VLAN
/// on it, and two packages, one from the fleet's own repository.
///
/// # Errors
/// When a part of it is refused.
pub async fn first_server(rig: &Rig) -> Result<(Machine, Partner)> {
    let switch = Partner::with_ports(2).await?;
    let mut machine = rig.machine(1)?;
    machine.cards = (1..)
        .zip(switch.wires.iter().copied())
        .map(|(n, wire)| Card {
            mac: format!("52:54:00:01:01:0{n}"),
            wire,
        })
        .collect();
    let mut host = Rig::description(&machine);
    host["network"] = json!({
        "uplink": {"method": "static", "addresses": ["198.51.100.11/24"], "gateways": []},
        "bond": {"mode": "802.3ad", "ports": [machine.cards[0].mac, machine.cards[1].mac]},
        "vlans": [{"id": VLAN, "addresses": ["192.168.123.1/24", "fd00:123::1/64"]}],
    });
    member(&mut host, "server");
    describe(rig).await?;
    rig.offer_packages().await?;
    rig.admin.add(&host).await?;
    rig.admin.arm(&machine.name).await?;
    Ok((machine, switch))
}
