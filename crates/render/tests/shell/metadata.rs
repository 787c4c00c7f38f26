//! Addresses from the provider's metadata, with a stand-in for NetworkManager that keeps one profile.

use serde_json::{Value, json};

use crate::{machine::Machine, server::Server};

/// As the provider has it: a public IPv4 that DHCP gives, a private one, and IPv6.
fn metadata(private: &str) -> Value {
    let address = |family: u8, public: bool, address: &str, cidr: u8, gateway: &str| {
        json!({"address_family": family, "public": public, "management": true, "enabled": true,
            "address": address, "netmask": "", "cidr": cidr, "gateway": gateway})
    };
    json!({"network": {"bonding": {"mode": 4}, "interfaces": [{"name": "eth0", "mac": "52:54:00:00:00:01", "bond": "bond0"}],
    "addresses": [
        address(4, true, "192.0.2.10", 31, "192.0.2.11"),
        address(6, true, "2001:db8:1::3", 127, "2001:db8:1::2"),
        address(4, false, private, 31, "10.67.1.2"),
        {"address_family": 4, "public": false, "address": "10.0.0.1; reboot", "cidr": 31, "gateway": "10.67.1.2"},
    ]}})
}

/// A machine whose profile has these values.
fn machine(url: &str, metadata: &Value, profile: &[(&str, &str)]) -> Machine {
    let text = metadata.to_string();
    let service = Server::answering(move |_| (200, text.clone()));
    let machine = Machine::at(url);
    machine.write("etc/thirdboot/metadata-url", &service.url);
    let cases: Vec<String> = profile
        .iter()
        .map(|(key, value)| format!("*\"get-values {key} \"*) echo '{value}' ;;\n"))
        .collect();
    let cases = cases.concat();
    machine.stub(
        "nmcli",
        &format!("case \"$*\" in\n{cases}*GENERAL.DEVICES*) echo bond0 ;;\nesac"),
    );
    machine
}

fn changes(machine: &Machine) -> Vec<String> {
    let calls = machine.calls("nmcli").into_iter();
    calls.filter(|call| !call.contains("get-values")).collect()
}

#[test]
fn the_uplink_gets_what_dhcp_leaves_out() {
    let server = Server::in_stage("layered-boot");
    let machine = machine(&server.url, &metadata("10.67.1.3"), &[]);
    machine.run("metadata", &["bond0"]).ok();
    assert_eq!(
        changes(&machine),
        [
            "nmcli connection modify bond0 +ipv6.addresses 2001:db8:1::3/127 ipv6.method manual ipv6.gateway 2001:db8:1::2 \
             +ipv4.addresses 10.67.1.3/31 +ipv4.routes 10.0.0.0/8 10.67.1.2",
            "nmcli device reapply bond0"
        ]
    );
    assert_eq!(server.events(), [""; 0]);
}

#[test]
fn what_is_there_is_left_alone() {
    let server = Server::in_stage("ready");
    let profile = [
        ("ipv4.addresses", "10.8.0.5/24, 10.67.1.3/31"),
        ("ipv4.routes", "10.0.0.0/8 10.67.1.2"),
        ("ipv6.addresses", "2001:db8:1::3/127"),
        ("ipv6.gateway", "2001:db8:1::2"),
    ];
    let machine = machine(&server.url, &metadata("10.67.1.3"), &profile);
    machine.run("metadata", &["bond0"]).ok();
    assert_eq!(changes(&machine), [""; 0]);
}

/// The machines of these tests have every script, and so are k3s nodes.
#[test]
fn an_address_in_k3s_own_networks_is_left_out_and_told() {
    let server = Server::in_stage("layered-boot");
    let machine = machine(&server.url, &metadata("10.42.1.3"), &[]);
    machine.run("metadata", &["bond0"]).ok();
    assert!(!changes(&machine)[0].contains("10.42.1.3"));
    let says = server.report("note")["message"].as_str().unwrap().to_owned();
    assert!(says.contains("10.42.1.3/31 lies in k3s' own networks"), "{says}");
}

#[test]
fn a_metadata_service_that_does_not_answer_is_told() {
    let server = Server::in_stage("layered-boot");
    let machine = Machine::at(&server.url);
    machine.write("etc/thirdboot/metadata-url", "http://127.0.0.1:9/metadata");
    machine.stub("nmcli", "");
    assert_eq!(machine.run("metadata", &["bond0"]).status, 1);
    assert!(machine.read("run/thirdboot/why").contains("within five minutes"));
    assert_eq!(machine.calls("nmcli"), [""; 0]);
}
