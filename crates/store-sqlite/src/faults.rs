//! Disks that are full, databases that are locked, rows that cannot be, processes that are killed.

use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection, Executor};
use thirdboot_lifecycle::{Deadlines, Host, Permit, Purpose};
use thirdboot_store::{
    Actor, Clock, HostId, HostState, Limits, Store, StoreError, Submission, SubmitError, Token, UnknownMachine,
};

use crate::job::Job;
use crate::{OpenOptions, Opened, SqliteStore};

fn options(folder: &Path) -> OpenOptions {
    OpenOptions {
        db_path: folder.join("thirdboot.db"),
        epoch_path: folder.join("epoch"),
        clock: Arc::new(Clock::manual(Timestamp::from_second(1_800_000_000).unwrap())),
        deadlines: Deadlines::default(),
        limits: Limits::default(),
    }
}

async fn open(folder: &Path) -> (Arc<SqliteStore>, Opened) {
    SqliteStore::open(options(folder)).await.unwrap()
}

fn host(n: u8) -> Host {
    serde_json::from_value(
        serde_json::json!({"name": format!("node-{n}"), "macs": [format!("52:54:00:00:00:{n:02x}")]}),
    )
    .unwrap()
}

async fn added(store: &SqliteStore, n: u8) -> HostState {
    store.add_hosts(vec![host(n)], Actor::Server).await.unwrap().remove(0)
}

fn hold(reason: &str) -> Submission {
    Submission::Hold {
        reason: reason.into(),
        by: Actor::Server,
    }
}

async fn arm(store: &SqliteStore, state: &HostState) {
    let now = store.now();
    let permit = Permit {
        purpose: Purpose::Inspect,
        issued_at: now,
        expires_at: now + SignedDuration::from_hours(1),
        attempts: 1,
        voided: None,
    };
    let arm = Submission::Arm {
        permit,
        documents: Vec::new(),
        expected_version: state.version,
        by: Actor::Server,
    };
    store.submit(state.id, arm).await.unwrap();
}

/// Another program with the database open.
async fn intruder(folder: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(folder.join("thirdboot.db"));
    SqliteConnection::connect_with(&options).await.unwrap()
}

async fn change_behind_its_back(folder: &Path, statement: &str) {
    let mut intruder = intruder(folder).await;
    intruder.execute(AssertSqlSafe(statement)).await.unwrap();
    intruder.close().await.unwrap();
}

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
    let log = |store: Arc<SqliteStore>| async move {
        let filter = thirdboot_store::EventFilter {
            host: Some(id),
            after: 0,
            limit: 1000,
        };
        store.events(&filter).await.unwrap().items.len()
    };
    let before = log(Arc::clone(&store)).await;
    assert_eq!(before, usize::try_from(refused).unwrap() + 1);
    store
        .ask(|reply| Job::Pragma("PRAGMA max_page_count = 1000000", reply))
        .await
        .unwrap();
    store.submit(id, hold("there is room")).await.unwrap();
    assert_eq!(log(store).await, before + 1);
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
async fn a_row_that_cannot_be_is_named_and_spoils_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path()).await;
    let (broken, sound) = (added(&store, 1).await.id, added(&store, 2).await.id);
    store.close().await;
    change_behind_its_back(
        folder.path(),
        r#"UPDATE hosts SET host = '{"name":"node-1","console_password_hash":["$6$secret"]}' WHERE id = 1"#,
    )
    .await;
    let (store, _) = open(folder.path()).await;
    let errors = [
        store.host_by_id(broken).await.unwrap_err().to_string(),
        store.submit(broken, hold("why")).await.unwrap_err().to_string(),
    ];
    for error in errors {
        assert!(
            error.starts_with("hosts row 1 is not what this version writes"),
            "{error}"
        );
        assert!(!error.contains("secret"), "{error}");
    }
    let (first, second) = tokio::join!(store.submit(broken, hold("a")), store.submit(sound, hold("b")));
    assert!(first.is_err());
    second.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_table_names_its_impossible_rows() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path()).await;
    let id = added(&store, 1).await.id;
    let token = Token {
        name: "ci".into(),
        role: thirdboot_store::AccessRole::Viewer,
        sha256: "aa".into(),
        created_at: store.now(),
    };
    store.add_token(token).await.unwrap();
    let machine = UnknownMachine {
        id: 0,
        identity: thirdboot_lifecycle::Identity::default(),
        said: Vec::new(),
        source: "192.0.2.1".into(),
        why: None,
        first_seen: store.now(),
        last_seen: store.now(),
        count: 1,
    };
    store.note_unknown(machine).await.unwrap();
    for statement in [
        "UPDATE tokens SET role = 'king'",
        "UPDATE unknown_machines SET identity = '{}x'",
        "UPDATE events SET entry = '[]'",
        "INSERT INTO runs (host_id, number, run) VALUES (1, 1, '{}')",
    ] {
        change_behind_its_back(folder.path(), statement).await;
    }
    let filter = thirdboot_store::EventFilter {
        host: None,
        after: 0,
        limit: 9,
    };
    let errors = [
        store.token("aa").await.unwrap_err(),
        store.unknown_machines().await.unwrap_err(),
        store.events(&filter).await.unwrap_err(),
        store.runs(id).await.unwrap_err(),
    ];
    let tables = errors.map(|error| match error {
        StoreError::Corrupt { table, .. } => table,
        other => panic!("an impossible row was answered with {other}"),
    });
    assert_eq!(tables, ["tokens", "unknown_machines", "events", "runs"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_writes_behind_its_back_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path()).await;
    let state = added(&store, 1).await;
    arm(&store, &state).await;
    change_behind_its_back(folder.path(), "UPDATE hosts SET version = 77").await;
    for submission in [hold("new memory"), Submission::Due] {
        let version = store.host_by_id(state.id).await.unwrap().unwrap().version;
        let first = store.submit(state.id, submission.clone()).await;
        if first.is_err() {
            // What it remembered is forgotten, and the next try sees the row as it is.
            store.submit(state.id, submission).await.unwrap();
        }
        assert_eq!(store.host_by_id(state.id).await.unwrap().unwrap().version, version + 1);
    }
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
    assert!(store.submit(state.id, hold("a")).await.is_err());
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
    let filter = thirdboot_store::EventFilter {
        host: Some(id),
        after: 0,
        limit: 1000,
    };
    let kept = store.events(&filter).await.unwrap().items.len();
    assert!(kept < 300, "{kept} events of 600 are left");
}
