//! Where packages come from is kept, and read as it was written.

use thirdboot_lifecycle::{Repository, Role, RoleDefaults};

use super::Factory;
use super::world::World;
use crate::{Packages as _, Versioned};

fn repository(name: &str, url: &str) -> Repository {
    serde_json::from_value(serde_json::json!({"name": name, "url": url, "gpg_key": "a key", "roles": ["agent"]}))
        .unwrap()
}

/// In the order of their names, after a restart, too.
pub async fn a_repository_is_kept_replaced_and_forgotten(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let (first, second) = (
        repository("a", "https://a.example"),
        repository("b", "https://b.example"),
    );
    for repository in [&second, &first] {
        assert_eq!(world.store.put_repository(repository.clone()).await.unwrap(), 1);
    }
    let moved = repository("b", "https://c.example");
    assert_eq!(world.store.put_repository(moved.clone()).await.unwrap(), 2);
    world.restart().await;
    let versioned = |version, value| Versioned { version, value };
    assert_eq!(
        world.store.repositories().await.unwrap(),
        [versioned(1, first), versioned(2, moved.clone())]
    );
    assert!(world.store.remove_repository(&moved.name).await.unwrap());
    assert!(!world.store.remove_repository(&moved.name).await.unwrap());
    assert_eq!(world.store.repositories().await.unwrap().len(), 1);
}

/// What nobody said is built in; what somebody said counts, be it nothing at all.
pub async fn a_role_has_what_it_was_given(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let built_in = world.store.role_defaults(Role::Server).await.unwrap();
    assert_eq!(
        (built_in.version, built_in.value),
        (0, RoleDefaults::built_in(Role::Server))
    );
    let nothing = RoleDefaults::default();
    for version in 1..=2 {
        let put = world.store.put_role_defaults(Role::Server, nothing.clone()).await;
        assert_eq!(put.unwrap(), version);
    }
    world.restart().await;
    assert_eq!(world.store.role_defaults(Role::Server).await.unwrap().value, nothing);
    assert_eq!(world.store.role_defaults(Role::Runner).await.unwrap().version, 0);
}
