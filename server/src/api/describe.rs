//! A host as an admin describes it, checked field by field before it becomes one.

use serde_json::{Value, json};
use thirdboot_api::control::{HostSpec, NetworkSpec};
use thirdboot_lifecycle::{Host, Network};
use thirdboot_render::check_host;

use crate::problem::Failure;

/// Lists of a host are at most this long.
const MAX_LIST: usize = 64;
/// Words of a host are at most this long.
const MAX_WORD_CHARS: usize = 256;
/// VLAN ids that can be used: 0, 1 and 4095 have meanings of their own.
const VLAN_IDS: std::ops::RangeInclusive<u16> = 2..=4094;
/// Smallest and largest MTU that IPv6 and jumbo frames allow.
const MTUS: std::ops::RangeInclusive<u32> = 1280..=9216;

/// The host that is described.
pub(super) fn described(spec: HostSpec) -> Result<Host, Failure> {
    words(&spec)?;
    network(&spec.network)?;
    let host = into_host(&spec)?;
    if host.role.joins()
        && host.macs.is_empty()
        && host.serial.is_none()
        && host.uuid.is_none()
        && host.known_by == thirdboot_lifecycle::KnownBy::Address
    {
        return Err(Failure::field(
            "macs",
            "a host that is known by address needs a MAC, a serial or a UUID",
        ));
    }
    check_host(&host).map_err(|error| match error.field() {
        Some(field) => Failure::field(field, error.to_string()),
        None => Failure::field("", error.to_string()),
    })?;
    Ok(host)
}

/// The domain's types check themselves as they are read; the path of what they refuse is the field.
fn into_host(spec: &HostSpec) -> Result<Host, Failure> {
    let mut value = json!({
        "name": spec.name, "macs": spec.macs, "serial": spec.serial, "uuid": spec.uuid, "arch": spec.arch,
        "platform": spec.platform, "role": spec.role, "cluster": spec.cluster, "known_by": spec.known_by,
        "install": spec.install, "ssh_keys": spec.ssh_keys, "console_password_hash": spec.console_password_hash,
        "time_servers": spec.time_servers, "packages": spec.packages, "labels": spec.labels,
    });
    let network: Network = serde_path_to_error::deserialize(network_value(&spec.network))
        .map_err(|error| Failure::field(format!("network.{}", error.path()), error.inner().to_string()))?;
    value["network"] = serde_json::to_value(&network).map_err(Failure::internal)?;
    let host: Host = serde_path_to_error::deserialize(value)
        .map_err(|error| Failure::field(error.path().to_string(), error.inner().to_string()))?;
    let mut seen = std::collections::BTreeSet::new();
    match host.macs.iter().position(|mac| !seen.insert(*mac)) {
        Some(at) => Err(Failure::field(format!("macs[{at}]"), "this MAC is listed twice")),
        None => Ok(host),
    }
}

/// Defaults that the API leaves out are the domain's to fill in.
fn network_value(network: &NetworkSpec) -> Value {
    json!(network)
}

fn words(spec: &HostSpec) -> Result<(), Failure> {
    let lists = [
        ("macs", &spec.macs),
        ("ssh_keys", &spec.ssh_keys),
        ("time_servers", &spec.time_servers),
        ("packages", &spec.packages),
        ("install.console", &spec.install.console),
        ("install.kernel_arguments", &spec.install.kernel_arguments),
    ];
    for (name, list) in lists {
        if list.len() > MAX_LIST {
            return Err(Failure::field(name, format!("expected at most {MAX_LIST}")));
        }
    }
    each(
        "ssh_keys",
        &spec.ssh_keys,
        is_openssh_key,
        "expected an OpenSSH public key: type, base64, comment",
    )?;
    each("packages", &spec.packages, is_package, "expected the name of a package")?;
    each(
        "time_servers",
        &spec.time_servers,
        is_server_name,
        "expected a host name or an address",
    )?;
    each(
        "install.console",
        &spec.install.console,
        is_console,
        "expected a console such as ttyS1,115200n8",
    )?;
    let argument = "expected one kernel argument without spaces and quotes";
    each(
        "install.kernel_arguments",
        &spec.install.kernel_arguments,
        is_kernel_argument,
        argument,
    )?;
    for (key, value) in &spec.labels {
        if !is_label_key(key) || value.len() > MAX_WORD_CHARS || value.contains(char::is_control) {
            let key: String = key.chars().take(80).collect();
            return Err(Failure::field(
                format!("labels.{key}"),
                "expected a key of a-z, A-Z, 0-9, '.', '_', '-', '/' and one line as value",
            ));
        }
    }
    if spec.labels.len() > MAX_LIST {
        return Err(Failure::field("labels", format!("expected at most {MAX_LIST}")));
    }
    let is_plain = |text: &String| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|c| c.is_ascii_alphanumeric() || b".-_+".contains(&c))
            && !text.starts_with('.')
    };
    if spec.install.version.as_ref().is_some_and(|version| !is_plain(version)) {
        return Err(Failure::field(
            "install.version",
            "expected a version such as 43.20260901.3.0",
        ));
    }
    if spec
        .console_password_hash
        .as_ref()
        .is_some_and(|hash| !is_crypt_hash(hash))
    {
        return Err(Failure::field(
            "console_password_hash",
            "expected a crypt(5) hash such as $y$… or $6$…",
        ));
    }
    Ok(())
}

fn each(name: &str, list: &[String], is_good: fn(&str) -> bool, expected: &str) -> Result<(), Failure> {
    match list.iter().position(|word| !is_good(word)) {
        Some(at) => Err(Failure::field(format!("{name}[{at}]"), expected)),
        None => Ok(()),
    }
}

fn is_openssh_key(text: &str) -> bool {
    const KINDS: [&str; 8] = [
        "ssh-ed25519",
        "ssh-rsa",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
        "ssh-dss",
    ];
    let mut parts = text.splitn(3, ' ');
    let (kind, blob) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let Some(decoded) = data_encoding::BASE64
        .decode(blob.as_bytes())
        .ok()
        .filter(|_| text.len() <= 16_384)
    else {
        return false;
    };
    // The blob begins with the kind's own name, so that a key cannot be pasted under another kind.
    let named = decoded
        .split_first_chunk::<4>()
        .and_then(|(length, rest)| rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?));
    KINDS.contains(&kind) && !text.contains(char::is_control) && named == Some(kind.as_bytes())
}

fn is_package(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"._+-".contains(&c))
}

fn is_server_name(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok()
        || ((1..=253).contains(&text.len())
            && text.split('.').all(|label| {
                !label.is_empty()
                    && !label.starts_with('-')
                    && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
            }))
}

fn is_console(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b',')
}

fn is_kernel_argument(text: &str) -> bool {
    (1..=MAX_WORD_CHARS).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|c| c.is_ascii_graphic() && !b"\"'\\`$|&;<>{}#".contains(&c))
}

fn is_label_key(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"._-/".contains(&c))
}

fn is_crypt_hash(text: &str) -> bool {
    text.starts_with('$')
        && (8..=512).contains(&text.len())
        && text
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || b"./$=,-".contains(&c))
}

fn network(network: &NetworkSpec) -> Result<(), Failure> {
    let mtu = |field: String, mtu: Option<u32>| match mtu {
        Some(mtu) if !MTUS.contains(&mtu) => Err(Failure::field(
            field,
            format!("expected {} to {}", MTUS.start(), MTUS.end()),
        )),
        _ => Ok(()),
    };
    if let Some(bond) = &network.bond {
        mtu("network.bond.mtu".into(), bond.mtu)?;
        if bond.ports.is_empty() {
            return Err(Failure::field(
                "network.bond.ports",
                "expected at least one port by its MAC",
            ));
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    for (at, vlan) in network.vlans.iter().enumerate() {
        if !VLAN_IDS.contains(&vlan.id) {
            let expected = format!("expected {} to {}", VLAN_IDS.start(), VLAN_IDS.end());
            return Err(Failure::field(format!("network.vlans[{at}].id"), expected));
        }
        if !seen.insert(vlan.id) {
            return Err(Failure::field(
                format!("network.vlans[{at}].id"),
                "this VLAN is listed twice",
            ));
        }
        mtu(format!("network.vlans[{at}].mtu"), vlan.mtu)?;
    }
    Ok(())
}
