//! Templates have versions, and what a machine was installed with stays known.

use thirdboot_lifecycle::{RunNumber, Stage};

use super::Factory;
use super::path::drive_to;
use super::world::{World, admin};
use crate::{
    DocumentKind, MAX_TEMPLATE_VERSIONS, Selection, Store, StoredTemplate, Submission, TemplateDraft, TemplateMoved,
    Templates,
};

fn draft(name: &str, text: &str) -> TemplateDraft {
    TemplateDraft {
        name: name.to_owned(),
        text: text.to_owned(),
        selection: Selection::default(),
        order: 100,
        note: None,
        by: "admin".to_owned(),
    }
}

impl<F: Factory> World<F> {
    async fn save(&self, draft: TemplateDraft, expected: Option<u64>) -> Result<StoredTemplate, TemplateMoved> {
        self.store.save_template(draft, expected).await.unwrap()
    }

    async fn names(&self) -> Vec<String> {
        let templates = self.store.templates().await.unwrap();
        templates.into_iter().map(|template| template.draft.name).collect()
    }
}

/// Old ones stay readable, also after a restart and past a deletion, and the count goes on.
pub async fn every_save_of_a_template_is_a_version(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let mut second = draft("motd", "two");
    second.selection.labels.insert("rack".into(), "r7".into());
    second.note = Some("a reason".into());
    assert_eq!(world.save(draft("motd", "one"), None).await.unwrap().version, 1);
    assert_eq!(world.save(second.clone(), Some(1)).await.unwrap().version, 2);
    world.restart().await;
    let read = async |version| world.store.template("motd", version).await.unwrap();
    assert_eq!(read(Some(1)).await.unwrap().draft.text, "one");
    assert_eq!(read(None).await.unwrap().draft, second);
    assert_eq!(read(Some(3)).await, None);
    assert_eq!(world.store.template("other", None).await.unwrap(), None);
    let deleted = world.store.delete_template("motd", 2, "admin").await.unwrap().unwrap();
    assert_eq!((deleted.version, deleted.is_deleted), (3, true));
    assert_eq!(world.names().await, Vec::<String>::new());
    assert!(read(None).await.unwrap().is_deleted);
    assert_eq!(read(Some(2)).await.unwrap().draft.text, "two");
    assert_eq!(world.save(draft("motd", "four"), None).await.unwrap().version, 4);
    let versions = world.store.template_versions("motd").await.unwrap();
    let listed: Vec<(u64, bool, &str)> = versions
        .iter()
        .map(|one| (one.version, one.is_deleted, one.draft.text.as_str()))
        .collect();
    assert_eq!(listed, [(4, false, ""), (3, true, ""), (2, false, ""), (1, false, "")]);
}

/// Of two who save on top of the same version one is told.
pub async fn a_template_that_moved_is_not_overwritten(factory: impl Factory) {
    let world = World::new(factory).await;
    let moved = |current| Err(TemplateMoved { current });
    assert_eq!(world.save(draft("a", "x"), Some(1)).await, moved(None));
    world.save(draft("a", "one"), None).await.unwrap();
    assert_eq!(world.save(draft("a", "other"), None).await, moved(Some(1)));
    assert_eq!(world.save(draft("a", "other"), Some(7)).await, moved(Some(1)));
    assert_eq!(
        world.store.delete_template("a", 7, "admin").await.unwrap(),
        moved(Some(1))
    );
    assert_eq!(world.store.delete_template("b", 1, "admin").await.unwrap(), moved(None));
    assert_eq!(
        world.store.template("a", None).await.unwrap().unwrap().draft.text,
        "one"
    );
    world.store.delete_template("a", 1, "admin").await.unwrap().unwrap();
    assert_eq!(world.save(draft("a", "other"), Some(2)).await, moved(None));
    assert_eq!(world.store.delete_template("a", 2, "admin").await.unwrap(), moved(None));
}

/// By number, then by name.
pub async fn templates_are_listed_in_their_order(factory: impl Factory) {
    let world = World::new(factory).await;
    for (name, order) in [("b", 5), ("a", 5), ("z", -1), ("c", 100)] {
        let draft = TemplateDraft {
            order,
            ..draft(name, "x")
        };
        world.save(draft, None).await.unwrap();
    }
    assert_eq!(world.names().await, ["z", "a", "b", "c"]);
}

/// The oldest go.
pub async fn versions_of_a_template_are_capped(factory: impl Factory) {
    let world = World::new(factory).await;
    let most = u64::from(MAX_TEMPLATE_VERSIONS);
    for version in 0..most + 2 {
        let expected = (version > 0).then_some(version);
        world.save(draft("a", "x"), expected).await.unwrap();
    }
    let versions = world.store.template_versions("a").await.unwrap();
    assert_eq!(versions.len(), usize::try_from(most).unwrap());
    assert_eq!(versions.last().map(|oldest| oldest.version), Some(3));
    assert_eq!(world.store.template("a", Some(2)).await.unwrap(), None);
}

/// From arming on, past the install and every later stage, until another run is installed.
pub async fn what_a_machine_was_installed_with_is_kept(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let (id, first) = world.armed(1).await;
    let kept = async |world: &World<_>, run: RunNumber| {
        let document = world.store.installed_document(id, run).await.unwrap();
        document.map(|document| (document.kind, document.sealed))
    };
    let whole = Some((DocumentKind::Installed, b"installed".to_vec()));
    assert_eq!(kept(&world, first).await, whole);
    drive_to(&world, id, first, Stage::Ready).await;
    world.restart().await;
    assert_eq!(kept(&world, first).await, whole);

    // A run that wrote nothing leaves things as they were.
    let second = world.arm(id).await.unwrap();
    assert_eq!(
        (kept(&world, first).await, kept(&world, second).await),
        (whole.clone(), whole.clone())
    );
    world
        .store
        .submit(id, Submission::Cancel { by: admin() })
        .await
        .unwrap();
    assert_eq!(
        (kept(&world, first).await, kept(&world, second).await),
        (whole.clone(), None)
    );

    let third = world.arm(id).await.unwrap();
    drive_to(&world, id, third, Stage::Installed).await;
    assert_eq!((kept(&world, first).await, kept(&world, third).await), (None, whole));
}
