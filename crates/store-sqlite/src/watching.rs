//! The log searched, and strangers taken in or sent away.

use jiff::Timestamp;
use sqlx::SqliteExecutor;
use sqlx::sqlite::SqlitePool;
use thirdboot_lifecycle::Host;
use thirdboot_store::{Actor, EventPage, EventSearch, HostId, HostState, NamedEvent, StoreError};

use crate::batch::Batch;
use crate::error::unavailable;
use crate::hosts;
use crate::read::json;
use crate::rows::{EventRow, signed, unsigned};
use crate::script::Script;

/// Lines that one search looks at: what matches nothing must not hold a reader for long.
pub(crate) const LOOKED_AT: i64 = 20_000;

#[derive(sqlx::FromRow)]
struct NamedRow {
    #[sqlx(flatten)]
    event: EventRow,
    name: String,
}

/// Lines of the log with their hosts' names, of these hosts.
macro_rules! lines {
    ($of:literal) => {
        concat!(
            "SELECT e.number, e.host_id, e.at, e.entry, h.name FROM events AS e JOIN hosts AS h ON h.id = e.host_id WHERE ",
            $of,
            " AND e.number > ?2 AND e.number <= ?3 AND (?4 IS NULL OR e.entry ->> 'run' = ?4) \
             AND (?5 = '[]' OR e.entry ->> 'event' IN (SELECT value FROM json_each(?5))) \
             AND (?6 IS NULL OR (e.entry ->> 'refused' IS NOT NULL) = ?6) ORDER BY e.number LIMIT ?7"
        )
    };
}

/// A page of what is looked for. `tip` is the last line that was answered before.
pub(crate) async fn search_events(on: &SqlitePool, search: &EventSearch, tip: u64) -> Result<EventPage, StoreError> {
    let host = search.host.map(|host| signed(host.0));
    let mut after = signed(search.after);
    if let Some(since) = search.since {
        after = after.max(last_before(on, since).await?);
    }
    // The last line that this search looks at, if there are more than that.
    let bound = nth_after(on, host, after).await?;
    // A host's own lines have an index, which a term that may be absent would keep from being used.
    let lines = match host {
        Some(_) => lines!("e.host_id = ?1"),
        None => lines!("?1 IS NULL"),
    };
    let rows: Vec<NamedRow> = sqlx::query_as(lines)
        .bind(host)
        .bind(after)
        .bind(bound.unwrap_or(i64::MAX))
        .bind(search.run.map(|run| i64::from(run.0)))
        .bind(json(&search.kinds))
        .bind(search.refused)
        .bind(i64::from(search.limit) + 1)
        .fetch_all(on)
        .await
        .map_err(|error| unavailable(&error))?;
    page(rows, search, bound, tip)
}

fn page(mut rows: Vec<NamedRow>, search: &EventSearch, bound: Option<i64>, tip: u64) -> Result<EventPage, StoreError> {
    let limit = usize::try_from(search.limit).unwrap_or(usize::MAX);
    let is_cut = rows.len() > limit;
    rows.truncate(limit);
    let items = rows
        .into_iter()
        .map(NamedEvent::try_from)
        .collect::<Result<Vec<_>, _>>()?;
    let last = items.last().map_or(search.after, |item| item.event.number);
    let searched_to = match bound {
        _ if is_cut => last,
        Some(bound) => unsigned("events", &bound, bound)?,
        None => last.max(tip),
    };
    Ok(EventPage {
        items,
        searched_to: searched_to.max(search.after),
        more: is_cut || bound.is_some(),
    })
}

impl TryFrom<NamedRow> for NamedEvent {
    type Error = StoreError;

    fn try_from(row: NamedRow) -> Result<Self, StoreError> {
        Ok(Self {
            host_name: row.name,
            event: row.event.try_into()?,
        })
    }
}

/// Whose lines came in between.
pub(crate) async fn hosts_changed(on: &SqlitePool, after: u64, to: u64) -> Result<Vec<HostId>, StoreError> {
    let ids: Vec<i64> = sqlx::query_scalar("SELECT DISTINCT host_id FROM events WHERE number > ? AND number <= ?")
        .bind(signed(after))
        .bind(signed(to))
        .fetch_all(on)
        .await
        .map_err(|error| unavailable(&error))?;
    ids.into_iter()
        .map(|id| unsigned("events", &id, id).map(HostId))
        .collect()
}

async fn nth_after(on: impl SqliteExecutor<'_>, host: Option<i64>, after: i64) -> Result<Option<i64>, StoreError> {
    let query = match host {
        Some(host) => sqlx::query_scalar(
            "SELECT number FROM events WHERE host_id = ? AND number > ? ORDER BY number LIMIT 1 OFFSET ?",
        )
        .bind(host),
        None => sqlx::query_scalar("SELECT number FROM events WHERE number > ? ORDER BY number LIMIT 1 OFFSET ?"),
    };
    query
        .bind(after)
        .bind(LOOKED_AT - 1)
        .fetch_optional(on)
        .await
        .map_err(|error| unavailable(&error))
}

/// The number of the last line before `since`. Times rise with numbers, so that halving finds it without an index that
/// every report would have to write.
async fn last_before(on: &SqlitePool, since: Timestamp) -> Result<i64, StoreError> {
    let since_ms = since.as_millisecond();
    let ends: (Option<i64>, Option<i64>) = sqlx::query_as("SELECT min(number), max(number) FROM events")
        .fetch_one(on)
        .await
        .map_err(|error| unavailable(&error))?;
    let (Some(first), Some(last)) = ends else { return Ok(0) };
    let (mut before, mut not_before) = (first - 1, last + 1);
    while not_before - before > 1 {
        let middle = before + (not_before - before) / 2;
        let at: Option<(i64, i64)> =
            sqlx::query_as("SELECT number, at FROM events WHERE number <= ? ORDER BY number DESC LIMIT 1")
                .bind(middle)
                .fetch_optional(on)
                .await
                .map_err(|error| unavailable(&error))?;
        match at {
            Some((_, at)) if at >= since_ms => not_before = middle,
            _ => before = middle,
        }
    }
    Ok(before)
}

/// Adds the host and forgets the machine, both or neither. The outer error is the whole transaction's.
pub(crate) async fn adopt(
    batch: &mut Batch<'_>,
    machine: u64,
    host: Host,
    by: &Actor,
) -> Result<Result<Option<HostState>, StoreError>, StoreError> {
    if !is_listed(batch, machine).await? {
        return Ok(Ok(None));
    }
    let added = match hosts::add(batch, vec![host], by, None).await? {
        Ok(added) => added.into_iter().next(),
        Err(error) => return Ok(Err(error)),
    };
    forget(batch, machine).await?;
    Ok(Ok(added))
}

/// Forgets the machine. The error is the whole transaction's.
pub(crate) async fn dismiss(batch: &mut Batch<'_>, machine: u64) -> Result<bool, StoreError> {
    let is_listed = is_listed(batch, machine).await?;
    if is_listed {
        forget(batch, machine).await?;
    }
    Ok(is_listed)
}

async fn is_listed(batch: &mut Batch<'_>, machine: u64) -> Result<bool, StoreError> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM unknown_machines WHERE id = ?)")
        .bind(signed(machine))
        .fetch_one(&mut *batch.connection)
        .await
        .map_err(|error| unavailable(&error))
}

async fn forget(batch: &mut Batch<'_>, machine: u64) -> Result<(), StoreError> {
    let mut script = Script::new();
    script
        .add("DELETE FROM unknown_machines WHERE id = ?")
        .bind(signed(machine));
    script
        .run(batch.connection)
        .await
        .map(|_| ())
        .map_err(|error| unavailable(&error))
}
