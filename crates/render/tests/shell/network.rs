use serde_json::json;

use crate::{
    machine::Machine,
    server::{Server, problem},
};

const BONDING: &str = "Ethernet Channel Bonding Driver: v6.1.0

Bonding Mode: IEEE 802.3ad Dynamic link aggregation
MII Status: up

802.3ad info
LACP active: on
Active Aggregator Info:
	Partner Mac Address: 02:00:00:00:00:aa

Slave Interface: ens1
MII Status: up
Permanent HW addr: 52:54:00:00:00:01
details actor lacp pdu:
    system mac address: 52:54:00:00:00:01
details partner lacp pdu:
    system mac address: 02:00:00:00:00:aa

Slave Interface: ens2
MII Status: down
Permanent HW addr: 52:54:00:00:00:02
details actor lacp pdu:
    system mac address: 52:54:00:00:00:01
details partner lacp pdu:
    system mac address: 00:00:00:00:00:00
";

const ADDRESSES: &str = r#"[
 {"ifname":"lo","link_type":"loopback","operstate":"UNKNOWN","mtu":65536,"addr_info":[{"local":"127.0.0.1","prefixlen":8,"scope":"host"}]},
 {"ifname":"ens1","link_type":"ether","operstate":"UP","mtu":9000,"addr_info":[]},
 {"ifname":"bond0","link_type":"ether","operstate":"UP","mtu":9000,"linkinfo":{"info_kind":"bond","info_data":{"mode":"802.3ad"}},
  "addr_info":[{"family":"inet","local":"192.0.2.5","prefixlen":24,"scope":"global"},{"family":"inet6","local":"fe80::1","prefixlen":64,"scope":"link"}]},
 {"ifname":"bond0.1234","link":"bond0","link_type":"ether","operstate":"UP","mtu":1500,"linkinfo":{"info_kind":"vlan","info_data":{"id":1234}},
  "addr_info":[{"family":"inet","local":"10.8.0.5","prefixlen":24,"scope":"global"},{"family":"inet6","local":"fd00::5","prefixlen":64,"scope":"global"},
               {"family":"inet6","local":"fd00::6","prefixlen":64,"scope":"global","tentative":true}]}
]"#;

fn third_boot(url: &str) -> Machine {
    let machine = Machine::at(url);
    machine.write("run/thirdboot/kind", "layered-boot\n");
    machine.prints("ip", ADDRESSES);
    machine
}

#[test]
fn bond_ports_vlans_and_addresses_are_reported_as_the_kernel_has_them() {
    let server = Server::in_stage("networked");
    let machine = third_boot(&server.url);
    machine.write("proc/net/bonding/bond0", BONDING);
    machine.run("network", &[]).ok();
    assert_eq!(
        server.report("network")["facts"],
        json!({
            "bond": {"name": "bond0", "mode": "802.3ad"},
            "ports": [
                {"name": "ens1", "mac": "52:54:00:00:00:01", "link": true, "partner": "02:00:00:00:00:aa"},
                {"name": "ens2", "mac": "52:54:00:00:00:02", "link": false, "partner": "00:00:00:00:00:00"},
            ],
            "vlans": [{"id": 1234, "parent": "bond0", "up": true, "mtu": 1500}],
            "addresses": [
                {"interface": "bond0", "address": "192.0.2.5/24"},
                {"interface": "bond0.1234", "address": "10.8.0.5/24"},
                {"interface": "bond0.1234", "address": "fd00::5/64"},
            ],
            "mtu": 9000,
        })
    );
}

#[test]
fn it_goes_on_until_the_server_says_networked() {
    let server = Server::answering(|request| {
        let has_address = request.body["facts"]["addresses"] != json!([]);
        (
            200,
            format!(
                r#"{{"stage":"{}"}}"#,
                if has_address { "networked" } else { "layered-boot" }
            ),
        )
    });
    let machine = third_boot(&server.url);
    machine.write("later", ADDRESSES);
    let later = machine.path("later");
    // No address the first three times.
    machine.stub(
        "ip",
        &format!(
            "if (($(grep -c '^ip ' \"$THIRDBOOT_ROOT/calls\") > 3)); then cat {}; else echo '[]'; fi",
            later.display()
        ),
    );
    machine.run("network", &[]).ok();
    assert_eq!(
        server.events(),
        ["network", "network"],
        "unchanged facts are not said again at once"
    );
}

#[test]
fn a_run_that_is_over_ends_the_wait() {
    let server = Server::answering(|_| problem(409, "https://thirdboot.invalid/problems/run-over", "cancelled"));
    third_boot(&server.url).run("network", &[]).ok();
    assert_eq!(server.events(), ["network"]);
}

#[test]
fn other_boots_prove_nothing() {
    let server = Server::in_stage("layering");
    let machine = third_boot(&server.url);
    machine.write("run/thirdboot/kind", "first-boot\n");
    machine.run("network", &[]).ok();
    assert_eq!(server.events(), [""; 0]);
}
