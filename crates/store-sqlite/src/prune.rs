//! What is over the caps or too old goes.

use thirdboot_store::{Limits, Pruned, StoreError};

use crate::batch::Batch;
use crate::error::unavailable;

/// Removes it. The outer error is the whole transaction's.
pub(crate) async fn prune(batch: &mut Batch<'_>, limits: &Limits) -> Result<Result<Pruned, StoreError>, StoreError> {
    let unseen_since = batch.now.as_millisecond() - i64::from(limits.unknown_age_s) * 1000;
    let events = delete(
        batch,
        "DELETE FROM events WHERE number IN (SELECT number FROM (SELECT number, row_number() OVER \
         (PARTITION BY host_id ORDER BY number DESC) AS age FROM events) WHERE age > ?)",
        i64::from(limits.events_per_host),
    )
    .await?;
    let runs = delete(
        batch,
        "DELETE FROM runs WHERE (host_id, number) IN (SELECT host_id, number FROM (SELECT host_id, number, row_number() \
         OVER (PARTITION BY host_id ORDER BY number DESC) AS age FROM runs) WHERE age > ?)",
        i64::from(limits.runs_per_host),
    )
    .await?;
    // Of the current run and the one before it every report may still be said again.
    delete(
        batch,
        "DELETE FROM reports WHERE run < (SELECT max(number) FROM runs WHERE runs.host_id = reports.host_id) - ?",
        0,
    )
    .await?;
    let aged = delete(batch, "DELETE FROM unknown_machines WHERE last_seen < ?", unseen_since).await?;
    let over = delete(
        batch,
        "DELETE FROM unknown_machines WHERE id IN (SELECT id FROM unknown_machines ORDER BY last_seen DESC, id DESC LIMIT -1 OFFSET ?)",
        i64::from(limits.unknown_machines),
    )
    .await?;
    Ok(Ok(Pruned {
        events,
        unknown_machines: aged + over,
        runs,
    }))
}

async fn delete(batch: &mut Batch<'_>, statement: &'static str, value: i64) -> Result<u64, StoreError> {
    let done = sqlx::query(statement)
        .bind(value)
        .execute(&mut *batch.connection)
        .await
        .map_err(|error| unavailable(&error))?;
    Ok(done.rows_affected())
}
