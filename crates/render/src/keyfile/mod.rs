//! NetworkManager keyfiles for a host's bond, ports and VLANs.
//!
//! Written by typed code only: every value is a number, an address, a MAC, a checked domain or a word of ours, so that
//! nothing needs escaping. Ports are matched by MAC, never by name.

mod live;
mod profile;

use serde::{Deserialize, Serialize};
use thirdboot_lifecycle::{Bond, BondMode, Host, Mac, Method, Network, Vlan, check_network};

use crate::RenderError;
pub use live::live_keyfiles;
use profile::{Profile, profile_uuid};

/// Where the installed and the live system keep connection profiles.
pub(crate) const FOLDER: &str = "/etc/NetworkManager/system-connections";

/// One connection profile, ready to be written where NetworkManager reads it; for root only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyfile {
    /// File name.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// The host's profiles; none where it asks for nothing but DHCP on whatever port has a link.
///
/// # Errors
/// Values that no keyfile, or no kernel, would take.
pub fn keyfiles(host: &Host) -> Result<Vec<Keyfile>, RenderError> {
    check_network(host).map_err(|fault| RenderError::contradiction(fault.field, fault.why))?;
    let network = &host.network;
    if network.is_plain() {
        return Ok(Vec::new());
    }
    let mut profiles = match &network.bond {
        Some(bond) => bond_profiles(host, bond),
        None => vec![port_profile(host)?],
    };
    for vlan in &network.vlans {
        profiles.push(vlan_profile(host, vlan));
    }
    Ok(profiles.into_iter().map(Profile::into_keyfile).collect())
}

fn bond_profiles(host: &Host, bond: &Bond) -> Vec<Profile> {
    let mut profile = Profile::new(host, "bond0", "bond");
    profile.set("interface-name", "bond0");
    profile.section("bond");
    profile.set("mode", bond.mode.as_str());
    profile.set("miimon", bond.miimon_ms);
    profile.set("downdelay", bond.down_delay_ms);
    profile.set("updelay", bond.up_delay_ms);
    if bond.mode == BondMode::Lacp {
        profile.set("lacp_rate", bond.lacp_rate.as_str());
    }
    if bond.mode.hashes() {
        profile.set("xmit_hash_policy", bond.xmit_hash_policy.as_str());
    }
    if let Some(mtu) = bond.mtu {
        profile.section("ethernet");
        profile.set("mtu", mtu);
    }
    uplink(&mut profile, &host.network);
    let mut profiles = vec![profile];
    for (at, mac) in bond.ports.iter().enumerate() {
        let mut port = Profile::new(host, &format!("bond0-port{at}"), "ethernet");
        // The old names of `controller` and `port-type`: every NetworkManager in use takes them.
        port.set("master", "bond0");
        port.set("slave-type", "bond");
        port.section("ethernet");
        port.set("mac-address", written(*mac));
        profiles.push(port);
    }
    profiles
}

/// The only port of a host without a bond, matched by its MAC.
fn port_profile(host: &Host) -> Result<Profile, RenderError> {
    let port = host.network.port.clone().unwrap_or_default();
    let Some(mac) = port.mac.or_else(|| host.macs.first().copied()) else {
        return Err(RenderError::contradiction(
            "macs",
            "the uplink needs the MAC of its port",
        ));
    };
    let mut profile = Profile::new(host, "uplink", "ethernet");
    profile.section("ethernet");
    profile.set("mac-address", written(mac));
    if let Some(mtu) = port.mtu {
        profile.set("mtu", mtu);
    }
    uplink(&mut profile, &host.network);
    Ok(profile)
}

fn written(mac: Mac) -> String {
    mac.to_string().to_ascii_uppercase()
}

fn vlan_profile(host: &Host, vlan: &Vlan) -> Profile {
    let name = host.network.vlan_interface(vlan.id);
    let parent = match host.network.uplink_interface() {
        Some(interface) => interface.to_owned(),
        // The port keeps whatever name the kernel gave it: the parent is named by its profile.
        None => profile_uuid(host, "uplink"),
    };
    let mut profile = Profile::new(host, &name, "vlan");
    profile.set("interface-name", &name);
    profile.section("vlan");
    profile.set("id", vlan.id);
    profile.set("parent", parent);
    profile.set("flags", 1);
    if let Some(mtu) = vlan.mtu {
        profile.section("ethernet");
        profile.set("mtu", mtu);
    }
    for (section, is_v4) in FAMILIES {
        profile.section(section);
        let addresses = vlan.addresses.iter().filter(|net| net.addr().is_ipv4() == is_v4);
        let has_any = addresses.clone().next().is_some();
        profile.set("method", if has_any { "manual" } else { "disabled" });
        profile.addresses(addresses);
        profile.routes(vlan.routes.iter().filter(|route| route.via.is_ipv4() == is_v4));
        if has_any {
            profile.set("may-fail", "false");
        }
    }
    profile
}

/// Sections, and whether they are IPv4's.
const FAMILIES: [(&str, bool); 2] = [("ipv4", true), ("ipv6", false)];

/// The untagged side's addresses, routes and resolvers.
fn uplink(profile: &mut Profile, network: &Network) {
    let uplink = &network.uplink;
    for (section, is_v4) in FAMILIES {
        let addresses = uplink.addresses.iter().filter(|net| net.addr().is_ipv4() == is_v4);
        let has_any = addresses.clone().next().is_some();
        // A fixed IPv6 address takes the place of router advertisements; IPv4's stand beside that of DHCP.
        let method = match uplink.method {
            Method::Dhcp | Method::Metadata if is_v4 || !has_any => "auto",
            _ if has_any => "manual",
            _ => "disabled",
        };
        profile.section(section);
        profile.set("method", method);
        profile.addresses(addresses);
        if let Some(gateway) = uplink.gateways.iter().find(|gateway| gateway.is_ipv4() == is_v4) {
            profile.set("gateway", gateway);
        }
        profile.routes(uplink.routes.iter().filter(|route| route.via.is_ipv4() == is_v4));
        if method == "auto" && !network.dns.is_empty() {
            profile.set("ignore-auto-dns", "true");
        }
        profile.list("dns", network.dns.iter().filter(|dns| dns.is_ipv4() == is_v4));
        if method != "disabled" {
            profile.list("dns-search", &network.search);
        }
        if method == "manual" {
            profile.set("may-fail", "false");
        }
    }
}

#[cfg(test)]
mod tests;
