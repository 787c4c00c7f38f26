//! Disks that are full, databases that are locked, rows that cannot be, processes that are killed, logs that are long.

mod backups;
mod disks;
mod epochs;
mod first_addresses;
mod first_schema;
mod long_log;
mod rows;
mod upgrade;

use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection, Executor};
use thirdboot_lifecycle::{Deadlines, Host, Permit, Purpose};
use thirdboot_store::{Actor, Clock, EventFilter, HostId, HostState, Limits, LoggedEvent, Store, Submission};

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
        power: None,
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

async fn log(store: &SqliteStore, host: HostId) -> Vec<LoggedEvent> {
    let filter = EventFilter {
        host: Some(host),
        after: 0,
        limit: 1000,
    };
    store.events(&filter).await.unwrap().items
}
