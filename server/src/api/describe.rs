//! A host as an admin describes it, checked field by field before it becomes one. Shapes are the domain's to know, what
//! can be rendered is the renderer's; here is only what belongs to neither.

use std::collections::BTreeSet;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use thirdboot_api::control::{BondSpec, HostSpec};
use thirdboot_api::{Problem, ProblemType};
use thirdboot_lifecycle::{Bond, Host, Network, Platform};
use thirdboot_render::check_host;
use thirdboot_store::StoreError;

use crate::problem::Failure;

/// Lists of a host are at most this long.
const MAX_LIST: usize = 64;
/// Keys and values of labels are at most this long.
const MAX_LABEL_CHARS: usize = 256;

/// The host that is described.
pub(super) fn described(spec: &HostSpec) -> Result<Host, Failure> {
    lengths(spec)?;
    labels(spec)?;
    ssh_keys(spec)?;
    let host = into_host(spec)?;
    no_mac_twice(&host)?;
    if let Some((field, why)) = host.provider_fault() {
        return Err(Failure::field(field, why));
    }
    check_host(&host).map_err(|error| Failure::field(error.field().unwrap_or("network"), error.why()))?;
    Ok(host)
}

/// What a store says of this host, with the field where the taken address or card stands.
pub(super) fn placed(error: StoreError, host: &Host) -> Failure {
    let StoreError::Taken { field, value, owner } = &error else {
        return error.into();
    };
    let at = match *field {
        "network" => host
            .network
            .addresses()
            .find(|(_, address)| address.addr().to_string() == *value)
            .map(|(at, _)| at),
        "macs" => card_field(host, value),
        _ => None,
    };
    match at {
        Some(at) => {
            let detail = format!("{value} belongs to {owner} already");
            Problem::new(ProblemType::AlreadyTaken, detail).at(at).into()
        }
        None => error.into(),
    }
}

/// Where a card is named: among the MACs, or only as a port.
fn card_field(host: &Host, mac: &str) -> Option<String> {
    if host.macs.iter().any(|listed| listed.to_string() == mac) {
        return None;
    }
    let ports = host.network.bond.as_ref().map_or(&[][..], |bond| &bond.ports);
    match ports.iter().position(|port| port.to_string() == mac) {
        Some(at) => Some(format!("network.bond.ports[{at}]")),
        None => Some("network.port.mac".to_owned()),
    }
}

/// The domain's types check themselves as they are read; the path of what they refuse is the field.
fn into_host(spec: &HostSpec) -> Result<Host, Failure> {
    let platform: Platform = read("platform", &spec.platform)?;
    let mut network = spec.network.clone();
    if let Some(bond) = &mut network.bond {
        preset(bond, &spec.macs, platform)?;
    }
    let network: Network = read("network.", &network)?;
    read(
        "",
        &json!({
            "name": spec.name, "macs": spec.macs, "serial": spec.serial, "uuid": spec.uuid, "arch": spec.arch,
            "platform": spec.platform, "provider": spec.provider, "role": spec.role, "cluster": spec.cluster, "known_by": spec.known_by,
            "network": network, "install": spec.install, "ssh_keys": spec.ssh_keys,
            "console_password_hash": spec.console_password_hash, "time_servers": spec.time_servers,
            "packages": spec.packages, "labels": spec.labels,
        }),
    )
}

/// What a bond leaves open is what is usual on the platform, and stands in the host's description from then on.
fn preset(bond: &mut BondSpec, macs: &[String], platform: Platform) -> Result<(), Failure> {
    let usual: BondSpec = read("network.bond.", &Bond::preset(platform))?;
    bond.mode = bond.mode.or(usual.mode);
    bond.miimon_ms = bond.miimon_ms.or(usual.miimon_ms);
    bond.down_delay_ms = bond.down_delay_ms.or(usual.down_delay_ms);
    bond.up_delay_ms = bond.up_delay_ms.or(usual.up_delay_ms);
    bond.lacp_rate = bond.lacp_rate.or(usual.lacp_rate);
    bond.xmit_hash_policy = bond.xmit_hash_policy.or(usual.xmit_hash_policy);
    if bond.ports.is_empty() {
        macs.clone_into(&mut bond.ports);
    }
    Ok(())
}

pub(super) fn read<T: DeserializeOwned>(prefix: &str, spec: &impl Serialize) -> Result<T, Failure> {
    let value = serde_json::to_value(spec).map_err(Failure::internal)?;
    serde_path_to_error::deserialize(value)
        .map_err(|error| Failure::field(format!("{prefix}{}", error.path()), error.inner().to_string()))
}

fn no_mac_twice(host: &Host) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    match host.macs.iter().position(|mac| !seen.insert(*mac)) {
        Some(at) => Err(Failure::field(format!("macs[{at}]"), "this MAC is listed twice")),
        None => Ok(()),
    }
}

fn lengths(spec: &HostSpec) -> Result<(), Failure> {
    let lists = [
        ("macs", spec.macs.len()),
        ("ssh_keys", spec.ssh_keys.len()),
        ("time_servers", spec.time_servers.len()),
        ("packages", spec.packages.len()),
        ("labels", spec.labels.len()),
        ("install.console", spec.install.console.len()),
        ("install.kernel_arguments", spec.install.kernel_arguments.len()),
        ("network.vlans", spec.network.vlans.len()),
        ("network.dns", spec.network.dns.len()),
        ("network.search", spec.network.search.len()),
        ("network.uplink.addresses", spec.network.uplink.addresses.len()),
        ("network.uplink.routes", spec.network.uplink.routes.len()),
    ];
    let of_vlans = spec.network.vlans.iter().flat_map(|vlan| {
        [
            ("network.vlans.addresses", vlan.addresses.len()),
            ("network.vlans.routes", vlan.routes.len()),
        ]
    });
    match lists.into_iter().chain(of_vlans).find(|(_, length)| *length > MAX_LIST) {
        Some((name, length)) => Err(Failure::field(
            name,
            format!("{length} of them, expected at most {MAX_LIST}"),
        )),
        None => Ok(()),
    }
}

fn labels(spec: &HostSpec) -> Result<(), Failure> {
    let is_key = |text: &str| {
        (1..=MAX_LABEL_CHARS).contains(&text.len())
            && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-/".contains(&c))
    };
    let is_value = |text: &str| text.len() <= MAX_LABEL_CHARS && !text.contains(char::is_control);
    match spec.labels.iter().find(|(key, value)| !is_key(key) || !is_value(value)) {
        Some((key, _)) => {
            let key: String = key.chars().take(80).collect();
            let expected = "expected a key of A-Z a-z 0-9 . _ - / and one line as its value";
            Err(Failure::field(format!("labels.{key}"), expected))
        }
        None => Ok(()),
    }
}

/// A key that was cut by copying looks like one; its inside does not.
fn ssh_keys(spec: &HostSpec) -> Result<(), Failure> {
    match spec.ssh_keys.iter().position(|key| !is_whole_key(key)) {
        Some(at) => {
            let expected = "expected an OpenSSH public key, whole and on one line: kind, base64, comment";
            Err(Failure::field(format!("ssh_keys[{at}]"), expected))
        }
        None => Ok(()),
    }
}

/// The inside is a list of fields with their lengths, the first of which repeats the kind (RFC 4253, section 6.6).
fn is_whole_key(text: &str) -> bool {
    let mut words = text.splitn(3, ' ');
    let (Some(kind), Some(blob)) = (words.next(), words.next()) else {
        return false;
    };
    let Ok(blob) = data_encoding::BASE64.decode(blob.as_bytes()) else {
        return false;
    };
    let mut rest = blob.as_slice();
    let mut first = None;
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        let Some((field, tail)) = usize::try_from(u32::from_be_bytes(*length))
            .ok()
            .and_then(|length| tail.split_at_checked(length))
        else {
            return false;
        };
        first = first.or(Some(field));
        rest = tail;
    }
    rest.is_empty() && first == Some(kind.as_bytes())
}
