//! A small reader of the keyfile format, stricter than NetworkManager's, and the network that such files bring up.

use std::collections::BTreeMap;

use thirdboot_lifecycle::{Bond, Method, Network, Platform, Port, Route, Uplink, Vlan};

use super::Keyfile;

pub(super) type Section = BTreeMap<String, String>;
pub(super) type Read = BTreeMap<String, Section>;

pub(super) fn read(text: &str) -> Read {
    let mut sections = Read::new();
    let mut current = None;
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            assert!(!sections.contains_key(name), "[{name}] stands twice");
            sections.insert(name.to_owned(), Section::new());
            current = Some(name.to_owned());
            continue;
        }
        let (key, value) = line.split_once('=').expect("key=value");
        let section = sections.get_mut(current.as_ref().expect("a section first")).unwrap();
        assert!(
            section.insert(key.to_owned(), value.to_owned()).is_none(),
            "{key} stands twice"
        );
    }
    sections
}

/// The network that these profiles bring up.
pub(super) fn network_of(files: &[Keyfile]) -> Network {
    let profiles: Vec<Read> = files.iter().map(|file| read(&file.text)).collect();
    let of = |kind: &'static str| {
        profiles
            .iter()
            .filter(move |profile| profile["connection"]["type"] == kind)
    };
    let ports: Vec<&Read> = of("ethernet").collect();
    let Some(carrier) = of("bond").next().or_else(|| ports.first().copied()) else {
        return Network::default();
    };
    let bond = of("bond").next().map(|bond| Bond {
        ports: ports
            .iter()
            .map(|port| value(&port["ethernet"], "mac-address"))
            .collect(),
        ..bond_of(bond)
    });
    if bond.is_some() {
        assert!(ports.iter().all(|port| port["connection"]["master"] == "bond0"));
        assert!(
            ports
                .iter()
                .all(|port| !port["connection"].contains_key("interface-name")),
            "matched by MAC only"
        );
    }
    let port = bond.is_none().then(|| Port {
        mac: Some(value(&carrier["ethernet"], "mac-address")),
        mtu: mtu(carrier),
    });
    let mut vlans: Vec<Vlan> = of("vlan").map(vlan_of).collect();
    vlans.sort_by_key(|vlan| vlan.id);
    let families = [&carrier["ipv4"], &carrier["ipv6"]];
    Network {
        uplink: uplink_of(carrier),
        bond,
        port,
        vlans,
        dns: families.iter().flat_map(|family| list(family, "dns")).collect(),
        search: families
            .iter()
            .map(|family| list(family, "dns-search"))
            .find(|list| !list.is_empty())
            .unwrap_or_default(),
    }
}

/// What a key says, in the domain's own words.
fn value<T: serde::de::DeserializeOwned>(section: &Section, key: &str) -> T {
    parsed(&section[key])
}

fn parsed<T: serde::de::DeserializeOwned>(text: &str) -> T {
    let as_text = serde_json::from_value(text.into());
    as_text
        .or_else(|_| serde_json::from_str(text))
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn list<T: serde::de::DeserializeOwned>(section: &Section, key: &str) -> Vec<T> {
    let text = section.get(key).map_or("", String::as_str);
    text.split_terminator(';').map(parsed).collect()
}

/// Values of `key1`, `key2` and so on.
fn counted<'a>(section: &'a Section, key: &'a str) -> impl Iterator<Item = &'a str> {
    (1..).map_while(move |n| section.get(&format!("{key}{n}")).map(String::as_str))
}

fn mtu(profile: &Read) -> Option<u32> {
    let ethernet = profile.get("ethernet")?;
    ethernet.contains_key("mtu").then(|| value(ethernet, "mtu"))
}

fn bond_of(profile: &Read) -> Bond {
    let bond = &profile["bond"];
    let usual = Bond::preset(Platform::Metal);
    Bond {
        mode: value(bond, "mode"),
        ports: Vec::new(),
        miimon_ms: value(bond, "miimon"),
        down_delay_ms: value(bond, "downdelay"),
        up_delay_ms: value(bond, "updelay"),
        lacp_rate: bond.get("lacp_rate").map_or(usual.lacp_rate, |rate| parsed(rate)),
        xmit_hash_policy: bond
            .get("xmit_hash_policy")
            .map_or(usual.xmit_hash_policy, |policy| parsed(policy)),
        mtu: mtu(profile),
    }
}

fn uplink_of(profile: &Read) -> Uplink {
    let families = [&profile["ipv4"], &profile["ipv6"]];
    let is_auto = families.iter().any(|family| family["method"] == "auto");
    Uplink {
        method: if is_auto { Method::Dhcp } else { Method::Static },
        addresses: families
            .iter()
            .flat_map(|family| counted(family, "address").map(parsed))
            .collect(),
        gateways: families
            .iter()
            .filter(|family| family.contains_key("gateway"))
            .map(|family| value(family, "gateway"))
            .collect(),
        routes: families.iter().flat_map(|family| routes(family)).collect(),
    }
}

fn routes(family: &Section) -> Vec<Route> {
    counted(family, "route")
        .map(|route| {
            let (to, via) = route.split_once(',').expect("to,via");
            Route {
                to: parsed(to),
                via: parsed(via),
            }
        })
        .collect()
}

fn vlan_of(profile: &Read) -> Vlan {
    let families = [&profile["ipv4"], &profile["ipv6"]];
    for family in families {
        let has_addresses = counted(family, "address").next().is_some();
        assert_eq!(family["method"], if has_addresses { "manual" } else { "disabled" });
    }
    Vlan {
        id: value(&profile["vlan"], "id"),
        addresses: families
            .iter()
            .flat_map(|family| counted(family, "address").map(parsed))
            .collect(),
        mtu: mtu(profile),
        routes: families.iter().flat_map(|family| routes(family)).collect(),
        pool: None,
    }
}
