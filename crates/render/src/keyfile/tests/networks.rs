//! Networks that could come up, at random.

use proptest::collection::btree_set;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use thirdboot_lifecycle::{
    Bond, BondMode, LacpRate, Mac, Method, Network, Platform, Port, Route, Uplink, Vlan, XmitHashPolicy,
};

fn mac(n: u8) -> Mac {
    format!("52:54:00:00:01:{n:02x}").parse().unwrap()
}

prop_compose! {
    fn bond()(
        mode in select(BondMode::ALL), ports in btree_set(0_u8..8, 2..4), delays in (0_u32..10, 0_u32..10),
        lacp_rate in select(LacpRate::ALL), hash in select(XmitHashPolicy::ALL), mtu in option::of(9000_u32..=9216),
    ) -> Bond {
        // What the mode has no use for stands in no file.
        let usual = Bond::preset(Platform::Metal);
        Bond {
            mode,
            ports: ports.into_iter().map(mac).collect(),
            miimon_ms: 100,
            down_delay_ms: delays.0 * 100,
            up_delay_ms: delays.1 * 100,
            lacp_rate: if mode == BondMode::Lacp { lacp_rate } else { usual.lacp_rate },
            xmit_hash_policy: if mode.hashes() { hash } else { usual.xmit_hash_policy },
            mtu,
        }
    }
}

prop_compose! {
    fn uplink()(is_static: bool, v4: bool, v6: bool, host in 2_u8..250) -> Uplink {
        // Something fixed there must be, and a fixed uplink with both families looks the same with and without DHCP.
        let (v4, v6) = if is_static { (v4 || !v6, v6) } else { (v4, v6) };
        let mut uplink = Uplink { method: if is_static { Method::Static } else { Method::Dhcp }, ..Uplink::default() };
        if v4 {
            uplink.addresses.push(format!("192.0.2.{host}/24").parse().unwrap());
            if is_static {
                uplink.gateways.push("192.0.2.1".parse().unwrap());
            }
            uplink.routes.push(Route { to: "10.0.0.0/8".parse().unwrap(), via: "192.0.2.254".parse().unwrap() });
        }
        if v6 {
            uplink.addresses.push(format!("2001:db8::{host}/64").parse().unwrap());
            uplink.gateways.push("fe80::1".parse().unwrap());
        }
        uplink
    }
}

fn vlan(id: u16, (v4, v6, has_mtu): (bool, bool, bool)) -> Vlan {
    let [high, low] = id.to_be_bytes();
    let mut addresses = Vec::new();
    let mut routes = Vec::new();
    if v4 {
        addresses.push(format!("172.{high}.{low}.7/24").parse().unwrap());
        routes.push(Route {
            to: "198.51.100.0/24".parse().unwrap(),
            via: format!("172.{high}.{low}.1").parse().unwrap(),
        });
    }
    if v6 {
        addresses.push(format!("fd00:{id:x}::7/64").parse().unwrap());
    }
    Vlan {
        id,
        addresses,
        mtu: has_mtu.then_some(1400),
        routes,
        pool: None,
    }
}

prop_compose! {
    /// A network over a bond or a port, with up to four VLANs.
    pub(super) fn any()(
        bond in option::of(bond()), uplink in uplink(), ids in btree_set(2_u16..=4094, 0..4),
        kinds: [(bool, bool, bool); 4], port_mtu in option::of(1500_u32..9000), dns: bool,
    ) -> Network {
        let port = bond.is_none().then(|| Port { mac: Some(mac(99)), mtu: port_mtu });
        let has_ipv4 = uplink.method == Method::Dhcp || uplink.addresses.iter().any(|net| net.addr().is_ipv4());
        Network {
            uplink,
            bond,
            port,
            vlans: ids.into_iter().zip(kinds).map(|(id, kind)| vlan(id, kind)).collect(),
            dns: if dns && has_ipv4 { vec!["192.0.2.53".parse().unwrap()] } else { Vec::new() },
            search: if dns { vec!["example.net".into(), "lab.example.net".into()] } else { Vec::new() },
        }
    }
}
