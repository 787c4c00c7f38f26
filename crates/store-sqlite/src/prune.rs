//! What is over the caps or too old goes. Readers look for it, so that the writer only deletes.

use thirdboot_store::{Limits, Pruned, Store, StoreError};

use crate::SqliteStore;
use crate::batch::Batch;
use crate::error::unavailable;
use crate::job::Job;
use crate::read::json;

/// Hosts whose excess goes in one transaction: others must not wait long.
const HOSTS_AT_ONCE: usize = 64;

/// What is to go.
pub(crate) struct Excess {
    statement: &'static str,
    hosts: Vec<i64>,
    /// How many are kept, or since when.
    keep: i64,
}

const MANY_EVENTS: &str = "SELECT host_id FROM events GROUP BY host_id HAVING count(*) > ?";
const OLD_EVENTS: &str = "DELETE FROM events WHERE number IN (SELECT number FROM (SELECT number, row_number() OVER \
    (PARTITION BY host_id ORDER BY number DESC) AS age FROM events \
    WHERE host_id IN (SELECT value FROM json_each(?))) WHERE age > ?)";

const MANY_RUNS: &str = "SELECT host_id FROM runs GROUP BY host_id HAVING count(*) > ?";
const OLD_RUNS: &str = "DELETE FROM runs WHERE (host_id, number) IN (SELECT host_id, number FROM (SELECT host_id, number, \
    row_number() OVER (PARTITION BY host_id ORDER BY number DESC) AS age FROM runs \
    WHERE host_id IN (SELECT value FROM json_each(?))) WHERE age > ?)";

// The runs kept in `runs` are those before the current one: of it and of the last of them every report may be said again.
const EARLIER_REPORTS: &str = "SELECT r.host_id FROM (SELECT host_id, max(number) AS last FROM runs GROUP BY host_id) AS r \
    WHERE EXISTS (SELECT 1 FROM reports AS p WHERE p.host_id = r.host_id AND p.run <= r.last - ?)";
const OLD_REPORTS: &str = "DELETE FROM reports WHERE host_id IN (SELECT value FROM json_each(?)) \
    AND run <= (SELECT max(number) FROM runs WHERE runs.host_id = reports.host_id) - ?";

const UNSEEN: &str = "DELETE FROM unknown_machines WHERE last_seen < ?2";
const TOO_MANY_UNKNOWN: &str = "DELETE FROM unknown_machines WHERE id IN (SELECT id FROM unknown_machines \
    ORDER BY last_seen DESC, id DESC LIMIT -1 OFFSET ?2)";

const OLD_ANSWERS: &str = "DELETE FROM kept_answers WHERE at < ?2";
// Numbers rise with time, and the oldest go first: no index on the time is needed.
const OLD_AUDIT: &str = "DELETE FROM audit WHERE number < coalesce((SELECT number FROM audit WHERE at >= ?2 \
    ORDER BY number LIMIT 1), (SELECT max(number) + 1 FROM audit))";

/// Looks for what is over the caps, and has it removed.
pub(crate) async fn prune(store: &SqliteStore, limits: &Limits) -> Result<Pruned, StoreError> {
    let unseen_since = store.now().as_millisecond() - i64::from(limits.unknown_age_s) * 1000;
    let events = per_host(store, MANY_EVENTS, OLD_EVENTS, i64::from(limits.events_per_host)).await?;
    let runs = per_host(store, MANY_RUNS, OLD_RUNS, i64::from(limits.runs_per_host)).await?;
    per_host(store, EARLIER_REPORTS, OLD_REPORTS, 1).await?;
    let mut unknown_machines = ask(store, UNSEEN, &[], unseen_since).await?;
    unknown_machines += ask(store, TOO_MANY_UNKNOWN, &[], i64::from(limits.unknown_machines)).await?;
    let now_ms = store.now().as_millisecond();
    let answers = ask(store, OLD_ANSWERS, &[], now_ms - i64::from(limits.answer_age_s) * 1000).await?;
    let audited = ask(
        store,
        OLD_AUDIT,
        &[],
        now_ms - i64::from(limits.audit_age_days) * 86_400_000,
    )
    .await?;
    Ok(Pruned {
        events,
        unknown_machines,
        runs,
        answers,
        audited,
    })
}

async fn per_host(
    store: &SqliteStore,
    search: &'static str,
    statement: &'static str,
    keep: i64,
) -> Result<u64, StoreError> {
    let hosts: Vec<i64> = sqlx::query_scalar(search)
        .bind(keep)
        .fetch_all(&store.readers)
        .await
        .map_err(|error| unavailable(&error))?;
    let mut removed = 0;
    for some in hosts.chunks(HOSTS_AT_ONCE) {
        removed += ask(store, statement, some, keep).await?;
    }
    Ok(removed)
}

async fn ask(store: &SqliteStore, statement: &'static str, hosts: &[i64], keep: i64) -> Result<u64, StoreError> {
    let excess = Excess {
        statement,
        hosts: hosts.to_vec(),
        keep,
    };
    store.ask(|reply| Job::Remove(excess, reply)).await
}

/// Removes it. An error is the whole transaction's.
pub(crate) async fn remove(batch: &mut Batch<'_>, excess: &Excess) -> Result<u64, StoreError> {
    let done = sqlx::query(excess.statement)
        .bind(json(&excess.hosts))
        .bind(excess.keep)
        .execute(&mut *batch.connection)
        .await
        .map_err(|error| unavailable(&error))?;
    Ok(done.rows_affected())
}
