//! Which life of the database it is.

use std::path::Path;
use std::time::Duration;

use thirdboot_store::{HostId, Store, Watching as _};

use super::{added, arm, hold, open, options};
use crate::SqliteStore;

fn epoch(folder: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(folder.join("epoch")).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_without_its_epoch_file_is_a_foreign_one() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path()).await;
    let state = added(&store, 1).await;
    arm(&store, &state).await;
    store.close().await;
    for wrong in [None, Some("not JSON"), Some(r#"{"epoch":"another","permit_seq":0}"#)] {
        let before = epoch(folder.path());
        match wrong {
            None => std::fs::remove_file(folder.path().join("epoch")).unwrap(),
            Some(text) => std::fs::write(folder.path().join("epoch"), text).unwrap(),
        }
        let (store, opened) = open(folder.path()).await;
        assert_eq!(opened.voided_permits, 1, "{wrong:?}");
        assert_ne!(epoch(folder.path())["epoch"], before["epoch"]);
        let state = store.host_by_id(state.id).await.unwrap().unwrap();
        arm(&store, &state).await;
        store.close().await;
        let (store, opened) = open(folder.path()).await;
        assert_eq!(opened.voided_permits, 0);
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_between_commit_and_epoch_file_is_no_restore() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path()).await;
    let (first, second) = (added(&store, 1).await, added(&store, 2).await);
    arm(&store, &second).await;
    let file = std::fs::read(folder.path().join("epoch")).unwrap();
    store.submit(first.id, hold("it takes a permit")).await.unwrap();
    store.close().await;
    std::fs::write(folder.path().join("epoch"), &file).unwrap();
    let (store, opened) = open(folder.path()).await;
    assert_eq!(opened.voided_permits, 0);
    // And the file has caught up.
    assert_ne!(std::fs::read(folder.path().join("epoch")).unwrap(), file);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_epoch_file_that_cannot_be_written_keeps_the_answer_back() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path()).await;
    let state = added(&store, 1).await;
    // A folder of that name is in the way, for whoever may write everything, too.
    std::fs::create_dir(folder.path().join("epoch.new")).unwrap();
    let tip = store.changed(0, Duration::ZERO).await;
    assert!(store.submit(state.id, hold("a")).await.is_err());
    // It is stored all the same, and whoever waits for changes hears of it.
    let held = store.host_by_id(state.id).await.unwrap().unwrap().host.hold;
    assert_eq!(held.unwrap().reason, "a");
    let changed = store.changed(tip, Duration::ZERO).await;
    assert!(changed > tip);
    assert_eq!(store.hosts_changed(tip, changed).await.unwrap(), [state.id]);
    std::fs::remove_dir(folder.path().join("epoch.new")).unwrap();
    store.ping().await.unwrap();
    store.close().await;
    let (_, opened) = open(folder.path()).await;
    assert_eq!(opened.voided_permits, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_made_anew_begins_where_the_lost_one_ended() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path()).await;
    assert_eq!(added(&store, 1).await.id, HostId(1));
    store.close().await;
    let before = epoch(folder.path());
    std::fs::remove_file(folder.path().join("thirdboot.db")).unwrap();
    let (store, opened) = open(folder.path()).await;
    assert!(opened.created);
    assert_ne!(epoch(folder.path())["epoch"], before["epoch"]);
    assert_eq!(added(&store, 1).await.id, HostId(2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_on_one_database_are_one_too_many() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path()).await;
    let refused = SqliteStore::open(options(folder.path())).await.unwrap_err();
    assert!(
        refused.to_string().contains("another process uses this database"),
        "{refused}"
    );
    store.close().await;
    open(folder.path()).await;
}
