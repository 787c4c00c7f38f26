//! Clusters: kept, changed by who saw them last, and begun once.

use serde_json::json;
use thirdboot_lifecycle::{Cluster, Holder, Init, NodeWord, ReadyBy, RunNumber, Stage};

use super::Factory;
use super::path::drive_to;
use super::world::{World, admin};
use crate::{ClusterError, ClusterState, Clusters as _, Store as _, StoreError, Submission};

/// A cluster as it is described first.
pub(super) fn cluster(name: &str) -> ClusterState {
    let spec =
        json!({"name": name, "k3s": {"version": "v1.34.1+k3s1", "binaries": {"x86_64": {"sha256": "ab".repeat(32)}}}});
    ClusterState {
        version: 0,
        cluster: Cluster::new(serde_json::from_value(spec).unwrap()),
        tokens: b"sealed".to_vec(),
        kubeconfig: None,
    }
}

fn granted(state: &ClusterState, host: u64, now: jiff::Timestamp) -> ClusterState {
    let mut next = state.clone();
    next.cluster.init = Init::Granted {
        to: Holder {
            host,
            name: format!("node-{host}").parse().unwrap(),
            run: RunNumber(1),
        },
        at: now,
    };
    next
}

/// Name, order, secrets, and a version that counts.
pub async fn a_cluster_is_kept_and_replaced_by_who_saw_it_last(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let prod = "prod".parse().unwrap();
    assert_eq!(world.store.cluster(&prod).await.unwrap(), None);
    let added = world.store.add_cluster(cluster("prod")).await.unwrap();
    assert_eq!(added.version, 1);
    let taken = world.store.add_cluster(cluster("prod")).await;
    assert!(
        matches!(&taken, Err(StoreError::Taken { field: "name", value, .. }) if value == "prod"),
        "{taken:?}"
    );
    world.store.add_cluster(cluster("lab")).await.unwrap();

    let mut next = added.clone();
    next.cluster.spec.tls_san = vec!["k8s.example.net".into()];
    next.kubeconfig = Some(b"sealed, too".to_vec());
    let saved = world.store.save_cluster(next.clone(), false).await.unwrap();
    assert_eq!(
        saved,
        ClusterState {
            version: 2,
            ..next.clone()
        }
    );
    let late = world.store.save_cluster(next, false).await;
    assert!(
        matches!(
            late,
            Err(ClusterError::Outdated {
                current: 2,
                expected: 1
            })
        ),
        "{late:?}"
    );
    let nobody = ClusterState {
        version: 1,
        ..cluster("none")
    };
    assert!(matches!(
        world.store.save_cluster(nobody, false).await,
        Err(ClusterError::NoSuchCluster)
    ));
    world.restart().await;
    assert_eq!(world.store.cluster(&prod).await.unwrap(), Some(saved));
    let names: Vec<String> = world
        .store
        .clusters()
        .await
        .unwrap()
        .iter()
        .map(|state| state.cluster.spec.name.to_string())
        .collect();
    assert_eq!(names, ["lab", "prod"]);
}

/// Both decided on the same state.
pub async fn of_two_who_would_begin_one_does(factory: impl Factory) {
    let world = World::new(factory).await;
    let state = world.store.add_cluster(cluster("prod")).await.unwrap();
    let now = world.store.now();
    let tries: Vec<_> = (1..=8)
        .map(|host| {
            let (store, next) = (world.store.clone(), granted(&state, host, now));
            tokio::spawn(async move { store.save_cluster(next, true).await })
        })
        .collect();
    let mut begun = Vec::new();
    for attempt in tries {
        match attempt.await.unwrap() {
            Ok(saved) => begun.push(saved),
            Err(error) => assert!(matches!(error, ClusterError::Outdated { .. }), "{error}"),
        }
    }
    assert_eq!(begun.len(), 1);
    assert_eq!(world.store.clusters().await.unwrap(), begun);
}

/// Its hosts are found by it, and hold it.
pub async fn a_cluster_with_hosts_stays(factory: impl Factory) {
    let world = World::new(factory).await;
    let prod = "prod".parse().unwrap();
    world.store.add_cluster(cluster("prod")).await.unwrap();
    let id = world.add(1).await;
    assert_eq!(world.store.hosts_of(&prod).await.unwrap(), vec![]);
    let mut host = world.state(id).await.host;
    host.cluster = Some("prod".parse().unwrap());
    let update = |host, expected_version| Submission::Update {
        host: Box::new(host),
        expected_version,
        by: admin(),
    };
    world.store.submit(id, update(host.clone(), 1)).await.unwrap();
    assert_eq!(world.store.hosts_of(&prod).await.unwrap(), vec![world.state(id).await]);
    let refused = world.store.remove_cluster(&prod, 1).await;
    assert!(
        matches!(&refused, Err(ClusterError::InUse(host)) if host == "node-1"),
        "{refused:?}"
    );
    host.cluster = None;
    world.store.submit(id, update(host, 2)).await.unwrap();
    assert!(matches!(
        world.store.remove_cluster(&prod, 7).await,
        Err(ClusterError::Outdated { .. })
    ));
    world.store.remove_cluster(&prod, 1).await.unwrap();
    assert!(matches!(
        world.store.remove_cluster(&prod, 1).await,
        Err(ClusterError::NoSuchCluster)
    ));
}

/// A copy from before the beginning must not begin again.
pub async fn a_cluster_that_begins_makes_every_older_copy_doubtful(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let state = world.store.add_cluster(cluster("prod")).await.unwrap();
    world.restart().await;
    assert!(
        !world.store.clusters().await.unwrap()[0].cluster.in_doubt,
        "a restart is no restore"
    );
    world.store.close().await;
    world.factory.back_up().await;
    world.open().await;
    let begun = granted(&state, 1, world.store.now());
    world.store.save_cluster(begun, true).await.unwrap();
    world.store.close().await;
    world.factory.restore().await;
    world.open().await;
    let restored = world.store.clusters().await.unwrap().remove(0);
    assert!(restored.cluster.in_doubt);
    assert_eq!((&restored.cluster.init, restored.version), (&Init::Open, 2));
    world.restart().await;
    assert_eq!(world.store.clusters().await.unwrap(), [restored]);
}

/// With the reason, for the page.
pub async fn a_host_that_waits_for_its_turn_is_remembered(factory: impl Factory) {
    let world = World::new(factory).await;
    let (id, run) = world.armed(1).await;
    let waits = Submission::JoinWaits {
        run,
        why: "node-2 begins prod".into(),
    };
    assert!(
        world.store.submit(id, waits.clone()).await.is_err(),
        "it has no network yet"
    );
    drive_to(&world, id, run, Stage::Networked).await;
    world.store.submit(id, waits).await.unwrap();
    let wait = world.state(id).await.run.unwrap().evidence.join_wait.unwrap();
    assert_eq!(wait.why, "node-2 begins prod");
    assert_eq!(
        world.log(id).await.last().unwrap().entry.message.as_deref(),
        Some("node-2 begins prod")
    );
}

/// And nobody else's word is needed.
pub async fn the_api_makes_a_host_ready(factory: impl Factory) {
    let world = World::new(factory).await;
    let (id, run) = world.armed(1).await;
    drive_to(&world, id, run, Stage::Joining).await;
    let is_ready = || NodeWord::Ready;
    world
        .store
        .submit(id, Submission::NodeSeen { run, word: is_ready() })
        .await
        .unwrap();
    let ready = world.state(id).await.run.unwrap();
    assert_eq!(
        (ready.stage, ready.evidence.ready_by),
        (Stage::Ready, Some(ReadyBy::Api))
    );
    let other = RunNumber(run.0 + 1);
    assert!(
        world
            .store
            .submit(
                id,
                Submission::NodeSeen {
                    run: other,
                    word: is_ready()
                }
            )
            .await
            .is_err()
    );
}
