//! Fixed addresses are each of one host.

use std::net::IpAddr;

use serde_json::{Value, json};
use thirdboot_lifecycle::{Host, Said, Stage};

use super::Factory;
use super::world::{World, admin, boot, claim, host, machine};
use crate::{Addresses as _, HostId, Store, StoreError, Submission, SubmitError};

/// Host `node-<n>` with this network.
pub(super) fn with(n: u8, network: Value) -> Host {
    let mut host = host(n);
    host.network = serde_json::from_value(network).unwrap();
    host
}

/// On VLAN 1000, with an address of either family from its pool.
pub(super) fn pooled(n: u8) -> Host {
    with(n, json!({"vlans": [{"id": 1000, "pool": pool("10.8.0.0/24")}]}))
}

pub(super) fn pool(ipv4: &str) -> Value {
    json!({"ipv4": {"prefix": ipv4}, "ipv6": {"prefix": "fd00:8::/64"}})
}

pub(super) fn addresses(host: &Host) -> Vec<String> {
    host.network
        .addresses()
        .map(|(_, address)| address.to_string())
        .collect()
}

pub(super) async fn update<F: Factory>(world: &World<F>, id: HostId, host: Host) -> Result<(), SubmitError> {
    let update = Submission::Update {
        host: Box::new(host),
        expected_version: world.state(id).await.version,
        by: admin(),
    };
    world.store.submit(id, update).await.map(drop)
}

/// Uplinks and VLANs alike; the error names address and owner, and nothing changes.
pub async fn an_address_belongs_to_one_host(factory: impl Factory) {
    let world = World::new(factory).await;
    let fixed = |n, address: &str| {
        with(
            n,
            json!({"uplink": {"method": "static", "addresses": [format!("{address}/24")]}}),
        )
    };
    let on_vlan = |n, address: &str| with(n, json!({"vlans": [{"id": 7, "addresses": [format!("{address}/24")]}]}));
    let added = world
        .store
        .add_hosts(vec![fixed(1, "10.1.0.5"), fixed(2, "10.1.0.6")], admin())
        .await
        .unwrap();
    let taken = |error| match error {
        StoreError::Taken { field, value, owner } => (field, value, owner),
        other => panic!("the answer was {other}"),
    };
    let both = vec![on_vlan(4, "10.1.0.9"), on_vlan(5, "10.1.0.9")];
    for (list, value, owner) in [
        (vec![on_vlan(3, "10.1.0.5")], "10.1.0.5", "node-1"),
        (both, "10.1.0.9", "node-4"),
    ] {
        let error = world.store.add_hosts(list, admin()).await.unwrap_err();
        assert_eq!(taken(error), ("network", value.to_owned(), owner.to_owned()));
    }
    match update(&world, added[1].id, fixed(2, "10.1.0.5")).await.unwrap_err() {
        SubmitError::Store(error) => assert_eq!(taken(error).2, "node-1"),
        other => panic!("the answer was {other}"),
    }
    // A stated address is free as soon as nobody states it.
    update(&world, added[0].id, fixed(1, "10.1.0.7")).await.unwrap();
    update(&world, added[1].id, fixed(2, "10.1.0.5")).await.unwrap();
}

/// Whoever lists it, or names it as a port.
pub async fn a_card_named_as_a_port_belongs_to_one_host(factory: impl Factory) {
    let world = World::new(factory).await;
    let ports = json!({"bond": {"ports": ["52:54:00:00:00:01", "52:54:00:00:00:99"]}});
    let added = world
        .store
        .add_hosts(vec![with(1, ports.clone())], admin())
        .await
        .unwrap();
    let mut other = host(2);
    other.macs = vec!["52:54:00:00:00:99".parse().unwrap()];
    for host in [other, with(3, ports)] {
        let error = world.store.add_hosts(vec![host], admin()).await.unwrap_err();
        assert!(
            matches!(&error, StoreError::Taken { field: "macs", owner, .. } if owner == "node-1"),
            "{error}"
        );
    }
    let identity = thirdboot_lifecycle::Identity {
        macs: vec!["52:54:00:00:00:99".parse().unwrap()],
        ..Default::default()
    };
    assert_eq!(world.store.hosts_with(&identity).await.unwrap()[0].id, added[0].id);
}

/// Those that a new neighbour can ping.
pub async fn ready_hosts_are_found_by_their_network(factory: impl Factory) {
    let world = World::new(factory).await;
    let mut ready = host(1);
    ready.role = thirdboot_lifecycle::Role::Runner;
    ready.network = pooled(1).network;
    let added = world.store.add_hosts(vec![ready, pooled(2)], admin()).await.unwrap();
    let prefix = "10.8.0.0/24".parse().unwrap();
    let seen = async |but| world.store.ready_addresses(prefix, but, 4).await.unwrap();
    assert_eq!(seen(added[1].id).await, Vec::<IpAddr>::new());
    let id = added[0].id;
    let run = world.arm(id).await.unwrap();
    world.store.submit(id, claim(run, boot(1), machine(1))).await.unwrap();
    let facts = json!({"vlans": [{"id": 1000, "up": true}],
        "addresses": addresses(&added[0].host).iter().map(|address| json!({"address": address})).collect::<Vec<_>>()});
    let deployment = || "layered".to_owned();
    let installed = Said::Installed {
        image: None,
        version: None,
        disk_serial: None,
        config_sha256: None,
    };
    let first_boot = Said::FirstBoot {
        os_version: None,
        deployment: Some("base".into()),
    };
    let layered = Said::Layered {
        deployment: deployment(),
    };
    let layered_boot = Said::LayeredBoot {
        os_version: None,
        deployment: deployment(),
    };
    let network = Said::Network(serde_json::from_value(facts).unwrap());
    let story = [
        (1, installed),
        (2, first_boot),
        (2, Said::Layering),
        (2, layered),
        (3, layered_boot),
        (3, network),
        (3, Said::Ready),
    ];
    for (n, said) in story {
        world.say(id, run, boot(n), said).await.unwrap();
    }
    assert_eq!(world.state(id).await.run.unwrap().stage, Stage::Ready);
    assert_eq!(seen(added[1].id).await, ["10.8.0.2".parse::<IpAddr>().unwrap()]);
    assert_eq!(seen(id).await, Vec::<IpAddr>::new(), "not its own");
}
