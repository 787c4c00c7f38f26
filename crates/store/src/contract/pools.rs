//! Pools give out addresses, each to one host and for as long as it is there.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use thirdboot_lifecycle::{Host, Role};
use tokio::task::JoinSet;

use super::Factory;
use super::addresses::{addresses, pool, pooled, update, with};
use super::clusters::cluster;
use super::world::{World, admin, host};
use crate::{Clusters as _, HostId, Store, StoreError};

/// The lowest free one of each family, the same after a restart and after every change.
pub async fn a_pool_gives_each_host_an_address_that_stays(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let mut stated = pooled(2);
    stated.network.vlans[0].addresses = vec!["10.8.0.3/24".parse().unwrap()];
    let added = world
        .store
        .add_hosts(vec![pooled(1), stated, pooled(3)], admin())
        .await
        .unwrap();
    assert_eq!(addresses(&added[0].host), ["10.8.0.2/24", "fd00:8::2/64"]);
    assert_eq!(addresses(&added[1].host), ["10.8.0.3/24", "fd00:8::3/64"]);
    assert_eq!(addresses(&added[2].host), ["10.8.0.4/24", "fd00:8::4/64"]);
    world.restart().await;
    assert_eq!(world.state(added[2].id).await.host, added[2].host);
    // Described again, with and without what it was given.
    for described in [pooled(3), added[2].host.clone()] {
        update(&world, added[2].id, described).await.unwrap();
        assert_eq!(
            addresses(&world.state(added[2].id).await.host),
            addresses(&added[2].host)
        );
    }
}

/// Off the VLAN and on it again: the address was kept for it.
pub async fn an_address_is_given_back_with_nothing_but_the_host(factory: impl Factory) {
    let world = World::new(factory).await;
    let added = world.store.add_hosts(vec![pooled(1)], admin()).await.unwrap();
    update(&world, added[0].id, host(1)).await.unwrap();
    assert_eq!(addresses(&world.state(added[0].id).await.host), Vec::<String>::new());
    let other = world.store.add_hosts(vec![pooled(2)], admin()).await.unwrap();
    assert_eq!(addresses(&other[0].host), ["10.8.0.3/24", "fd00:8::3/64"]);
    let mut thief = host(3);
    thief.network = serde_json::from_value(json!({"vlans": [{"id": 9, "addresses": ["10.8.0.2/24"]}]})).unwrap();
    let error = world.store.add_hosts(vec![thief], admin()).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Taken { owner, .. } if owner == "node-1"),
        "{error}"
    );
    update(&world, added[0].id, pooled(1)).await.unwrap();
    assert_eq!(
        addresses(&world.state(added[0].id).await.host),
        addresses(&added[0].host)
    );
}

/// And nothing is added.
pub async fn a_pool_that_is_empty_says_so(factory: impl Factory) {
    let world = World::new(factory).await;
    let small = |n| {
        with(
            n,
            json!({"vlans": [{"id": 1000, "pool": {"ipv4": {"prefix": "10.8.0.0/29"}}}]}),
        )
    };
    world
        .store
        .add_hosts((1..=5).map(small).collect(), admin())
        .await
        .unwrap();
    let error = world.store.add_hosts(vec![small(6)], admin()).await.unwrap_err();
    assert_eq!(error.to_string(), "10.8.0.0/29 has no free address left");
    assert!(matches!(&error, StoreError::Exhausted { field, .. } if field == "network.vlans[0].pool"));
    assert_eq!(world.store.host(&host(6).name).await.unwrap(), None);
}

/// What hosts of the same change state counts as given.
pub async fn a_pool_fills_its_gaps_from_the_lowest_on(factory: impl Factory) {
    let world = World::new(factory).await;
    let stated = |n, last: u8| {
        let address = format!("10.8.0.{last}/24");
        with(n, json!({"vlans": [{"id": 1000, "addresses": [address]}]}))
    };
    let pooled = |n| {
        with(
            n,
            json!({"vlans": [{"id": 1000, "pool": {"ipv4": {"prefix": "10.8.0.0/24"}}}]}),
        )
    };
    let before = vec![stated(1, 2), stated(2, 4), stated(3, 5), stated(4, 9)];
    world.store.add_hosts(before, admin()).await.unwrap();
    let change = vec![pooled(5), stated(6, 6), pooled(7), pooled(8), pooled(9)];
    let added = world.store.add_hosts(change, admin()).await.unwrap();
    let given: Vec<String> = added.iter().flat_map(|state| addresses(&state.host)).collect();
    let expected = [
        "10.8.0.3/24",
        "10.8.0.6/24",
        "10.8.0.7/24",
        "10.8.0.8/24",
        "10.8.0.10/24",
    ];
    assert_eq!(given, expected);
}

/// Each in a task of its own.
pub async fn of_many_at_once_no_two_share_an_address(factory: impl Factory) {
    let world = World::new(factory).await;
    let mut all = JoinSet::new();
    for n in 1..=100 {
        let store = Arc::clone(&world.store);
        all.spawn(async move { store.add_hosts(vec![pooled(n)], admin()).await.unwrap().remove(0).host });
    }
    let hosts = all.join_all().await;
    let given: BTreeSet<String> = hosts.iter().flat_map(addresses).collect();
    assert_eq!(given.len(), 200);
}

/// On the VLAN of a cluster, without an address or a pool of its own.
fn node(n: u8, role: Role) -> Host {
    Host {
        role,
        cluster: Some("prod".parse().unwrap()),
        ..with(n, json!({"vlans": [{"id": 1000}, {"id": 7}]}))
    }
}

/// Servers and agents of the cluster, on its VLAN and no other; and each its own, however many come at once.
pub async fn a_clusters_pool_gives_each_node_an_address_that_stays(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let mut prod = cluster("prod");
    prod.cluster.spec.vlan = Some(1000);
    prod.cluster.spec.pool = serde_json::from_value(pool("10.8.0.0/24")).unwrap();
    let added = world.store.add_cluster(prod).await.unwrap();
    let mut own = node(2, Role::Agent);
    own.network.vlans[0].pool = serde_json::from_value(json!({"ipv4": {"prefix": "10.9.0.0/24"}})).unwrap();
    let stranger = Host {
        cluster: Some("lab".parse().unwrap()),
        ..node(4, Role::Agent)
    };
    let hosts = vec![node(1, Role::Server), own, node(3, Role::Runner), stranger];
    let hosts = world.store.add_hosts(hosts, admin()).await.unwrap();
    let given: Vec<_> = hosts.iter().map(|state| addresses(&state.host)).collect();
    assert_eq!(given[0], ["10.8.0.2/24", "fd00:8::2/64"]);
    assert_eq!(given[1], ["10.9.0.2/24"], "its VLAN has a pool of its own");
    assert_eq!((given[2].len(), given[3].len()), (0, 0), "no nodes of this cluster");

    let mut all = JoinSet::new();
    for n in 10..=70 {
        let store = Arc::clone(&world.store);
        all.spawn(async move {
            let added = store.add_hosts(vec![node(n, Role::Agent)], admin()).await.unwrap();
            added.into_iter().next().unwrap()
        });
    }
    let nodes = all.join_all().await;
    let distinct: BTreeSet<String> = nodes.iter().flat_map(|state| addresses(&state.host)).collect();
    assert_eq!(distinct.len(), 2 * 61);
    assert!(!distinct.contains("10.8.0.2/24"), "the first server's");

    // Described anew without it, over a restart, and after the pool became another.
    world.restart().await;
    let first = hosts[0].id;
    update(&world, first, node(1, Role::Server)).await.unwrap();
    assert_eq!(addresses(&world.state(first).await.host), given[0]);
    let mut narrow = added;
    narrow.cluster.spec.pool = serde_json::from_value(json!({"ipv4": {"prefix": "10.8.0.0/30"}})).unwrap();
    world.store.save_cluster(narrow, false).await.unwrap();
    let described = world.state(first).await.host;
    update(&world, first, described).await.unwrap();
    assert_eq!(addresses(&world.state(first).await.host), given[0]);
    let error = world
        .store
        .add_hosts(vec![node(80, Role::Agent)], admin())
        .await
        .unwrap_err();
    assert!(
        matches!(&error, StoreError::Exhausted { field, .. } if field == "network.vlans[0].addresses"),
        "{error}"
    );
}

/// What may happen to a pool.
#[derive(Debug, Clone)]
enum Step {
    Add(u8),
    Wish(u8, u8),
    Leave(u8),
    Return(u8),
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (1_u8..8).prop_map(Step::Add),
        2 => (1_u8..8, 2_u8..9).prop_map(|(n, at)| Step::Wish(n, at)),
        2 => (1_u8..8).prop_map(Step::Leave),
        2 => (1_u8..8).prop_map(Step::Return),
        1 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 1..24)
}

/// Over random changes in any order: an address that was given is the same host's for ever.
pub async fn no_two_hosts_ever_share_an_address(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let mut runner = TestRunner::new(Config::with_cases(1));
    for round in 0..12_u8 {
        let story: Vec<Step> = steps().new_tree(&mut runner).unwrap().current();
        let mut ids: BTreeMap<u8, HostId> = BTreeMap::new();
        let mut owners: BTreeMap<IpAddr, HostId> = BTreeMap::new();
        // Hosts stay, so that every round has names and a pool of its own.
        let here = |n: u8| {
            let mut host = with(
                n,
                json!({"vlans": [{"id": 1000, "pool": {"ipv4": {"prefix": format!("10.{round}.0.0/28")}}}]}),
            );
            host.name = format!("r{round}-{n}").parse().unwrap();
            host.macs = vec![format!("52:54:00:01:{round:02x}:{n:02x}").parse().unwrap()];
            host
        };
        for step in &story {
            let (n, change) = match step {
                Step::Restart => {
                    world.restart().await;
                    continue;
                }
                Step::Add(n) | Step::Return(n) => (*n, here(*n)),
                Step::Wish(n, at) => {
                    let mut host = here(*n);
                    host.network.vlans[0].addresses = vec![format!("10.{round}.0.{at}/28").parse().unwrap()];
                    (*n, host)
                }
                Step::Leave(n) => {
                    let mut host = here(*n);
                    host.network.vlans.clear();
                    (*n, host)
                }
            };
            let id = if let Some(id) = ids.get(&n) {
                // A wish for what another has is refused.
                drop(update(&world, *id, change).await);
                *id
            } else {
                let Ok(added) = world.store.add_hosts(vec![change], admin()).await else {
                    continue;
                };
                ids.insert(n, added[0].id);
                added[0].id
            };
            for (_, address) in world.state(id).await.host.network.addresses() {
                let owner = *owners.entry(address.addr()).or_insert(id);
                assert_eq!(owner, id, "{address} was given twice in {story:?}");
            }
        }
    }
}
