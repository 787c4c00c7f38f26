//! When silence is too long: the defaults with what an admin set. When a run is due was reckoned by the deadlines of its
//! last change; under other deadlines all of it is reckoned anew.

use std::sync::Arc;

use sqlx::sqlite::SqliteConnection;
use thirdboot_lifecycle::{Deadlines, due_at};
use thirdboot_store::{Actor, HostState, StoreError, Timing, TimingChange, TimingSet};

use crate::batch::Batch;
use crate::error::unavailable;
use crate::pending;
use crate::read::{self, json};
use crate::rows::parse;
use crate::script::Script;

/// Rows that are held in memory at once.
const AT_ONCE: u32 = 500;

/// What is in force.
pub(crate) async fn in_force(connection: &mut SqliteConnection, defaults: &Deadlines) -> Result<Timing, StoreError> {
    let set: Option<String> = sqlx::query_scalar("SELECT value FROM settings WHERE name = 'timing'")
        .fetch_optional(&mut *connection)
        .await
        .map_err(|error| unavailable(&error))?;
    let set: TimingSet = set
        .map(|json| parse("settings", &"timing", &json))
        .transpose()?
        .unwrap_or_default();
    Ok(Timing::of(defaults, set))
}

/// Sees to it that every due time is by these deadlines. All of it or nothing: a start that is cut short begins anew.
pub(crate) async fn renew(connection: &mut SqliteConnection, deadlines: &Deadlines) -> Result<(), StoreError> {
    let known: Option<String> = sqlx::query_scalar("SELECT deadlines FROM meta")
        .fetch_one(&mut *connection)
        .await
        .map_err(|error| unavailable(&error))?;
    if known.as_deref() == Some(json(deadlines).as_str()) {
        return Ok(());
    }
    run(connection, |script| script.add("BEGIN IMMEDIATE")).await?;
    reckon(connection, deadlines).await?;
    run(connection, |script| script.add("COMMIT")).await
}

/// Changes what is in force, within a transaction. An error is the whole transaction's.
pub(crate) async fn change(
    batch: &mut Batch<'_>,
    defaults: &Deadlines,
    change: &TimingChange,
    by: &Actor,
) -> Result<Arc<Timing>, StoreError> {
    // Rows that are not written yet have due times by the old deadlines.
    pending::flush(batch).await?;
    let timing = Arc::new(Timing::of(defaults, batch.timing.set.changed(change)));
    let (set, by, at_ms) = (json(&timing.set), by.to_string(), batch.now.as_millisecond());
    run(batch.connection, |script| {
        script
            .add(
                "INSERT INTO settings (name, value, changed_at, changed_by) VALUES ('timing', ?, ?, ?) \
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at, \
                 changed_by = excluded.changed_by",
            )
            .bind(set)
            .bind(at_ms)
            .bind(by)
    })
    .await?;
    if timing.stages != batch.timing.stages {
        reckon(batch.connection, &timing.stages).await?;
    }
    batch.timing = Arc::clone(&timing);
    Ok(timing)
}

async fn reckon(connection: &mut SqliteConnection, deadlines: &Deadlines) -> Result<(), StoreError> {
    let mut last = 0;
    loop {
        let rows = read::unended_after(&mut *connection, last, AT_ONCE)
            .await
            .map_err(|error| unavailable(&error))?;
        let Some(end) = rows.last() else { break };
        last = end.id;
        let dues: Vec<_> = rows
            .into_iter()
            // A row that cannot be read is named when somebody asks for it.
            .filter_map(|row| HostState::try_from(row).ok())
            .filter_map(|state| Some((state.id.0, due_at(state.run.as_ref()?, deadlines)?.as_millisecond())))
            .collect();
        run(connection, |script| {
            script
                .add("UPDATE hosts SET due_at = n.value ->> 1 FROM json_each(?) AS n WHERE hosts.id = n.value ->> 0")
                .bind(json(&dues))
        })
        .await?;
    }
    run(connection, |script| {
        script.add("UPDATE meta SET deadlines = ?").bind(json(deadlines))
    })
    .await
}

async fn run(
    connection: &mut SqliteConnection,
    statements: impl FnOnce(&mut Script) -> &mut Script,
) -> Result<(), StoreError> {
    let mut script = Script::new();
    statements(&mut script);
    script
        .run(connection)
        .await
        .map(|_| ())
        .map_err(|error| unavailable(&error))
}
