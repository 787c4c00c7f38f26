//! What a run is served is kept as long as it is served.

use thirdboot_lifecycle::Stage;

use super::Factory;
use super::path::drive_to;
use super::world::{World, admin, documents};
use crate::{Document, DocumentKind, Store, Submission};

/// Those that are kept while they are served.
fn served() -> impl Iterator<Item = Document> {
    documents()
        .into_iter()
        .filter(|document| document.kind != DocumentKind::Installed)
}

/// Byte for byte, also after a restart; gone when they are served no more.
pub async fn documents_live_until_the_install_is_complete(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let (id, run) = world.armed(1).await;
    drive_to(&world, id, run, Stage::Installing).await;
    world.restart().await;
    for document in served() {
        let kept = world.store.document(id, run, document.kind).await.unwrap();
        assert_eq!(kept, Some(document));
    }
    let of_another_run = world.store.document(id, run.next(), DocumentKind::Live).await.unwrap();
    assert_eq!(of_another_run, None);
    world
        .store
        .submit(id, Submission::Cancel { by: admin() })
        .await
        .unwrap();
    assert_eq!(world.store.document(id, run, DocumentKind::Live).await.unwrap(), None);
}

/// One run's documents at a time.
pub async fn the_next_run_replaces_documents(factory: impl Factory) {
    let world = World::new(factory).await;
    let (id, first) = world.armed(1).await;
    world
        .store
        .submit(id, Submission::Cancel { by: admin() })
        .await
        .unwrap();
    let second = world.arm(id).await.unwrap();
    assert_eq!(world.store.document(id, first, DocumentKind::Live).await.unwrap(), None);
    for document in served() {
        let kept = world.store.document(id, second, document.kind).await.unwrap();
        assert_eq!(kept, Some(document));
    }
}
