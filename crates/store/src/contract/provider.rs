//! A machine at its provider is one host's, and what the provider says is told once.

use thirdboot_lifecycle::{
    DeviceId, Host, Platform, Power, PowerStep, Provider, ProviderEvent, ProviderLook, ProviderMachine, PutVlans,
    RunNumber, TroubleKind,
};

use super::Factory;
use super::world::{World, admin, host};
use crate::{HostId, Store, StoreError, Submission, SubmitError};

fn device(n: u8) -> DeviceId {
    format!("7a8b0000-0000-4000-8000-0000000000{n:02x}").parse().unwrap()
}

/// Host `n` as machine `at`.
fn rented(n: u8, at: u8) -> Host {
    let mut host = host(n);
    host.platform = Platform::EquinixMetal;
    host.provider = Some(Provider {
        device: device(at),
        metadata: false,
    });
    host
}

/// Host 1, armed with power, as machine 1.
async fn armed<F: Factory>(world: &World<F>) -> (HostId, RunNumber) {
    let added = world.store.add_hosts(vec![rented(1, 1)], admin()).await.unwrap();
    let id = added[0].id;
    (id, world.arm_with(id, Some(Power::Reboot)).await.unwrap())
}

/// What came of asking for machine 1.
fn of_first(look: ProviderLook) -> Submission {
    Submission::AtProvider {
        device: device(1),
        look: Box::new(look),
    }
}

fn is_taken(error: &StoreError) -> bool {
    let StoreError::Taken { field, owner, .. } = error else {
        return false;
    };
    (*field, owner.as_str()) == ("provider.device", "node-1")
}

/// Added or changed, at once or one after the other; given back with the host's description.
pub async fn a_machine_at_its_provider_is_one_hosts(factory: impl Factory) {
    let mut world = World::new(factory).await;
    world
        .store
        .add_hosts(vec![rented(1, 1), rented(2, 2)], admin())
        .await
        .unwrap();
    for twins in [vec![rented(3, 1)], vec![host(4), rented(3, 1)]] {
        let refused = world.store.add_hosts(twins, admin()).await.unwrap_err();
        assert!(is_taken(&refused), "{refused:?}");
    }
    world.restart().await;
    let update = |state: crate::HostState, host: Host| Submission::Update {
        host: Box::new(host),
        expected_version: state.version,
        by: admin(),
    };
    let named = async |n: u8| world.store.host(&host(n).name).await.unwrap().unwrap();
    let (first, second) = (named(1).await, named(2).await);
    match world
        .store
        .submit(second.id, update(second.clone(), rented(2, 1)))
        .await
    {
        Err(SubmitError::Store(refused)) => assert!(is_taken(&refused), "{refused:?}"),
        other => panic!("the machine is another's, and the answer was {other:?}"),
    }
    world
        .store
        .submit(first.id, update(first.clone(), host(1)))
        .await
        .unwrap();
    world
        .store
        .submit(second.id, update(second.clone(), rented(2, 1)))
        .await
        .unwrap();
    assert_eq!(named(2).await.host, rented(2, 1));
}

/// Beside the run, which stays as it is; after a restart, too.
pub async fn what_a_provider_says_is_told_once<F: Factory>(factory: F) {
    let mut world = World::new(factory).await;
    let (id, run) = armed(&world).await;
    let before = world.state(id).await.run;
    let noon = world.store.now();
    let event = |n: i64| ProviderEvent {
        at: noon + jiff::SignedDuration::from_secs(n),
        id: format!("e{n}"),
        says: format!("event {n}"),
    };
    let mut put = PutVlans::none(&device(1));
    put.add(&[1000]);
    let asks = ProviderLook {
        power: Some(PowerStep::Asks(run)),
        ..ProviderLook::default()
    };
    let look = ProviderLook {
        machine: Some(ProviderMachine {
            state: "active".into(),
            netboot: Some(true),
            vlans: vec![1000],
        }),
        power: Some(PowerStep::Took(run)),
        put: Some(put.clone()),
        trouble: Some((TroubleKind::Refused, "no".into())),
        events: vec![event(2), event(1)],
    };
    let again = ProviderLook {
        power: None,
        put: None,
        trouble: None,
        events: vec![event(3), event(2), event(1)],
        ..look.clone()
    };
    let told = async |world: &World<F>, id: HostId| {
        let lines = world
            .log(id)
            .await
            .into_iter()
            .filter(|line| line.entry.event == "provider");
        lines.filter_map(|line| line.entry.message).collect::<Vec<_>>()
    };
    let say = |look: &ProviderLook| of_first(look.clone());
    // That it is being asked outlives whoever asks.
    world.store.submit(id, say(&asks)).await.unwrap();
    world.restart().await;
    let known = world.state(id).await.observed.unwrap().provider.unwrap();
    assert_eq!((known.powered, known.asked.map(|asked| asked.run)), (None, Some(run)));
    world.store.submit(id, say(&look)).await.unwrap();
    let first = told(&world, id).await;
    assert_eq!(first.len(), 5, "{first:?}");
    assert!(
        first[1].starts_with("event 1 at ") && first[2].starts_with("event 2 at "),
        "{first:?}"
    );
    world.restart().await;
    for _ in 0..2 {
        world.store.submit(id, say(&again)).await.unwrap();
    }
    let all = told(&world, id).await;
    assert_eq!(all.len(), 7, "{all:?}");
    assert!(
        all[5].starts_with("event 3 at ") && all[6].starts_with("all is well"),
        "{all:?}"
    );
    let state = world.state(id).await;
    let version = state.version;
    let known = state.observed.unwrap().provider.unwrap();
    assert_eq!(
        (state.run, known.powered, known.asked, known.machine, known.put),
        (before, Some(run), None, look.machine, Some(put))
    );
    // A look that finds nothing new changes nothing, and nobody is told that the host changed.
    world.store.submit(id, say(&again)).await.unwrap();
    assert_eq!(world.state(id).await.version, version);
}

/// What a look says of a run's power, and what is wrong.
fn of_power(step: PowerStep, trouble: Option<TroubleKind>) -> Submission {
    of_first(ProviderLook {
        power: Some(step),
        trouble: trouble.map(|kind| (kind, "no".to_owned())),
        ..ProviderLook::default()
    })
}

/// Held, cancelled or asked for already: whoever meant to ask is refused, and nothing is written.
pub async fn power_that_is_not_wanted_now_is_not_asked_for(factory: impl Factory) {
    let world = World::new(factory).await;
    let (id, run) = armed(&world).await;
    let asks = async || {
        let before = (world.state(id).await, world.log(id).await.len());
        let answer = world.store.submit(id, of_power(PowerStep::Asks(run), None)).await;
        if let Err(refused) = &answer {
            assert!(matches!(refused, SubmitError::NotNow(_)), "{refused:?}");
            assert_eq!((world.state(id).await, world.log(id).await.len()), before);
        }
        answer.is_ok()
    };
    let hold = Submission::Hold {
        reason: "a fan".into(),
        by: admin(),
    };
    world.store.submit(id, hold).await.unwrap();
    assert!(!asks().await, "the brake is on");
    world
        .store
        .submit(id, Submission::Release { by: admin() })
        .await
        .unwrap();
    assert!(asks().await);
    assert!(!asks().await, "it is being asked for");
    let declined = of_power(PowerStep::Declined(run), None);
    world.store.submit(id, declined).await.unwrap();
    assert!(asks().await, "certainly nothing was done");
    let took = of_power(PowerStep::Took(run), None);
    world.store.submit(id, took).await.unwrap();
    assert!(!asks().await, "once a run");
    world
        .store
        .submit(id, Submission::Cancel { by: admin() })
        .await
        .unwrap();
    assert!(!asks().await, "the run is over");
}

/// Whoever asked for one machine does not touch the next one: nothing of it is kept.
pub async fn what_came_of_another_machine_is_refused(factory: impl Factory) {
    let world = World::new(factory).await;
    let (id, run) = armed(&world).await;
    let names = async |host: Host| {
        let state = world.state(id).await;
        let update = Submission::Update {
            host: Box::new(host),
            expected_version: state.version,
            by: admin(),
        };
        world.store.submit(id, update).await.unwrap();
    };
    for other in [rented(1, 2), host(1)] {
        names(other).await;
        let before = (world.state(id).await, world.log(id).await.len());
        for look in [of_power(PowerStep::Asks(run), None), of_first(ProviderLook::default())] {
            let refused = world.store.submit(id, look).await.unwrap_err();
            assert!(matches!(refused, SubmitError::NotNow(_)), "{refused:?}");
        }
        assert_eq!((world.state(id).await, world.log(id).await.len()), before);
    }
    names(rented(1, 1)).await;
    world
        .store
        .submit(id, of_power(PowerStep::Asks(run), None))
        .await
        .unwrap();
}

/// With the same trouble all the time; another one is told.
pub async fn a_request_that_is_declined_again_is_told_once(factory: impl Factory) {
    let world = World::new(factory).await;
    let (id, run) = armed(&world).await;
    let (no, limited) = (Some(TroubleKind::Refused), Some(TroubleKind::RateLimited));
    let mut since = Vec::new();
    for (asks, declined) in [(None, no), (no, no), (no, no), (no, limited)] {
        let asks = of_power(PowerStep::Asks(run), asks);
        let declined = of_power(PowerStep::Declined(run), declined);
        world.store.submit(id, asks).await.unwrap();
        world.store.submit(id, declined).await.unwrap();
        let known = world.state(id).await.observed.unwrap().provider.unwrap();
        since.push(known.trouble.unwrap().since);
        world.pass(jiff::SignedDuration::from_secs(60));
    }
    assert!(since[0] == since[1] && since[1] == since[2] && since[2] < since[3]);
    let lines = world.log(id).await.into_iter();
    let told = lines.filter(|line| line.entry.event == "provider");
    let told: Vec<String> = told.filter_map(|line| line.entry.message).collect();
    let begin = [
        "the provider is",
        "the provider did",
        "trouble",
        "the provider did",
        "trouble",
    ];
    assert_eq!(told.len(), begin.len(), "{told:#?}");
    for (line, begin) in told.iter().zip(begin) {
        assert!(line.starts_with(begin), "{told:#?}");
    }
}
