use super::*;

fn host(network: &str) -> Host {
    serde_json::from_str(&format!(
        r#"{{"name":"a","macs":["52:54:00:00:00:01"],"network":{network}}}"#
    ))
    .unwrap()
}

const GOOD: &str = r#"{"uplink":{"method":"static","addresses":["192.0.2.5/24","2001:db8::5/64"],"gateways":["192.0.2.1","fe80::1"]},
    "bond":{"ports":["52:54:00:00:00:01","52:54:00:00:00:02"],"mtu":9000},
    "vlans":[{"id":1000,"mtu":9000,"addresses":["10.8.0.5/24"],"routes":[{"to":"10.9.0.0/16","via":"10.8.0.1"}]},
             {"id":1001,"addresses":[],"pool":{"ipv6":{"prefix":"fd00::/64"}},"routes":[{"to":"fd01::/64","via":"fd00::1"}]}],
    "dns":["192.0.2.53"],"search":["example.net"]}"#;

#[test]
fn a_whole_network_passes() {
    assert_eq!(check_network(&host(GOOD)), Ok(()));
    assert_eq!(check_network(&host("{}")), Ok(()));
}

/// Each line: a network, and the field that speaks against it.
const BAD: &[(&str, &str)] = &[
    (r#"{"bond":{"ports":[]}}"#, "network.bond.ports"),
    (
        r#"{"bond":{"ports":["52:54:00:00:00:01","52:54:00:00:00:01"]}}"#,
        "network.bond.ports[1]",
    ),
    (
        r#"{"bond":{"ports":["52:54:00:00:00:01"],"miimon_ms":0}}"#,
        "network.bond.miimon_ms",
    ),
    (
        r#"{"bond":{"ports":["52:54:00:00:00:01"],"up_delay_ms":250}}"#,
        "network.bond.up_delay_ms",
    ),
    (
        r#"{"bond":{"ports":["52:54:00:00:00:01"],"mtu":100}}"#,
        "network.bond.mtu",
    ),
    (
        r#"{"bond":{"mode":"active-backup","ports":["52:54:00:00:00:01"]}}"#,
        "network.bond.ports",
    ),
    (
        r#"{"bond":{"ports":["52:54:00:00:00:01"]},"port":{"mtu":9000}}"#,
        "network.port",
    ),
    (r#"{"port":{"mtu":99999}}"#, "network.port.mtu"),
    (r#"{"uplink":{"method":"static"}}"#, "network.uplink.addresses"),
    (
        r#"{"uplink":{"method":"static","addresses":["192.0.2.5/24"],"gateways":["192.0.3.1"]}}"#,
        "network.uplink.gateways[0]",
    ),
    (
        r#"{"uplink":{"method":"static","addresses":["192.0.2.5/24"],"gateways":["fd00::1"]}}"#,
        "network.uplink.gateways[0]",
    ),
    (
        r#"{"uplink":{"method":"static","addresses":["192.0.2.5/24"],"gateways":["192.0.2.1","192.0.2.2"]}}"#,
        "network.uplink.gateways[1]",
    ),
    (
        r#"{"uplink":{"method":"static","addresses":["192.0.2.5/24"],"gateways":["192.0.2.5"]}}"#,
        "network.uplink.gateways[0]",
    ),
    (
        r#"{"uplink":{"method":"static","addresses":["192.0.2.0/24"]}}"#,
        "network.uplink.addresses[0]",
    ),
    (
        r#"{"uplink":{"method":"static","addresses":["192.0.2.255/24"]}}"#,
        "network.uplink.addresses[0]",
    ),
    (
        r#"{"uplink":{"method":"static","addresses":["192.0.2.5/24","fe80::1/64"]}}"#,
        "network.uplink.addresses[1]",
    ),
    (
        r#"{"uplink":{"method":"static","addresses":["192.0.2.5/24","192.0.2.5/24"]}}"#,
        "network.uplink.addresses[1]",
    ),
    (
        r#"{"uplink":{"addresses":["192.0.2.5/24"],"gateways":["192.0.2.1"]}}"#,
        "network.uplink.gateways[0]",
    ),
    (
        r#"{"uplink":{"addresses":["10.1.0.5/24"],"routes":[{"to":"10.0.0.1/8","via":"10.1.0.1"}]}}"#,
        "network.uplink.routes[0].to",
    ),
    (r#"{"vlans":[{"id":1}]}"#, "network.vlans[0].id"),
    (r#"{"vlans":[{"id":4095}]}"#, "network.vlans[0].id"),
    (r#"{"vlans":[{"id":7},{"id":7}]}"#, "network.vlans[1].id"),
    (r#"{"vlans":[{"id":7,"mtu":9000}]}"#, "network.vlans[0].mtu"),
    (r#"{"port":{"mtu":1400},"vlans":[{"id":7}]}"#, "network.vlans[0].mtu"),
    (
        r#"{"vlans":[{"id":7,"addresses":["10.8.0.5/24"]},{"id":8,"addresses":["10.8.0.6/16"]}]}"#,
        "network.vlans[1].addresses[0]",
    ),
    (
        r#"{"vlans":[{"id":7,"addresses":["10.8.0.5/24"],"routes":[{"to":"10.9.0.0/16","via":"10.7.0.1"}]}]}"#,
        "network.vlans[0].routes[0].via",
    ),
    (
        r#"{"vlans":[{"id":7,"addresses":["10.8.0.5/24"],"routes":[{"to":"10.9.0.0/16","via":"fd00::1"}]}]}"#,
        "network.vlans[0].routes[0].via",
    ),
    (r#"{"vlans":[{"id":7,"pool":{}}]}"#, "network.vlans[0].pool"),
    (
        r#"{"vlans":[{"id":7,"pool":{"ipv4":{"prefix":"10.8.0.0/24","first":"10.9.0.1"}}}]}"#,
        "network.vlans[0].pool.ipv4.first",
    ),
    (
        r#"{"vlans":[{"id":7,"addresses":["10.8.0.5/16"],"pool":{"ipv4":{"prefix":"10.8.0.0/24"}}}]}"#,
        "network.vlans[0].addresses[0]",
    ),
    (r#"{"dns":["0.0.0.0"]}"#, "network.dns[0]"),
    (
        r#"{"uplink":{"method":"static","addresses":["192.0.2.5/24"]},"dns":["2001:db8::53"]}"#,
        "network.dns[0]",
    ),
    (r#"{"uplink":{"gateways":["fe80::1"]}}"#, "network.uplink.gateways[0]"),
    (r#"{"search":["a b"]}"#, "network.search[0]"),
];

#[test]
fn what_cannot_come_up_is_refused_by_field() {
    for (network, field) in BAD {
        let found = check_network(&host(network)).map_err(|fault| fault.field);
        assert_eq!(found, Err((*field).to_owned()), "{network}");
    }
}

#[test]
fn a_port_must_be_known() {
    let mut host = host(r#"{"dns":["192.0.2.53"]}"#);
    host.macs.clear();
    assert_eq!(check_network(&host).unwrap_err().field, "macs");
}
