//! The example on Equinix Metal. Its provider cannot be had without a network, and its service has ended: what it has of
//! `equinix/equinix` is held against the attributes that version 4.16.1 documents, and values stand in for it in an apply
//! with simulated machines.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use thirdboot_tests::Site;
use thirdboot_tests::site::K3S;
use thirdboot_tests::terraform::{Folder, Simulated, all_ready, switched_on};

use crate::clusters::machines;
use crate::examples::{EXAMPLES, armed, example};
use crate::says;

/// Arguments of the resources that the example uses, the required ones first, and how many those are.
const RESOURCES: [(&str, usize, &[&str]); 3] = [
    (
        "equinix_metal_vlan",
        1,
        &["project_id", "metro", "description", "vxlan"],
    ),
    (
        "equinix_metal_device",
        3,
        &[
            "operating_system",
            "plan",
            "project_id",
            "hostname",
            "metro",
            "billing_cycle",
            "ipxe_script_url",
            "always_pxe",
        ],
    ),
    ("equinix_metal_port", 2, &["port_id", "bonded", "layer2", "vxlan_ids"]),
];
/// What is read of a device, of a VLAN, and of one of a device's ports.
const READ_OF_DEVICE: [&str; 2] = ["id", "ports"];
const READ_OF_VLAN: [&str; 1] = ["vxlan"];
const READ_OF_PORT: [&str; 4] = ["id", "mac", "name", "type"];

/// A block at the top of a file: its first line, and all of it.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut is_inside = false;
    for line in text.lines() {
        if !is_inside && line.ends_with('{') {
            found.push((line.trim_end_matches(" {").to_owned(), String::new()));
            is_inside = true;
        }
        if let Some((_, body)) = found.last_mut().filter(|_| is_inside) {
            body.push_str(line);
            body.push('\n');
        }
        is_inside &= line != "}";
    }
    found
}

fn main_of_example() -> Result<String> {
    Ok(fs::read_to_string(format!("{EXAMPLES}/equinix-metal/main.tf"))?)
}

/// Words after each occurrence of a text.
fn words_after<'a>(text: &'a str, before: &str) -> Vec<&'a str> {
    let word = |rest: &'a str| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next();
    text.split(before).skip(1).filter_map(word).collect()
}

#[test]
fn the_example_uses_what_the_last_version_of_the_provider_has() -> Result<()> {
    let text = main_of_example()?;
    ensure!(text.contains("version = \"4.16.1\""));
    let mut used: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (head, body) in blocks(&text) {
        let Some(kind) = head.strip_prefix("resource \"").and_then(|rest| rest.split('"').next()) else {
            continue;
        };
        let of_block = body.lines().filter_map(|line| line.strip_prefix("  "));
        let names = of_block.filter(|line| !line.starts_with([' ', '#', '}']));
        let names = names.filter_map(|line| Some(line.split_once(" =")?.0.trim().to_owned()));
        let names = names.filter(|name| name != "for_each");
        used.entry(kind.to_owned()).or_default().extend(names);
    }
    let is_theirs = |kind: &&String| kind.starts_with("equinix_");
    ensure!(used.keys().filter(is_theirs).count() == RESOURCES.len(), "{used:?}");
    for (kind, required, known) in RESOURCES {
        let names = used.get(kind).context(kind)?;
        ensure!(!names.is_empty(), "{kind} says nothing");
        for name in names {
            ensure!(known.contains(&name.as_str()), "{kind} has no {name}");
        }
        for name in &known[..required] {
            ensure!(names.iter().any(|used| used == name), "{kind} needs {name}");
        }
    }
    let read: [(&str, &[&str]); 3] = [
        ("equinix_metal_device.this[each.key].", &READ_OF_DEVICE),
        ("equinix_metal_vlan.nodes.", &READ_OF_VLAN),
        (" port.", &READ_OF_PORT),
    ];
    for (of, known) in read {
        let names = words_after(&text, of);
        ensure!(names.len() >= known.len(), "{of} is read {names:?} alone");
        for name in names {
            ensure!(known.contains(&name), "{of}{name}: there is no such thing");
        }
    }
    Ok(())
}

/// The example with values in the place of the other provider's resources; and joining without HTTPS, as the test's
/// server has none.
fn without_their_resources() -> Result<String> {
    let mut text = main_of_example()?;
    for (head, body) in blocks(&text.clone()) {
        if head.contains("\"equinix") {
            text = text.replace(&body, "");
        }
    }
    let theirs = "    equinix = {\n      source  = \"equinix/equinix\"\n      version = \"4.16.1\"\n    }\n";
    for (part, instead) in [
        (theirs, ""),
        ("  depends_on = [equinix_metal_port.bond]\n", ""),
        ("equinix_metal_device.", "local.equinix_metal_device."),
        ("equinix_metal_vlan.", "local.equinix_metal_vlan."),
        (
            "  name = var.cluster\n",
            "  name = var.cluster\n  insecure_join = true\n",
        ),
    ] {
        ensure!(text.contains(part), "the example has no {part}");
        text = text.replace(part, instead);
    }
    Ok(text)
}

/// Devices with the ports that the provider would tell of.
fn devices(machines: &[Simulated]) -> Value {
    let of = |(nth, machine): (usize, &Simulated)| {
        let port = |(n, mac): (usize, String)| json!({"id": format!("{nth}-{n}"), "name": format!("eth{n}"), "type": "NetworkPort", "mac": mac});
        let bond =
            json!({"id": format!("{nth}-bond"), "name": "bond0", "type": "NetworkBondPort", "mac": machine.macs()[0]});
        let ports: Vec<Value> = std::iter::once(bond)
            .chain(machine.macs().into_iter().enumerate().map(port))
            .collect();
        (
            machine.name().to_owned(),
            json!({"id": format!("device-{nth}"), "ports": ports}),
        )
    };
    machines.iter().enumerate().map(of).collect()
}

#[tokio::test]
async fn the_example_of_equinix_metal_waits_for_a_cluster_of_eight() -> Result<()> {
    let site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    example(&folder, "equinix-metal")?;
    folder.write(&without_their_resources()?)?;
    let machines = machines();
    let locals = json!({"locals": {
        "equinix_metal_device": {"this": devices(&machines)},
        "equinix_metal_vlan": {"nodes": {"vxlan": "${var.vlan}"}},
    }});
    folder.write_file("theirs.tf.json", &locals.to_string())?;
    folder.run(&["validate", "-no-color"]).await?.succeeded()?;
    let variables = json!({"equinix_token": "none", "project_id": "none", "boot_plane": site.server.endpoints.boot, "k3s": site.k3s(K3S)?});
    folder.write_file("terraform.tfvars.json", &variables.to_string())?;
    let running = folder.start_apply()?;
    for machine in &machines {
        armed(&site, machine.name()).await?;
    }
    let fleet = switched_on(&machines, &site)?;
    says!(
        running.ended().await?.succeeded()?,
        "Resources: 17 added",
        "kubeconfig = <sensitive>"
    );
    all_ready(fleet).await?;
    let host = site.admin.host("server-1").await?;
    ensure!(
        host["platform"] == "equinix-metal" && host["run"]["stage"] == "ready",
        "{host}"
    );
    folder.plan_is_empty().await
}
