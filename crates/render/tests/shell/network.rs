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
    machine.write("canned/addresses", ADDRESSES);
    machine.stub("ip", &answers(&machine, "cat \"$canned/addresses\""));
    machine
}

/// What `ip` says to each question; `addresses` is run for those.
fn answers(machine: &Machine, addresses: &str) -> String {
    format!(
        r#"canned={}
case "$*" in
*"address show"*) {addresses} ;;
"-4 -json route show") echo '[{{"dst":"10.9.0.0/16","gateway":"10.8.0.1","dev":"bond0.1234"}},{{"dst":"10.8.0.0/24","dev":"bond0.1234"}},{{"dst":"default","gateway":"192.0.2.1"}}]' ;;
"-6 -json route show") echo '[{{"dst":"default","gateway":"fe80::1","dev":"bond0"}}]' ;;
*"route get"*) echo '[{{"dev":"bond0.1234"}}]' ;;
*"link show"*) echo '[{{"ifname":"bond0.1234","mtu":1500}}]' ;;
*) exit 1 ;;
esac"#,
        machine.path("canned").display()
    )
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
            "routes": [{"to": "10.9.0.0/16", "via": "10.8.0.1"}, {"to": "0.0.0.0/0", "via": "192.0.2.1"}, {"to": "::/0", "via": "fe80::1"}],
            "mtu": 9000,
            "peer": null,
        })
    );
}

const BACKUP: &str = "Ethernet Channel Bonding Driver: v6.1.0

Bonding Mode: fault-tolerance (active-backup)
Primary Slave: None
Currently Active Slave: ens2
MII Status: up

Slave Interface: ens1
MII Status: down
Permanent HW addr: 52:54:00:00:00:01

Slave Interface: ens2
MII Status: up
Permanent HW addr: 52:54:00:00:00:02
";

#[test]
fn ports_without_lacp_are_reported_without_a_partner() {
    let machine = third_boot("http://127.0.0.1:1");
    machine.write("proc/net/bonding/bond0", BACKUP);
    let facts = machine.run("network", &["--facts"]).ok().stdout;
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&facts).unwrap()["ports"],
        json!([
            {"name": "ens1", "mac": "52:54:00:00:00:01", "link": false},
            {"name": "ens2", "mac": "52:54:00:00:00:02", "link": true},
        ])
    );
}

/// A machine with two neighbours on its VLAN, which answer packets of so many bytes at most.
fn with_neighbours(url: &str, largest: &[(&str, u32)]) -> Machine {
    let machine = third_boot(url);
    let peers: Vec<&str> = largest.iter().map(|(peer, _)| *peer).collect();
    let cases: Vec<String> = largest
        .iter()
        .map(|(peer, bytes)| format!("*' {peer} '*) largest={bytes} ;;"))
        .collect();
    let (peers, cases) = (peers.join("\n") + "\n", cases.join(" "));
    machine.write("etc/thirdboot/peers", &peers);
    machine.stub(
        "ping",
        &format!("case \" $* \" in {cases} esac\n[[ $* =~ -s\\ ([0-9]+) ]]\n((largest >= ${{BASH_REMATCH[1]:-56}}))"),
    );
    machine
}

fn reported_peer(largest: &[(&str, u32)]) -> serde_json::Value {
    let machine = with_neighbours("http://127.0.0.1:1", largest);
    let facts = machine.run("network", &["--facts"]).ok().stdout;
    serde_json::from_str::<serde_json::Value>(&facts).unwrap()["peer"].clone()
}

#[test]
fn one_neighbour_that_answers_a_full_packet_is_enough() {
    assert_eq!(
        reported_peer(&[("10.8.0.8", 0), ("10.8.0.9", 1472)]),
        json!({"address": "10.8.0.9", "interface": "bond0.1234", "reached": true, "full_size": true, "mtu": 1500})
    );
    let largest = reported_peer(&[("fd00::9", 1452)]);
    assert_eq!(
        largest["full_size"], true,
        "an IPv6 header has 20 bytes more: {largest}"
    );
}

#[test]
fn a_smaller_mtu_on_the_way_and_silence_are_told_apart() {
    let peer = reported_peer(&[("10.8.0.9", 1400)]);
    assert_eq!((&peer["reached"], &peer["full_size"]), (&json!(true), &json!(false)));
    let peer = reported_peer(&[("10.8.0.8", 0), ("10.8.0.9", 0)]);
    assert_eq!((&peer["reached"], &peer["full_size"]), (&json!(false), &json!(false)));
}

#[test]
fn without_a_bond_the_mtu_is_that_of_the_port_that_was_asked_for() {
    let machine = third_boot("http://127.0.0.1:1");
    machine.write(
        "etc/NetworkManager/system-connections/uplink.nmconnection",
        "[ethernet]\nmac-address=52:54:00:AA:00:02\n",
    );
    machine.prints(
        "ip",
        r#"[{"ifname":"eth0","link_type":"ether","operstate":"UP","mtu":1500,"address":"52:54:00:aa:00:01"},
        {"ifname":"eth1","link_type":"ether","operstate":"UP","mtu":9000,"address":"52:54:00:aa:00:02"}]"#,
    );
    let facts = machine.run("network", &["--facts"]).ok().stdout;
    assert_eq!(serde_json::from_str::<serde_json::Value>(&facts).unwrap()["mtu"], 9000);
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
    // No address the first three times.
    let late = "if (($(grep -c '^ip .*address show' \"$THIRDBOOT_ROOT/calls\") > 3)); then cat \"$canned/addresses\"; else echo '[]'; fi";
    machine.stub("ip", &answers(&machine, late));
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
