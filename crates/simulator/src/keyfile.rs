//! Bringing up what NetworkManager's keyfiles describe, and saying what came of it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// Where keyfiles stand in the installed config.
pub(crate) const FOLDER: &str = "/etc/NetworkManager/system-connections/";

/// A partner that answers LACP; all zeros would be nobody.
const LACP_PARTNER: &str = "02:00:5e:00:00:01";

/// Keys of one keyfile as `section.key`.
type Keys = BTreeMap<String, String>;

/// Where the neighbours stand that are pinged, a line each.
pub(crate) const PEERS: &str = "/etc/thirdboot/peers";

/// The facts of a `network` report of a machine whose keyfiles these are, and who pings the first of these neighbours.
/// With `vlans_dead` the switch carries no VLAN: the interface is up all the same, as a switch tells nobody, and nobody on
/// it answers.
pub(crate) fn network_facts(
    keyfiles: &[String],
    macs: &[String],
    peers: &[String],
    vlans_dead: bool,
) -> Map<String, Value> {
    let profiles: Vec<Keys> = keyfiles.iter().map(|text| keys(text)).collect();
    let of = |kind: &'static str| profiles.iter().filter(move |keys| is(keys, "connection.type", kind));
    let bond = of("bond").next();
    let ports: Vec<&Keys> = of("ethernet").collect();
    let vlans: Vec<&Keys> = of("vlan").collect();
    let peer = peers.first().zip(vlans.first());
    let mut addresses: Vec<Value> = vec![json!({"interface": "eno1", "address": "192.0.2.10/24"})];
    for profile in bond.iter().chain(&ports).chain(&vlans) {
        addresses.extend(own_addresses(profile));
    }
    let facts = json!({
        "bond": bond.map(|keys| json!({"name": "bond0", "mode": mode(keys)})),
        "ports": ports.iter().zip(1..).map(|(keys, n)| port(keys, n, macs)).collect::<Vec<_>>(),
        "vlans": vlans.iter().map(|keys| vlan(keys)).collect::<Vec<_>>(),
        "addresses": addresses,
        "mtu": bond.or(ports.first().copied()).and_then(mtu).unwrap_or(1500),
        "peer": peer.map(|(peer, keys)| {
            let is_there = !vlans_dead;
            let interface = keys.get("connection.interface-name");
            json!({"address": peer, "interface": interface, "reached": is_there, "full_size": is_there, "mtu": mtu(keys)})
        }),
    });
    match facts {
        Value::Object(facts) => facts,
        _ => Map::new(),
    }
}

fn keys(text: &str) -> Keys {
    let mut section = "";
    let mut keys = Keys::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
        } else if let Some((key, value)) = line.split_once('=') {
            keys.insert(format!("{section}.{}", key.trim()), value.trim().to_owned());
        }
    }
    keys
}

fn is(keys: &Keys, key: &str, value: &str) -> bool {
    keys.get(key).is_some_and(|found| found == value)
}

/// `mode` stands in the section itself, or among its options: `options=mode=802.3ad,miimon=100`.
fn mode(keys: &Keys) -> Option<&str> {
    keys.get("bond.mode").map(String::as_str).or_else(|| {
        let options = keys.get("bond.options")?;
        options.split(',').find_map(|option| option.strip_prefix("mode="))
    })
}

fn port(keys: &Keys, n: usize, macs: &[String]) -> Value {
    let mac = keys.get("ethernet.mac-address").map(|mac| mac.to_lowercase());
    let link = mac.as_ref().is_none_or(|mac| macs.contains(mac));
    json!({"mac": mac, "name": format!("eno{n}"), "link": link, "partner": LACP_PARTNER})
}

fn vlan(keys: &Keys) -> Value {
    let id: Option<u16> = keys.get("vlan.id").and_then(|id| id.parse().ok());
    let parent = keys.get("vlan.parent");
    json!({"id": id, "parent": parent, "up": true, "mtu": mtu(keys).unwrap_or(1500)})
}

fn mtu(keys: &Keys) -> Option<u32> {
    ["ethernet.mtu", "vlan.mtu", "bond.mtu"]
        .iter()
        .find_map(|key| keys.get(*key)?.parse().ok())
}

/// `address1=192.0.2.10/24,192.0.2.1` of either family.
fn own_addresses(keys: &Keys) -> impl Iterator<Item = Value> {
    let interface = keys.get("connection.interface-name");
    keys.iter()
        .filter(|(key, _)| key.starts_with("ipv4.address") || key.starts_with("ipv6.address"))
        .filter_map(|(_, value)| value.split(',').next())
        .map(move |address| json!({"interface": interface, "address": address}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Vec<String> {
        [
            "[connection]\ntype=bond\ninterface-name=bond0\n[bond]\nmode=802.3ad\n[ipv4]\nmethod=manual\naddress1=192.0.2.7/24,192.0.2.1\n",
            "[connection]\ntype=ethernet\ncontroller=bond0\n[ethernet]\nmac-address=02:00:00:00:00:01\n",
            "[connection]\ntype=vlan\ninterface-name=bond0.1000\n[vlan]\nid=1000\nparent=bond0\n[ethernet]\nmtu=9000\n[ipv4]\naddress1=10.0.0.2/24\n",
        ]
        .map(str::to_owned)
        .to_vec()
    }

    #[test]
    fn what_is_described_comes_up() {
        let facts = network_facts(&files(), &["02:00:00:00:00:01".to_owned()], &[], false);
        assert_eq!(facts["bond"], json!({"name": "bond0", "mode": "802.3ad"}));
        assert_eq!(facts["ports"][0]["mac"], "02:00:00:00:00:01");
        assert_eq!(facts["ports"][0]["link"], true);
        assert_eq!(
            facts["vlans"],
            json!([{"id": 1000, "parent": "bond0", "up": true, "mtu": 9000}])
        );
        assert_eq!(
            facts["addresses"][1],
            json!({"interface": "bond0", "address": "192.0.2.7/24"})
        );
        assert_eq!(facts["addresses"][2]["address"], "10.0.0.2/24");
        assert!(facts["peer"].is_null(), "the first of its VLAN has nobody to ping");
    }

    #[test]
    fn a_vlan_that_is_not_carried_is_up_and_silent() {
        let peers = ["10.0.0.1".to_owned()];
        for (dead, answers) in [(true, false), (false, true)] {
            let facts = network_facts(&files(), &[], &peers, dead);
            assert_eq!(facts["vlans"][0]["up"], true);
            let expected = json!({"address": "10.0.0.1", "interface": "bond0.1000", "reached": answers,
                "full_size": answers, "mtu": 9000});
            assert_eq!(facts["peer"], expected);
        }
    }

    #[test]
    fn a_foreign_card_shows() {
        let facts = network_facts(&files(), &[], &[], false);
        assert_eq!(facts["ports"][0]["link"], false);
    }

    #[test]
    fn a_machine_without_keyfiles_has_its_uplink() {
        let facts = network_facts(&[], &[], &[], false);
        assert!(facts["bond"].is_null());
        assert_eq!(facts["mtu"], 1500);
    }
}
