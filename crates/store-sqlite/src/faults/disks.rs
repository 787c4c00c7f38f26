//! Full disks, locked databases, killed processes, other people's eyes.

use std::sync::Arc;

use sqlx::Executor;
use thirdboot_store::{Limits, Store, StoreError, SubmitError};

use super::{added, hold, intruder, log, open, options};
use crate::job::Job;
use crate::{OpenOptions, SqliteStore};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_and_is_forgotten_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path()).await;
    let id = added(&store, 1).await.id;
    // No pragma of ours is as small as the database is already: SQLite takes the present size for the limit.
    store
        .ask(|reply| Job::Pragma("PRAGMA max_page_count = 1", reply))
        .await
        .unwrap();
    let mut refused = 0;
    for n in 0..200_u32 {
        match store.submit(id, hold(&"full ".repeat(200))).await {
            Ok(_) => {}
            Err(SubmitError::Store(StoreError::Unavailable(why))) => {
                assert!(why.contains("full"), "{why}");
                refused = n;
                break;
            }
            Err(other) => panic!("a full disk was answered with {other}"),
        }
    }
    assert_ne!(refused, 0, "200 reports fit on a full disk");
    let mut many = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let store = Arc::clone(&store);
        many.spawn(async move { store.submit(id, hold(&"full ".repeat(200))).await });
    }
    for answer in many.join_all().await {
        assert!(answer.unwrap_err().to_string().contains("full"));
    }
    let before = log(&store, id).await.len();
    assert_eq!(before, usize::try_from(refused).unwrap() + 1);
    store
        .ask(|reply| Job::Pragma("PRAGMA max_page_count = 1000000", reply))
        .await
        .unwrap();
    store.submit(id, hold("there is room")).await.unwrap();
    assert_eq!(log(&store, id).await.len(), before + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_somebody_holds_is_answered_and_outlived() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path()).await;
    let state = added(&store, 1).await;
    let mut intruder = intruder(folder.path()).await;
    intruder.execute("BEGIN IMMEDIATE").await.unwrap();
    let answer = store.submit(state.id, hold("locked")).await;
    assert!(
        matches!(&answer, Err(SubmitError::Store(StoreError::Unavailable(why))) if why.contains("locked")),
        "{answer:?}"
    );
    assert!(store.ping().await.is_err());
    // Readers do not mind.
    assert_eq!(store.host_by_id(state.id).await.unwrap(), Some(state.clone()));
    intruder.execute("ROLLBACK").await.unwrap();
    store.submit(state.id, hold("free")).await.unwrap();
    store.ping().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_written_where_nobody_finds_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let (here, away) = (folder.path().join("data"), folder.path().join("away"));
    std::fs::create_dir(&here).unwrap();
    let (store, _) = open(&here).await;
    let state = added(&store, 1).await;
    let refused = async |n: &str| match store.submit(state.id, hold(n)).await {
        Err(SubmitError::Store(StoreError::Unavailable(why))) => why,
        other => panic!("{n} was answered with {other:?}"),
    };
    std::fs::rename(&here, &away).unwrap();
    assert!(refused("gone").await.contains("No such file"));
    assert!(store.ping().await.is_err());
    // Another one in its place is not it.
    std::fs::create_dir(&here).unwrap();
    std::fs::copy(away.join("thirdboot.db"), here.join("thirdboot.db")).unwrap();
    assert!(refused("another").await.contains("another file"));
    std::fs::remove_dir_all(&here).unwrap();
    std::fs::rename(&away, &here).unwrap();
    store.submit(state.id, hold("back")).await.unwrap();
    store.ping().await.unwrap();
    store.close().await;
    let (store, _) = open(&here).await;
    let held = store.host_by_id(state.id).await.unwrap().unwrap();
    assert_eq!(held.host.hold.unwrap().reason, "back");
    assert_eq!(log(&store, state.id).await.len(), 2, "added, and held once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let (store, opened) = open(folder.path()).await;
    assert_eq!((opened.created, opened.voided_permits), (true, 0));
    let state = added(&store, 1).await;
    store.submit(state.id, hold("killed")).await.unwrap();
    // As a kill leaves it: database, log and epoch file, copied while all of them are open.
    let after = tempfile::tempdir().unwrap();
    for name in ["thirdboot.db", "thirdboot.db-wal", "epoch"] {
        std::fs::copy(folder.path().join(name), after.path().join(name)).unwrap();
    }
    let (store, opened) = open(after.path()).await;
    assert_eq!((opened.created, opened.voided_permits), (false, 0));
    let held = store.host_by_id(state.id).await.unwrap().unwrap();
    assert_eq!(held.host.hold.unwrap().reason, "killed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_else_reads_database_and_epoch_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path()).await;
    added(&store, 1).await;
    for name in ["thirdboot.db", "thirdboot.db-wal", "thirdboot.db-shm", "epoch"] {
        let mode = std::fs::metadata(folder.path().join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chatty_host_is_cut_down_without_anybody_pruning() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits {
        events_per_host: 10,
        ..Limits::default()
    };
    let (store, _) = SqliteStore::open(OpenOptions {
        limits,
        ..options(folder.path())
    })
    .await
    .unwrap();
    let id = added(&store, 1).await.id;
    let mut talk = tokio::task::JoinSet::new();
    for _ in 0..600 {
        let store = Arc::clone(&store);
        talk.spawn(async move { store.submit(id, hold("chatter")).await.unwrap() });
    }
    talk.join_all().await;
    let kept = log(&store, id).await.len();
    assert!(kept < 300, "{kept} events of 600 are left");
}
