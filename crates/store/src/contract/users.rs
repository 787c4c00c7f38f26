//! Who signs in, and for how long.

use jiff::SignedDuration;

use super::Factory;
use super::world::World;
use crate::{AccessRole, FIRST_USER, Session, Store as _, StoreError, User, Users as _};

pub(super) const HASH: &str = "$argon2id$one";

pub(super) fn user<F: Factory>(world: &World<F>, name: &str, role: AccessRole) -> User {
    User {
        name: name.to_owned(),
        role,
        password_hash: Some(HASH.to_owned()),
        created_at: world.store.now(),
        created_by: None,
        password_set_at: Some(world.store.now()),
        link_expires_at: None,
    }
}

pub(super) fn session<F: Factory>(world: &World<F>, user: &str, sha256: &str) -> Session {
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

/// Who has no password is in nobody's way.
pub async fn the_first_user_is_the_first_with_a_password(factory: impl Factory) {
    let world = World::new(factory).await;
    let ann = user(&world, "ann", AccessRole::Admin);
    let bob = User {
        password_hash: None,
        password_set_at: None,
        ..user(&world, "bob", AccessRole::Viewer)
    };
    world.store.add_user(bob.clone()).await.unwrap();
    let same_name = user(&world, "bob", AccessRole::Admin);
    assert!(is_taken(&world.store.add_first_user(same_name).await, "name"));
    world.store.add_first_user(ann.clone()).await.unwrap();
    let late = user(&world, "eve", AccessRole::Admin);
    assert!(is_taken(&world.store.add_first_user(late).await, FIRST_USER));
    assert_eq!(world.store.users().await.unwrap(), [ann, bob]);
}

/// Neither is the last one taken away or lowered, nor do two take the right from each other at once.
pub async fn there_is_always_an_admin(factory: impl Factory) {
    let world = World::new(factory).await;
    let is_refused = |answer: &Result<bool, StoreError>| matches!(answer, Err(StoreError::LastAdmin { .. }));
    let new = User {
        password_hash: None,
        password_set_at: None,
        ..user(&world, "new", AccessRole::Admin)
    };
    for user in [
        user(&world, "ann", AccessRole::Admin),
        user(&world, "bob", AccessRole::Operator),
        new,
    ] {
        world.store.add_user(user).await.unwrap();
    }
    assert!(is_refused(&world.store.remove_user("ann").await));
    assert!(is_refused(&world.store.set_role("ann", AccessRole::Operator).await));
    assert!(world.store.set_role("ann", AccessRole::Admin).await.unwrap());
    assert!(world.store.remove_user("new").await.unwrap(), "they could not sign in");
    for _ in 0..20 {
        world.store.set_role("ann", AccessRole::Admin).await.unwrap();
        world.store.set_role("bob", AccessRole::Admin).await.unwrap();
        let (one, other) = tokio::join!(
            world.store.set_role("ann", AccessRole::Viewer),
            world.store.set_role("bob", AccessRole::Viewer)
        );
        assert_eq!((is_refused(&one), is_refused(&other)), (other.is_ok(), one.is_ok()));
        assert!(one.is_ok() || other.is_ok());
    }
    world.store.set_role("bob", AccessRole::Admin).await.unwrap();
    assert!(world.store.remove_user("ann").await.unwrap());
    assert!(is_refused(&world.store.remove_user("bob").await));
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

/// Whoever is signed in keeps their session, and may do no more than they may now.
pub async fn a_role_counts_at_once(factory: impl Factory) {
    let world = World::new(factory).await;
    for name in ["ann", "bob"] {
        let user = user(&world, name, AccessRole::Admin);
        world.store.add_user(user).await.unwrap();
    }
    let opened = world.store.open_session(session(&world, "ann", "a"), HASH).await;
    assert!(opened.unwrap());
    assert!(world.store.set_role("ann", AccessRole::Viewer).await.unwrap());
    let (_, role) = world.store.session("a").await.unwrap().unwrap();
    assert_eq!(role, AccessRole::Viewer);
    assert!(!world.store.set_role("eve", AccessRole::Admin).await.unwrap());
}

/// It dies of its use, of its age, of another one, and of a password that was set otherwise.
pub async fn a_link_is_followed_once(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let new = User {
        password_hash: None,
        password_set_at: None,
        ..user(&world, "ann", AccessRole::Operator)
    };
    world.store.add_user(new.clone()).await.unwrap();
    assert_eq!(world.store.user("ann").await.unwrap(), Some(new));
    let give = async |world: &World<_>, sha256: &str| {
        let over = world.store.now() + SignedDuration::from_hours(1);
        assert!(world.store.set_link("ann", sha256, over).await.unwrap());
        over
    };
    let leads_to = async |world: &World<_>, sha256: &str| {
        let found = world.store.user_of_link(sha256).await.unwrap();
        found.map(|user| user.name)
    };
    let follow = async |world: &World<_>, sha256: &str| {
        let followed = world.store.follow_link(sha256, HASH.to_owned()).await;
        followed.unwrap()
    };
    let over = give(&world, "a").await;
    world.restart().await;
    assert_eq!(leads_to(&world, "a").await.as_deref(), Some("ann"));
    let listed = world.store.users().await.unwrap();
    assert_eq!(listed[0].link_expires_at, Some(over));
    give(&world, "b").await;
    assert_eq!(leads_to(&world, "a").await, None, "there is another one");
    assert!(!follow(&world, "a").await);
    assert!(follow(&world, "b").await);
    let known = world.store.user("ann").await.unwrap().unwrap();
    assert_eq!(known.password_hash.as_deref(), Some(HASH));
    assert!(known.password_set_at.is_some() && known.link_expires_at.is_none());
    assert!(!follow(&world, "b").await, "it was followed");

    let opened = world.store.open_session(session(&world, "ann", "s"), HASH).await;
    assert!(opened.unwrap());
    give(&world, "c").await;
    assert!(follow(&world, "c").await);
    assert_eq!(world.store.session("s").await.unwrap(), None, "the password is another");

    give(&world, "d").await;
    world.pass(SignedDuration::from_hours(1));
    assert_eq!(leads_to(&world, "d").await, None, "its time is over");
    assert!(!follow(&world, "d").await);

    give(&world, "e").await;
    world.store.set_password("ann", HASH.to_owned()).await.unwrap();
    assert!(!follow(&world, "e").await, "the password was set otherwise");
    let nobodys = world.store.set_link("eve", "f", world.store.now()).await;
    assert!(!nobodys.unwrap());
}
