//! What the first version wrote is read by every later one.

use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use thirdboot_lifecycle::{Deadline, Deadlines, Stage};
use thirdboot_store::{HostFilter, HostId, Store};

use super::{log, open, options};
use crate::{OpenOptions, SqliteStore};

/// Never to be changed: these texts are in databases.
const ROWS: &str = r#"
    INSERT INTO meta (id, epoch, permit_seq, last_time, last_event, last_host) VALUES (1, 'first', 3, 1800000000000, 2, 7);
    INSERT INTO hosts (id, version, name, stage, due_at, host, run) VALUES (7, 5, 'node-1', 'installing', 1800000900000,
        '{"name":"node-1","macs":["52:54:00:00:00:01"],"serial":"SER-1","role":"agent","cluster":"sample"}',
        '{"number":2,"role":"agent","key_generation":0,"permit":{"purpose":{"install":{"disk":null,"wipe":[]}},
          "issued_at":"2027-01-15T08:00:00Z","expires_at":"2027-01-16T08:00:00Z","attempts":3,"voided":null},
          "stage":"installing","entered_at":"2027-01-15T08:00:00Z","stalled_since":null,"ended":null,
          "evidence":{"rollbacks":0,"local_scripts":0,"percent":42}}');
    INSERT INTO identifiers (kind, value, host_id) VALUES ('mac', '52:54:00:00:00:01', 7), ('serial', 'SER-1', 7);
    INSERT INTO events (number, host_id, at, entry) VALUES (1, 7, 1800000000000,
        '{"event":"added","by":{"token":"admin"}}'), (2, 7, 1800000000000,
        '{"event":"installing","by":"host","run":2,"stage":"installing","report":["00000000-0000-4000-8000-000000000001",4]}');
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_the_first_version_opens() {
    let folder = tempfile::tempdir().unwrap();
    let at = SqliteConnectOptions::new()
        .filename(folder.path().join("thirdboot.db"))
        .create_if_missing(true);
    let pool = SqlitePool::connect_with(at).await.unwrap();
    crate::schema::MIGRATIONS.run_to(1, &pool).await.unwrap();
    sqlx::raw_sql(ROWS).execute(&pool).await.unwrap();
    pool.close().await;
    let file = r#"{"epoch":"first","permit_seq":3,"last_host":7}"#;
    std::fs::write(folder.path().join("epoch"), file).unwrap();

    let (store, opened) = open(folder.path()).await;
    assert_eq!((opened.created, opened.voided_permits), (false, 0));
    let state = store.host_by_id(HostId(7)).await.unwrap().unwrap();
    let run = state.run.unwrap();
    assert_eq!(
        (state.version, run.stage, run.evidence.percent),
        (5, Stage::Installing, Some(42))
    );
    assert_eq!(log(&store, HostId(7)).await.len(), 2);
    let filter = HostFilter {
        words: vec!["ser-1".into()],
        limit: 9,
        ..HostFilter::default()
    };
    assert_eq!(store.hosts(&filter).await.unwrap().items.len(), 1);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_deadlines_count_from_the_next_start_on() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = open(folder.path()).await;
    let state = super::added(&store, 1).await;
    super::arm(&store, &state).await;
    let soon = store.now() + jiff::SignedDuration::from_secs(60);
    assert_eq!(store.due(soon, 9).await.unwrap(), []);
    store.close().await;
    let strict = Deadline {
        stall_s: 30,
        give_up_s: None,
    };
    let options = OpenOptions {
        deadlines: Deadlines::default().with(Stage::Armed, strict),
        ..options(folder.path())
    };
    let (store, _) = SqliteStore::open(options).await.unwrap();
    assert_eq!(store.due(soon, 9).await.unwrap(), [state.id]);
    assert_eq!(store.due(Timestamp::UNIX_EPOCH, 9).await.unwrap(), []);
}
