mod networks;
mod readback;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::samples;
use readback::{Read, network_of, read};

fn rendered(network: &str) -> BTreeMap<String, Read> {
    let host = samples::with_network(network);
    keyfiles(&host)
        .unwrap()
        .into_iter()
        .map(|file| (file.name, read(&file.text)))
        .collect()
}

#[test]
fn dhcp_on_any_port_needs_no_file() {
    assert_eq!(rendered("{}"), BTreeMap::new());
}

#[test]
fn a_bond_its_ports_and_its_vlans_are_a_file_each() {
    let host = samples::with_network(
        r#"{"uplink":{"addresses":["10.1.0.2/31","2001:db8::3/127"],"gateways":["2001:db8::2"],"routes":[{"to":"10.0.0.0/8","via":"10.1.0.3"}]},
            "bond":{"ports":["52:54:00:00:00:01","52:54:00:00:00:02"],"mtu":9000},
            "vlans":[{"id":1234,"mtu":9000,"addresses":["10.8.0.5/24","fd00::5/64"],"routes":[{"to":"10.9.0.0/16","via":"10.8.0.1"}]}],
            "dns":["192.0.2.53"],"search":["example.net"]}"#,
    );
    let files: Vec<String> = keyfiles(&host)
        .unwrap()
        .into_iter()
        .map(|file| format!("# {}\n{}", file.name, file.text))
        .collect();
    insta::assert_snapshot!(files.join("\n"));
}

/// A machine whose script came over a port that nobody described still finds its rootfs there.
#[test]
fn a_live_system_asks_for_dhcp_on_the_ports_that_nobody_described() {
    assert_eq!(live_keyfiles(&samples::with_network("{}")).unwrap(), []);
    let files = live_keyfiles(&samples::with_network(
        r#"{"uplink":{"method":"static","addresses":["192.0.2.5/24"],"gateways":["192.0.2.1"]}}"#,
    ))
    .unwrap();
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["uplink.nmconnection", "other-ports.nmconnection"]);
    insta::assert_snapshot!(files[1].text);
    let (own, other) = (read(&files[0].text), read(&files[1].text));
    let priority = |read: &Read| read["connection"]["autoconnect-priority"].parse::<i32>().unwrap();
    assert!(priority(&own) > priority(&other));
}

#[test]
fn a_vlan_without_a_bond_names_its_parent_by_profile() {
    let files = rendered(r#"{"port":{"mtu":9000},"vlans":[{"id":7,"addresses":["10.8.0.5/24"],"mtu":9000}]}"#);
    let parent = &files["uplink.nmconnection"]["connection"]["uuid"];
    let vlan = &files["vlan7.nmconnection"];
    assert_eq!(&vlan["vlan"]["parent"], parent);
    assert_eq!(vlan["ipv6"]["method"], "disabled");
    assert_eq!(files["uplink.nmconnection"]["ethernet"]["mtu"], "9000");
}

#[test]
fn a_static_uplink_has_addresses_gateways_and_resolvers() {
    let files = rendered(
        r#"{"uplink":{"method":"static","addresses":["192.0.2.5/24","192.0.2.6/24"],"gateways":["192.0.2.1"]},"dns":["192.0.2.53"]}"#,
    );
    let uplink = &files["uplink.nmconnection"];
    assert_eq!(uplink["ipv4"]["address2"], "192.0.2.6/24");
    assert_eq!(uplink["ipv4"]["gateway"], "192.0.2.1");
    assert_eq!(uplink["ipv4"]["dns"], "192.0.2.53;");
    assert_eq!(uplink["ipv6"]["method"], "disabled");
    assert!(!uplink["ipv6"].contains_key("dns"), "NetworkManager refuses it there");
}

#[test]
fn what_cannot_come_up_is_refused_by_field() {
    let refused = keyfiles(&samples::with_network(r#"{"vlans":[{"id":1}]}"#)).unwrap_err();
    assert_eq!(refused.field(), Some("network.vlans[0].id"));
}

proptest! {
    #[test]
    fn whatever_is_asked_for_is_read_back_from_the_files(network in networks::any()) {
        let mut host = samples::host("node1");
        host.network = network;
        prop_assert_eq!(thirdboot_lifecycle::check_network(&host), Ok(()));
        let files = keyfiles(&host).unwrap();
        for file in &files {
            let id = &read(&file.text)["connection"]["id"];
            prop_assert_eq!(&file.name, &format!("{id}.nmconnection"));
        }
        prop_assert_eq!(network_of(&files), host.network);
    }
}
