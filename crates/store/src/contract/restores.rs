//! An older copy of the data must not wipe what was installed since.

use thirdboot_lifecycle::Stage;

use super::Factory;
use super::path::drive_to;
use super::users::{HASH, session, user};
use super::world::{World, admin, boot, claim, host, machine};
use crate::{AccessRole, Store as _, Submission, SubmitError, Users as _};

async fn put_back<F: Factory>(world: &mut World<F>) {
    world.store.close().await;
    world.factory.restore().await;
    world.open().await;
}

async fn back_up<F: Factory>(world: &mut World<F>) {
    world.store.close().await;
    world.factory.back_up().await;
    world.open().await;
}

/// The copy remembers an open permit that was used up since: it is void before anybody can ask.
pub async fn a_restored_backup_grants_nothing(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let (id, run) = world.armed(1).await;
    let (other, other_run) = world.armed(2).await;
    back_up(&mut world).await;
    drive_to(&world, id, run, Stage::Ready).await;
    let later = world.add(3).await;
    put_back(&mut world).await;

    assert_eq!(world.voided, 2);
    for (host, run, n) in [(id, run, 1), (other, other_run, 2)] {
        assert_eq!(world.stage(host).await, Stage::Failed);
        let answer = world.store.submit(host, claim(run, boot(7), machine(n))).await;
        assert!(matches!(answer, Err(SubmitError::ClaimRefused(_))), "{answer:?}");
        assert_eq!(
            world
                .log(host)
                .await
                .iter()
                .filter(|line| line.entry.event == "permit-voided")
                .count(),
            1
        );
    }
    // A number stands in secrets: the next host must not get that of the one the copy does not know.
    let added = world.store.add_hosts(vec![host(4)], admin()).await.unwrap();
    assert!(added[0].id > later, "{:?} was given away before", added[0].id);
    // From here on it is a life of its own.
    let again = world.arm(other).await.unwrap();
    world.restart().await;
    assert_eq!((world.voided, world.stage(other).await), (0, Stage::Armed));
    world
        .store
        .submit(other, claim(again, boot(8), machine(2)))
        .await
        .unwrap();
}

/// A session that was ended and a link that was followed since are not there again.
pub async fn a_restored_backup_lets_nobody_in(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let ann = user(&world, "ann", AccessRole::Admin);
    world.store.add_user(ann).await.unwrap();
    let opened = world.store.open_session(session(&world, "ann", "s"), HASH).await;
    assert!(opened.unwrap());
    let over = world.store.now() + jiff::SignedDuration::from_hours(1);
    assert!(world.store.set_link("ann", "l", over).await.unwrap());
    back_up(&mut world).await;
    assert!(world.store.session("s").await.unwrap().is_some());
    assert!(world.store.user_of_link("l").await.unwrap().is_some());
    world.store.close_session("s").await.unwrap();
    assert!(world.store.follow_link("l", "$argon2id$two".to_owned()).await.unwrap());
    // By this the copy is known to be one.
    world.add(1).await;
    put_back(&mut world).await;

    assert_eq!(world.store.session("s").await.unwrap(), None);
    assert_eq!(world.store.user_of_link("l").await.unwrap(), None);
    assert!(!world.store.follow_link("l", HASH.to_owned()).await.unwrap());
    let users = world.store.users().await.unwrap();
    assert_eq!(users[0].link_expires_at, None);
}

/// Its install may finish; nothing claims again.
pub async fn a_claimed_run_is_void_after_a_restore(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let (id, run) = world.armed(1).await;
    drive_to(&world, id, run, Stage::Installing).await;
    back_up(&mut world).await;
    world
        .store
        .submit(id, Submission::Cancel { by: admin() })
        .await
        .unwrap();
    put_back(&mut world).await;

    assert_eq!((world.voided, world.stage(id).await), (1, Stage::Installing));
    let answer = world.store.submit(id, claim(run, boot(1), machine(1))).await;
    assert!(matches!(answer, Err(SubmitError::ClaimRefused(_))), "{answer:?}");
}

/// Neither a clean one nor a power cut, however often permits were taken.
pub async fn a_restart_voids_nothing(factory: impl Factory) {
    let mut world = World::new(factory).await;
    for n in 1..=3 {
        let (id, run) = world.armed(n).await;
        world.store.submit(id, claim(run, boot(n), machine(n))).await.unwrap();
        world.open().await;
        assert_eq!(world.voided, 0);
        world.restart().await;
        assert_eq!(world.voided, 0);
        assert_eq!(world.stage(id).await, Stage::Installing);
    }
}
