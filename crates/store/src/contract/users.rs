//! Who signs in, and for how long.

use jiff::SignedDuration;

use super::Factory;
use super::world::World;
use crate::{AccessRole, FIRST_USER, Session, Store as _, StoreError, User, Users as _};

const HASH: &str = "$argon2id$one";

fn user<F: Factory>(world: &World<F>, name: &str, role: AccessRole) -> User {
    User {
        name: name.to_owned(),
        role,
        password_hash: HASH.to_owned(),
        created_at: world.store.now(),
        created_by: None,
        password_set_at: world.store.now(),
    }
}

fn session<F: Factory>(world: &World<F>, user: &str, sha256: &str) -> Session {
    let now = world.store.now();
    Session {
        sha256: sha256.to_owned(),
        user: user.to_owned(),
        opened_at: now,
        expires_at: now + SignedDuration::from_hours(1),
    }
}

fn is_taken(answer: &Result<(), StoreError>, at: &str) -> bool {
    matches!(answer, Err(StoreError::Taken { field, .. }) if *field == at)
}

/// Also after a restart, and the first one only once.
pub async fn users_are_kept_by_name(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let (ann, bob) = (
        user(&world, "ann", AccessRole::Admin),
        user(&world, "bob", AccessRole::Viewer),
    );
    world.store.add_first_user(ann.clone()).await.unwrap();
    assert!(is_taken(&world.store.add_first_user(bob.clone()).await, FIRST_USER));
    world.store.add_user(bob.clone()).await.unwrap();
    assert!(is_taken(&world.store.add_user(bob.clone()).await, "name"));
    world.restart().await;
    assert_eq!(world.store.users().await.unwrap(), [ann.clone(), bob]);
    assert_eq!(world.store.user("ann").await.unwrap(), Some(ann));
    assert!(world.store.remove_user("bob").await.unwrap());
    assert!(!world.store.remove_user("bob").await.unwrap());
    assert_eq!(world.store.user("bob").await.unwrap(), None);
}

/// It dies of its age, of its end, of another password, and with its user.
pub async fn a_session_ends(factory: impl Factory) {
    let mut world = World::new(factory).await;
    world
        .store
        .add_user(user(&world, "ann", AccessRole::Operator))
        .await
        .unwrap();
    let open = async |world: &World<_>, sha256: &str| {
        let opened = world.store.open_session(session(world, "ann", sha256), HASH).await;
        assert!(opened.unwrap());
    };
    let is_open = async |world: &World<_>, sha256: &str| world.store.session(sha256).await.unwrap().is_some();
    open(&world, "a").await;
    let (found, role) = world.store.session("a").await.unwrap().unwrap();
    assert_eq!((found, role), (session(&world, "ann", "a"), AccessRole::Operator));
    world.restart().await;
    assert!(is_open(&world, "a").await);
    world.store.close_session("a").await.unwrap();
    assert!(!is_open(&world, "a").await);

    open(&world, "b").await;
    world.pass(SignedDuration::from_hours(1));
    assert!(!is_open(&world, "b").await, "its time is over");

    open(&world, "c").await;
    assert!(
        world
            .store
            .set_password("ann", "$argon2id$two".to_owned())
            .await
            .unwrap()
    );
    assert!(!is_open(&world, "c").await, "the password is another");
    assert!(!world.store.set_password("eve", HASH.to_owned()).await.unwrap());
    let late = world.store.open_session(session(&world, "ann", "d"), HASH).await;
    assert!(!late.unwrap(), "it was opened with the password of before");

    let opened = world
        .store
        .open_session(session(&world, "ann", "e"), "$argon2id$two")
        .await;
    assert!(opened.unwrap());
    world.store.remove_user("ann").await.unwrap();
    assert!(!is_open(&world, "e").await, "whose it was is gone");
}
