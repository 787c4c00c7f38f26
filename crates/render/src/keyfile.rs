//! NetworkManager keyfiles for a host's bond, ports and VLANs.
//!
//! Written by typed code only: every value is a number, an address, a MAC or a word of ours, so that nothing needs
//! escaping. Ports are matched by MAC, never by name.

use std::{collections::HashSet, fmt::Write as _, net::IpAddr};

use sha2::{Digest as _, Sha256};
use thirdboot_lifecycle::{Bond, BondMode, Host, Mac, Network, Uplink, Vlan};

use crate::RenderError;

/// MTU of a link for which none was asked.
const DEFAULT_MTU: u32 = 1500;

/// IPv6 needs this much; jumbo frames end here on all common hardware.
const MTUS: std::ops::RangeInclusive<u32> = 1280..=9216;

/// One connection profile, ready to be written below `/etc/NetworkManager/system-connections`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keyfile {
    /// File name.
    pub(crate) name: String,
    /// Its text.
    pub(crate) text: String,
}

/// Keyfile text under construction.
struct Profile {
    id: String,
    text: String,
}

impl Profile {
    fn new(host: &Host, id: &str, kind: &str) -> Self {
        let mut profile = Self {
            id: id.to_owned(),
            text: String::new(),
        };
        profile.section("connection");
        profile.set("id", id);
        profile.set("uuid", profile_uuid(host, id));
        profile.set("type", kind);
        profile.set("autoconnect-priority", 10);
        profile
    }

    fn section(&mut self, name: &str) {
        let gap = if self.text.is_empty() { "" } else { "\n" };
        // A String takes every write.
        let _ = writeln!(self.text, "{gap}[{name}]");
    }

    fn set(&mut self, key: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.text, "{key}={value}");
    }

    fn into_keyfile(self) -> Keyfile {
        Keyfile {
            name: format!("{}.nmconnection", self.id),
            text: self.text,
        }
    }
}

/// The host's profiles; none where it asks for nothing but DHCP on whatever port has a link.
///
/// # Errors
/// Values that no keyfile, or no kernel, would take.
pub(crate) fn keyfiles(host: &Host) -> Result<Vec<Keyfile>, RenderError> {
    let network = &host.network;
    check_vlans(network)?;
    if network.bond.is_none() && network.vlans.is_empty() && network.dns.is_empty() && network.uplink == Uplink::Dhcp {
        return Ok(Vec::new());
    }
    let mut profiles = match &network.bond {
        Some(bond) => bond_profiles(host, bond)?,
        None => vec![port_profile(host)?],
    };
    for vlan in &network.vlans {
        profiles.push(vlan_profile(host, vlan));
    }
    Ok(profiles.into_iter().map(Profile::into_keyfile).collect())
}

fn bond_profiles(host: &Host, bond: &Bond) -> Result<Vec<Profile>, RenderError> {
    let distinct: HashSet<&Mac> = bond.ports.iter().collect();
    if bond.ports.is_empty() || distinct.len() != bond.ports.len() {
        return Err(RenderError::contradiction(
            "network.bond.ports",
            "a bond needs one port or more, each once",
        ));
    }
    let mut profile = Profile::new(host, "bond0", "bond");
    profile.set("interface-name", "bond0");
    profile.section("bond");
    profile.set("mode", bond.mode.as_str());
    profile.set("miimon", bond.miimon_ms);
    profile.set("downdelay", bond.down_delay_ms);
    profile.set("updelay", bond.up_delay_ms);
    if bond.mode == BondMode::Lacp {
        profile.set("lacp_rate", bond.lacp_rate.as_str());
        profile.set("xmit_hash_policy", "layer3+4");
    }
    if let Some(mtu) = bond.mtu {
        check_mtu("network.bond.mtu", mtu)?;
        profile.section("ethernet");
        profile.set("mtu", mtu);
    }
    uplink(&mut profile, &host.network)?;
    let mut profiles = vec![profile];
    for (at, mac) in bond.ports.iter().enumerate() {
        let mut port = Profile::new(host, &format!("bond0-port{at}"), "ethernet");
        // The old names of `controller` and `port-type`: every NetworkManager in use takes them.
        port.set("master", "bond0");
        port.set("slave-type", "bond");
        port.section("ethernet");
        port.set("mac-address", mac.to_string().to_ascii_uppercase());
        profiles.push(port);
    }
    Ok(profiles)
}

/// The only port of a host without a bond, matched by its first MAC.
fn port_profile(host: &Host) -> Result<Profile, RenderError> {
    let Some(mac) = host.macs.first() else {
        return Err(RenderError::contradiction(
            "macs",
            "a network with VLANs, fixed addresses or resolvers needs a bond, or the MAC of its port",
        ));
    };
    let mut profile = Profile::new(host, "uplink", "ethernet");
    profile.section("ethernet");
    profile.set("mac-address", mac.to_string().to_ascii_uppercase());
    uplink(&mut profile, &host.network)?;
    Ok(profile)
}

fn vlan_profile(host: &Host, vlan: &Vlan) -> Profile {
    let id = vlan.id;
    let (name, parent) = match &host.network.bond {
        Some(_) => (format!("bond0.{id}"), "bond0".to_owned()),
        // The port keeps whatever name the kernel gave it: the parent is named by its profile.
        None => (format!("vlan{id}"), profile_uuid(host, "uplink")),
    };
    let mut profile = Profile::new(host, &name, "vlan");
    profile.set("interface-name", &name);
    profile.section("vlan");
    profile.set("id", id);
    profile.set("parent", parent);
    profile.set("flags", 1);
    if let Some(mtu) = vlan.mtu {
        profile.section("ethernet");
        profile.set("mtu", mtu);
    }
    let addresses: Vec<String> = vlan.addresses.iter().map(ToString::to_string).collect();
    let of_v4: Vec<&str> = addresses
        .iter()
        .map(String::as_str)
        .filter(|a| !a.contains(':'))
        .collect();
    let of_v6: Vec<&str> = addresses
        .iter()
        .map(String::as_str)
        .filter(|a| a.contains(':'))
        .collect();
    fixed(&mut profile, "ipv4", &of_v4, None);
    fixed(&mut profile, "ipv6", &of_v6, None);
    profile
}

/// The untagged side's addresses and resolvers.
fn uplink(profile: &mut Profile, network: &Network) -> Result<(), RenderError> {
    for (section, is_v4) in [("ipv4", true), ("ipv6", false)] {
        match &network.uplink {
            Uplink::Dhcp => {
                profile.section(section);
                profile.set("method", "auto");
            }
            Uplink::Static { addresses, gateways } => {
                let field = "network.uplink.gateways";
                let addresses: Vec<String> = addresses
                    .iter()
                    .filter(|net| net.addr().is_ipv4() == is_v4)
                    .map(ToString::to_string)
                    .collect();
                let gateways: Vec<&IpAddr> = gateways.iter().filter(|gateway| gateway.is_ipv4() == is_v4).collect();
                let gateway = match (gateways.as_slice(), addresses.is_empty()) {
                    ([], _) => None,
                    ([gateway], false) => Some(**gateway),
                    ([_], true) => {
                        return Err(RenderError::contradiction(
                            field,
                            format!("a gateway needs an {section} address"),
                        ));
                    }
                    (_, _) => {
                        return Err(RenderError::contradiction(
                            field,
                            format!("more than one {section} gateway"),
                        ));
                    }
                };
                let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
                fixed(profile, section, &addresses, gateway);
            }
        }
        let resolvers: Vec<String> = network
            .dns
            .iter()
            .filter(|dns| dns.is_ipv4() == is_v4)
            .map(|dns| format!("{dns};"))
            .collect();
        if !network.dns.is_empty() && network.uplink == Uplink::Dhcp {
            profile.set("ignore-auto-dns", "true");
        }
        if !resolvers.is_empty() {
            profile.set("dns", resolvers.concat());
        }
    }
    if matches!(&network.uplink, Uplink::Static { addresses, .. } if addresses.is_empty()) {
        return Err(RenderError::contradiction(
            "network.uplink.addresses",
            "a static uplink needs an address",
        ));
    }
    Ok(())
}

/// Fixed addresses that must come up; a family without any is off.
fn fixed(profile: &mut Profile, section: &str, addresses: &[&str], gateway: Option<IpAddr>) {
    profile.section(section);
    if addresses.is_empty() {
        profile.set("method", "disabled");
        return;
    }
    profile.set("method", "manual");
    for (at, address) in addresses.iter().enumerate() {
        profile.set(&format!("address{}", at + 1), address);
    }
    if let Some(gateway) = gateway {
        profile.set("gateway", gateway);
    }
    profile.set("may-fail", "false");
}

fn check_vlans(network: &Network) -> Result<(), RenderError> {
    let parent_mtu = network.bond.as_ref().and_then(|bond| bond.mtu).unwrap_or(DEFAULT_MTU);
    let mut seen = HashSet::new();
    for (at, vlan) in network.vlans.iter().enumerate() {
        let field = format!("network.vlans[{at}]");
        if !(2..=4094).contains(&vlan.id) || !seen.insert(vlan.id) {
            return Err(RenderError::contradiction(
                format!("{field}.id"),
                format!("{} is not an id from 2 to 4094 that is used once", vlan.id),
            ));
        }
        if let Some(mtu) = vlan.mtu {
            check_mtu(&format!("{field}.mtu"), mtu)?;
            if mtu > parent_mtu {
                return Err(RenderError::contradiction(
                    format!("{field}.mtu"),
                    format!("{mtu} does not fit the {parent_mtu} of the link below it: set network.bond.mtu"),
                ));
            }
        }
    }
    Ok(())
}

fn check_mtu(field: &str, mtu: u32) -> Result<(), RenderError> {
    if MTUS.contains(&mtu) {
        return Ok(());
    }
    Err(RenderError::contradiction(
        field,
        format!("{mtu} is not between {} and {}", MTUS.start(), MTUS.end()),
    ))
}

/// A profile's UUID follows from host and profile: rendering twice gives the same bytes.
fn profile_uuid(host: &Host, id: &str) -> String {
    let digest = Sha256::digest(format!("thirdboot connection {} {id}", host.name).as_bytes());
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x80; // version 8: made by a rule of one's own
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = data_encoding::HEXLOWER.encode(&bytes);
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

#[cfg(test)]
mod tests;
