use std::collections::BTreeMap;

use super::*;
use crate::samples;

type Read = BTreeMap<String, BTreeMap<String, String>>;

/// A small reader of the keyfile format, stricter than NetworkManager's.
fn read(text: &str) -> Read {
    let mut sections = Read::new();
    let mut current = None;
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            assert!(!sections.contains_key(name), "[{name}] stands twice");
            sections.insert(name.to_owned(), BTreeMap::new());
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

fn rendered(network: &str) -> BTreeMap<String, Read> {
    let host = samples::with_network(network);
    keyfiles(&host)
        .unwrap()
        .into_iter()
        .map(|file| (file.name, read(&file.text)))
        .collect()
}

fn refused(network: &str) -> RenderError {
    keyfiles(&samples::with_network(network)).unwrap_err()
}

#[test]
fn dhcp_on_any_port_needs_no_file() {
    assert_eq!(rendered("{}"), BTreeMap::new());
}

#[test]
fn a_bond_has_its_ports_by_mac_and_its_vlans_on_top() {
    let files = rendered(
        r#"{"bond":{"ports":["52:54:00:00:00:01","52:54:00:00:00:02"],"mtu":9000},
            "vlans":[{"id":1234,"mtu":9000,"addresses":["10.8.0.5/24","fd00::5/64"]}]}"#,
    );
    assert_eq!(files["bond0.nmconnection"]["bond"]["mode"], "802.3ad");
    assert_eq!(files["bond0.nmconnection"]["ipv4"]["method"], "auto");
    for (file, mac) in [
        ("bond0-port0", "52:54:00:00:00:01"),
        ("bond0-port1", "52:54:00:00:00:02"),
    ] {
        let port = &files[&format!("{file}.nmconnection")];
        assert_eq!(port["connection"]["master"], "bond0");
        assert_eq!(port["ethernet"]["mac-address"], mac);
        assert!(
            !port["connection"].contains_key("interface-name"),
            "matched by MAC only"
        );
    }
    let vlan = &files["bond0.1234.nmconnection"];
    assert_eq!(
        (vlan["vlan"]["id"].as_str(), vlan["vlan"]["parent"].as_str()),
        ("1234", "bond0")
    );
    assert_eq!(vlan["ipv4"]["address1"], "10.8.0.5/24");
    assert_eq!(vlan["ipv6"]["address1"], "fd00::5/64");
    assert_eq!(vlan["ipv4"]["may-fail"], "false");
}

#[test]
fn a_vlan_without_a_bond_names_its_parent_by_profile() {
    let files = rendered(r#"{"vlans":[{"id":7,"addresses":["10.8.0.5/24"]}]}"#);
    let parent = &files["uplink.nmconnection"]["connection"]["uuid"];
    let vlan = &files["vlan7.nmconnection"];
    assert_eq!(&vlan["vlan"]["parent"], parent);
    assert_eq!(vlan["ipv6"]["method"], "disabled");
}

#[test]
fn a_static_uplink_has_addresses_gateways_and_resolvers() {
    let files = rendered(
        r#"{"uplink":{"method":"static","addresses":["192.0.2.5/24","192.0.2.6/24"],"gateways":["192.0.2.1"]},"dns":["192.0.2.53","2001:db8::53"]}"#,
    );
    let uplink = &files["uplink.nmconnection"];
    assert_eq!(uplink["ipv4"]["address2"], "192.0.2.6/24");
    assert_eq!(uplink["ipv4"]["gateway"], "192.0.2.1");
    assert_eq!(uplink["ipv4"]["dns"], "192.0.2.53;");
    assert_eq!(uplink["ipv6"]["method"], "disabled");
}

#[test]
fn what_cannot_come_up_is_refused_by_field() {
    for (network, field) in [
        (r#"{"bond":{"ports":[]}}"#, "network.bond.ports"),
        (r#"{"vlans":[{"id":1,"addresses":[]}]}"#, "network.vlans[0].id"),
        (
            r#"{"vlans":[{"id":7,"addresses":[]},{"id":7,"addresses":[]}]}"#,
            "network.vlans[1].id",
        ),
        (
            r#"{"vlans":[{"id":7,"addresses":[],"mtu":9000}]}"#,
            "network.vlans[0].mtu",
        ),
        (
            r#"{"bond":{"ports":["52:54:00:00:00:01"],"mtu":100}}"#,
            "network.bond.mtu",
        ),
        (
            r#"{"uplink":{"method":"static","addresses":[],"gateways":[]}}"#,
            "network.uplink.addresses",
        ),
        (
            r#"{"uplink":{"method":"static","addresses":["192.0.2.5/24"],"gateways":["fd00::1"]}}"#,
            "network.uplink.gateways",
        ),
        (
            r#"{"uplink":{"method":"static","addresses":["192.0.2.5/24"],"gateways":["192.0.2.1","192.0.2.2"]}}"#,
            "network.uplink.gateways",
        ),
    ] {
        assert_eq!(refused(network).field(), Some(field), "{network}");
    }
}
