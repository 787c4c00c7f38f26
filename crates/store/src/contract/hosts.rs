//! Hosts are found, listed and described.

use thirdboot_lifecycle::{Identity, Serial};

use super::Factory;
use super::world::{World, admin, host, machine};
use crate::{HostFilter, HostId, Store, StoreError, Submission, SubmitError};

/// By any of its names.
pub async fn a_host_is_found_by_name_number_and_identifiers(factory: impl Factory) {
    let world = World::new(factory).await;
    let (first, second) = (world.add(1).await, world.add(2).await);
    assert_ne!(first, second);
    let found = world.store.host(&host(1).name).await.unwrap().unwrap();
    assert_eq!(
        (found.id, found.version, &found.host, &found.run),
        (first, 1, &host(1), &None)
    );
    assert_eq!(world.state(first).await, found);

    let both = Identity {
        macs: [host(2).macs, host(1).macs].concat(),
        ..Identity::default()
    };
    let ids: Vec<HostId> = world
        .store
        .hosts_with(&both)
        .await
        .unwrap()
        .iter()
        .map(|state| state.id)
        .collect();
    assert_eq!(ids, [first, second]);
    assert_eq!(world.store.hosts_with(&machine(3)).await.unwrap(), []);
    assert_eq!(world.store.hosts_with(&Identity::default()).await.unwrap(), []);
}

/// In the order of their names.
pub async fn hosts_are_listed_in_pages(factory: impl Factory) {
    let world = World::new(factory).await;
    world
        .store
        .add_hosts(vec![host(3), host(1), host(2)], admin())
        .await
        .unwrap();
    let mut filter = HostFilter {
        limit: 2,
        ..HostFilter::default()
    };
    let page = world.store.hosts(&filter).await.unwrap();
    let names: Vec<&str> = page.items.iter().map(|state| state.host.name.as_str()).collect();
    assert_eq!((names, page.more), (vec!["node-1", "node-2"], true));
    filter.after = Some(host(2).name);
    let page = world.store.hosts(&filter).await.unwrap();
    assert_eq!((page.items.len(), page.more), (1, false));
    assert_eq!(page.items[0].host, host(3));
}

/// A name or identifier that is taken keeps the whole list out.
pub async fn hosts_are_added_all_or_none(factory: impl Factory) {
    let world = World::new(factory).await;
    let first = world.add(1).await;
    let mut same_card = host(3);
    same_card.macs = host(1).macs;
    let mut same_name = host(4);
    same_name.name = host(1).name;
    let mut twins = [host(5), host(6)];
    for twin in &mut twins {
        twin.serial = Serial::stated("TWIN-1");
    }
    for (list, field, owner) in [
        (vec![host(2), same_card], "macs", "node-1"),
        (vec![host(2), same_name], "name", "node-1"),
        (twins.to_vec(), "serial", "node-5"),
    ] {
        match world.store.add_hosts(list, admin()).await {
            Err(StoreError::Taken {
                field: at, owner: of, ..
            }) => assert_eq!((at, of.as_str()), (field, owner)),
            other => panic!("{field} is taken, and the answer was {other:?}"),
        }
    }
    assert_eq!(world.store.add_hosts(Vec::new(), admin()).await.unwrap(), []);
    let all = HostFilter {
        limit: 10,
        ..HostFilter::default()
    };
    assert_eq!(world.store.hosts(&all).await.unwrap().items.len(), 1);
    // What failed left no number behind that a later host could share.
    assert!(world.add(2).await > first);
    assert_eq!(world.logged(first).await, ["added"]);
}

/// An update of an older version is refused.
pub async fn a_description_is_replaced_once(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let id = world.add(1).await;
    let mut described = host(1);
    described.serial = Serial::stated("SER-9");
    described.macs = host(7).macs;
    let update = Submission::Update {
        host: Box::new(described.clone()),
        expected_version: 1,
        by: admin(),
    };
    world.store.submit(id, update.clone()).await.unwrap();
    match world.store.submit(id, update).await {
        Err(SubmitError::Outdated { current, expected }) => assert_eq!((current, expected), (2, 1)),
        other => panic!("an outdated update was answered with {other:?}"),
    }
    world.restart().await;
    assert_eq!(world.state(id).await.host, described);
    // The identifiers went with it: the old card is free, the new one is taken.
    let mut other = host(1);
    other.name = host(2).name;
    world.store.add_hosts(vec![other], admin()).await.unwrap();
    assert_eq!(world.store.hosts_with(&machine(7)).await.unwrap()[0].id, id);
    assert!(world.store.add_hosts(vec![host(7)], admin()).await.is_err());
}

/// The error names field, value and owner.
pub async fn a_taken_identifier_is_refused_and_nothing_changes(factory: impl Factory) {
    let world = World::new(factory).await;
    let (first, second) = (world.add(1).await, world.add(2).await);
    let before = world.state(second).await;
    let mut described = host(2);
    described.macs.extend(host(1).macs);
    let update = Submission::Update {
        host: Box::new(described),
        expected_version: before.version,
        by: admin(),
    };
    match world.store.submit(second, update).await {
        Err(SubmitError::Store(StoreError::Taken { field, value, owner })) => {
            assert_eq!(
                (field, value, owner.as_str()),
                ("macs", host(1).macs[0].to_string(), "node-1")
            );
        }
        other => panic!("a taken card was answered with {other:?}"),
    }
    assert_eq!(world.state(second).await, before);
    assert_eq!(world.logged(second).await, ["added"]);
    assert_eq!(world.store.hosts_with(&machine(1)).await.unwrap()[0].id, first);
}

/// A number that no host has.
pub async fn a_stranger_is_no_host(factory: impl Factory) {
    let world = World::new(factory).await;
    let nobody = HostId(4711);
    assert_eq!(world.store.host_by_id(nobody).await.unwrap(), None);
    assert_eq!(world.store.host(&host(1).name).await.unwrap(), None);
    assert_eq!(world.store.runs(nobody).await.unwrap(), []);
    let answer = world.store.submit(nobody, Submission::Due).await;
    assert!(matches!(answer, Err(SubmitError::NoSuchHost)), "{answer:?}");
}
