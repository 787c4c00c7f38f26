//! Hosts are found by what people remember of them, and counted.

use serde_json::json;
use thirdboot_lifecycle::{Host, Stage};

use super::Factory;
use super::world::{World, admin, boot, machine};
use crate::{Census, Counts, HostFilter, StageFilter, Store, Submission};

/// `node-<n>` with something of everything that is searched.
fn host(n: u8) -> Host {
    serde_json::from_value(json!({
        "name": format!("node-{n}"), "macs": [format!("52:54:00:00:00:{n:02x}")], "serial": format!("SER-{n}"),
        "role": if n.is_multiple_of(2) { "server" } else { "runner" }, "cluster": if n == 2 { json!("lab") } else { json!(null) },
        "platform": if n == 3 { "equinix-metal" } else { "metal" },
        "labels": {"rack": n.to_string(), "Owner": "Ada"},
        "network": {"uplink": {"method": "static", "addresses": [format!("192.0.2.{n}/24")], "gateways": []},
            "vlans": [{"id": 7, "addresses": [format!("10.7.0.{n}/16")]}]},
    }))
    .unwrap()
}

async fn found<F: Factory>(world: &World<F>, filter: HostFilter) -> Vec<String> {
    let filter = HostFilter { limit: 100, ..filter };
    let page = world.store.hosts(&filter).await.unwrap();
    assert!(!page.more);
    page.items.iter().map(|state| state.host.name.to_string()).collect()
}

fn words(words: &[&str]) -> HostFilter {
    HostFilter {
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        ..HostFilter::default()
    }
}

/// Whatever part of it, in whatever case; several words narrow it down.
pub async fn a_host_is_found_by_a_part_of_what_it_is_known_by(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let hosts = (1..=12).map(host).collect();
    world.store.add_hosts(hosts, admin()).await.unwrap();
    world.restart().await;
    for (given, expected) in [
        (vec!["node-3"], vec!["node-3"]),
        (vec!["NODE-1"], vec!["node-1", "node-10", "node-11", "node-12"]),
        (vec!["00:0C"], vec!["node-12"]),
        (vec!["5254.0000.000c"], vec!["node-12"]),
        (vec!["52-54-00-00-00-0c"], vec!["node-12"]),
        (vec!["52540000000c"], vec!["node-12"]),
        (vec!["ser-4"], vec!["node-4"]),
        (vec!["192.0.2.5/"], vec!["node-5"]),
        (vec!["10.7.0.6"], vec!["node-6"]),
        (vec!["rack=7"], vec!["node-7"]),
        (vec!["owner=ada", "192.0.2.1", "ser-12"], vec!["node-12"]),
        (vec!["node-3", "node-4"], vec![]),
        (vec!["0c"], vec!["node-12"]),
        (vec!["ser-1", "12"], vec!["node-12"]),
        (vec!["10.7.0.1/"], vec!["node-1"]),
        (vec!["\"; drop"], vec![]),
        (vec!["ser* or"], vec![]),
        (vec!["%"], vec![]),
        (vec!["'"], vec![]),
    ] {
        assert_eq!(found(&world, words(&given)).await, expected, "{given:?}");
    }
    let mut changed = host(3);
    changed.serial = thirdboot_lifecycle::Serial::stated("OTHER-3");
    let state = world.store.host(&changed.name).await.unwrap().unwrap();
    let update = Submission::Update {
        host: Box::new(changed),
        expected_version: state.version,
        by: admin(),
    };
    world.store.submit(state.id, update).await.unwrap();
    assert_eq!(found(&world, words(&["ser-3"])).await, Vec::<String>::new());
    assert_eq!(found(&world, words(&["other-3"])).await, ["node-3"]);
    world
        .store
        .submit(state.id, Submission::Retire { by: admin() })
        .await
        .unwrap();
    world.store.submit(state.id, Submission::Remove).await.unwrap();
    assert_eq!(found(&world, words(&["other-3"])).await, Vec::<String>::new());
    // And its words belong to whoever has them next.
    let mut next = host(3);
    next.serial = thirdboot_lifecycle::Serial::stated("OTHER-33");
    world.store.add_hosts(vec![next], admin()).await.unwrap();
    assert_eq!(found(&world, words(&["other-3", "node-3"])).await, ["node-3"]);
}

/// Each by itself and together, page by page.
pub async fn a_list_is_narrowed_by_what_hosts_are(factory: impl Factory) {
    let world = World::new(factory).await;
    world
        .store
        .add_hosts((1..=4).map(host).collect(), admin())
        .await
        .unwrap();
    let label = |key: &str, value: Option<&str>| HostFilter {
        labels: vec![(key.to_owned(), value.map(ToOwned::to_owned))],
        ..HostFilter::default()
    };
    let role = |role: &str| HostFilter {
        role: serde_json::from_value(json!(role)).unwrap(),
        ..HostFilter::default()
    };
    let cluster = HostFilter {
        cluster: Some("lab".parse().unwrap()),
        ..HostFilter::default()
    };
    let platform = HostFilter {
        platform: serde_json::from_value(json!("equinix-metal")).unwrap(),
        ..HostFilter::default()
    };
    for (filter, expected) in [
        (role("server"), vec!["node-2", "node-4"]),
        (role("agent"), vec![]),
        (cluster.clone(), vec!["node-2"]),
        (platform.clone(), vec!["node-3"]),
        (label("rack", None), vec!["node-1", "node-2", "node-3", "node-4"]),
        (label("rack", Some("4")), vec!["node-4"]),
        (label("ack", Some("4")), vec![]),
        (label("owner", None), vec![]),
        (
            HostFilter {
                platform: platform.platform,
                ..role("server")
            },
            vec![],
        ),
        (
            HostFilter {
                cluster: cluster.cluster,
                ..role("server")
            },
            vec!["node-2"],
        ),
    ] {
        assert_eq!(found(&world, filter.clone()).await, expected, "{filter:?}");
    }
    let filter = HostFilter {
        limit: 1,
        ..role("server")
    };
    let page = world.store.hosts(&filter).await.unwrap();
    assert_eq!((page.items[0].host.name.as_str(), page.more), ("node-2", true));
    let after = Some(page.items[0].host.name.clone());
    assert_eq!(
        found(
            &world,
            HostFilter {
                after,
                ..role("server")
            }
        )
        .await,
        ["node-4"]
    );
}

/// By stage, stalled, held, retired; and as many of each as the lists have.
pub async fn hosts_are_listed_and_counted_by_where_they_stand(factory: impl Factory) {
    let mut world = World::new(factory).await;
    world
        .store
        .add_hosts((1..=5).map(host).collect(), admin())
        .await
        .unwrap();
    let id = async |n: u8| world.store.host(&host(n).name).await.unwrap().unwrap().id;
    let (armed, live, cancelled, braked) = (id(1).await, id(2).await, id(3).await, id(4).await);
    let run = world.arm(live).await.unwrap();
    world.arm(cancelled).await.unwrap();
    world.arm(armed).await.unwrap();
    let identity = thirdboot_lifecycle::Identity {
        serial: host(2).serial,
        ..machine(2)
    };
    let said = thirdboot_lifecycle::Said::Live { identity };
    world.say(live, run, boot(1), said).await.unwrap();
    world
        .store
        .submit(cancelled, Submission::Cancel { by: admin() })
        .await
        .unwrap();
    world
        .store
        .submit(cancelled, Submission::Retire { by: admin() })
        .await
        .unwrap();
    let hold = Submission::Hold {
        reason: "x".into(),
        by: admin(),
    };
    world.store.submit(braked, hold).await.unwrap();
    world.pass(jiff::SignedDuration::from_mins(25));
    world.store.submit(live, Submission::Due).await.unwrap();
    world.restart().await;
    let stage = |stage| HostFilter {
        stage: Some(stage),
        ..HostFilter::default()
    };
    let yes = |change: fn(&mut HostFilter)| {
        let mut filter = HostFilter::default();
        change(&mut filter);
        filter
    };
    for (filter, expected) in [
        (stage(StageFilter::Is(Stage::Armed)), vec!["node-1"]),
        (stage(StageFilter::Is(Stage::Live)), vec!["node-2"]),
        (stage(StageFilter::NeverArmed), vec!["node-4", "node-5"]),
        (
            stage(StageFilter::IsNot(Stage::Live)),
            vec!["node-1", "node-3", "node-4", "node-5"],
        ),
        (yes(|filter| filter.stalled = Some(true)), vec!["node-2"]),
        (yes(|filter| filter.held = Some(true)), vec!["node-4"]),
        (yes(|filter| filter.retired = Some(true)), vec!["node-3"]),
        (
            yes(|filter| filter.retired = Some(false)),
            vec!["node-1", "node-2", "node-4", "node-5"],
        ),
        (yes(|filter| filter.adopted = Some(true)), vec![]),
        (
            HostFilter {
                stalled: Some(true),
                ..stage(StageFilter::Is(Stage::Armed))
            },
            vec![],
        ),
        (
            HostFilter {
                held: Some(true),
                ..words(&["rack=4"])
            },
            vec!["node-4"],
        ),
    ] {
        assert_eq!(found(&world, filter.clone()).await, expected, "{filter:?}");
    }
    let expected = Census {
        hosts: 5,
        runs: [(Stage::Armed, 1), (Stage::Live, 1), (Stage::Cancelled, 1)].into(),
        stalled: 1,
        held: 1,
        retired: 1,
    };
    assert_eq!(world.store.census().await.unwrap(), expected);
}
