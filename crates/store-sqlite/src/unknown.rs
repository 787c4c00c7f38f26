//! Machines that match no host: noted, counted, capped.

use sqlx::SqliteExecutor;
use thirdboot_store::{StoreError, UnknownMachine};

use crate::batch::Batch;
use crate::error::unavailable;
use crate::read::json;
use crate::rows::UnknownRow;
use crate::script::Script;

/// Notes a machine. The same identity from the same place only counts up.
pub(crate) async fn note(
    batch: &mut Batch<'_>,
    machine: &UnknownMachine,
) -> Result<Result<(), StoreError>, StoreError> {
    let mut script = Script::new();
    script
        .add(
            "INSERT INTO unknown_machines (identity, source, said, why, first_seen, last_seen, count) \
             VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (identity, source) DO UPDATE SET \
             said = excluded.said, why = excluded.why, last_seen = max(last_seen, excluded.last_seen), \
             count = min(count + excluded.count, 4294967295)",
        )
        .bind(json(&machine.identity))
        .bind(machine.source.clone())
        .bind(json(&machine.said))
        .bind(machine.why.clone())
        .bind(machine.first_seen.as_millisecond())
        .bind(machine.last_seen.as_millisecond())
        .bind(i64::from(machine.count.max(1)));
    script
        .add("DELETE FROM unknown_machines WHERE id IN (SELECT id FROM unknown_machines ORDER BY last_seen DESC, id DESC LIMIT -1 OFFSET ?)")
        .bind(i64::from(batch.limits.unknown_machines));
    Ok(batch.write([script]).await?.map_err(|error| unavailable(&error)))
}

/// The unknown machines, the last seen first.
pub(crate) async fn list(on: impl SqliteExecutor<'_>) -> Result<Vec<UnknownMachine>, StoreError> {
    let rows: Vec<UnknownRow> = sqlx::query_as(
        "SELECT id, identity, source, said, why, first_seen, last_seen, count FROM unknown_machines \
         ORDER BY last_seen DESC, id DESC",
    )
    .fetch_all(on)
    .await
    .map_err(|error| unavailable(&error))?;
    rows.into_iter().map(TryInto::try_into).collect()
}
