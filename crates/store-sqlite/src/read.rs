//! What is asked of the database.

use std::cmp::Reverse;

use sqlx::SqliteExecutor;
use sqlx::sqlite::SqliteConnection;
use thirdboot_lifecycle::{Host, HostName, Identity, Mac, Run, RunNumber, Serial, SmbiosUuid};
use thirdboot_store::{Document, DocumentKind, EventFilter, HostId, HostState, LoggedEvent, Page, StoreError};

use crate::error::{impossible, unavailable};
use crate::rows::{DocumentRow, EventRow, HostRow, RunRow, signed, unsigned};

macro_rules! host_columns {
    ($rest:literal) => {
        concat!("SELECT id, version, host, run, observed FROM hosts ", $rest)
    };
}

/// Which hosts own one of the identifiers in a JSON list of `["kind","value"]`.
macro_rules! owners {
    () => {
        "(SELECT i.host_id FROM json_each(?) AS k CROSS JOIN identifiers AS i \
         ON i.kind = k.value ->> 0 AND i.value = k.value ->> 1)"
    };
}

pub(crate) async fn host(on: impl SqliteExecutor<'_>, name: &HostName) -> Result<Option<HostState>, StoreError> {
    let row: Option<HostRow> = sqlx::query_as(host_columns!("WHERE name = ?"))
        .bind(name.as_str())
        .fetch_optional(on)
        .await
        .map_err(|error| unavailable(&error))?;
    row.map(TryInto::try_into).transpose()
}

pub(crate) async fn host_by_id(on: impl SqliteExecutor<'_>, id: HostId) -> Result<Option<HostState>, StoreError> {
    let row: Option<HostRow> = sqlx::query_as(host_columns!("WHERE id = ?"))
        .bind(signed(id.0))
        .fetch_optional(on)
        .await
        .map_err(|error| unavailable(&error))?;
    row.map(TryInto::try_into).transpose()
}

/// The rows of a batch's hosts. Not yet read: a row that cannot be must not spoil the others.
pub(crate) async fn host_rows(on: impl SqliteExecutor<'_>, ids: &[u64]) -> Result<Vec<HostRow>, sqlx::Error> {
    sqlx::query_as(host_columns!("WHERE id IN (SELECT value FROM json_each(?))"))
        .bind(json(ids))
        .fetch_all(on)
        .await
}

/// Rows of hosts whose run has not ended, in the order of their numbers.
pub(crate) async fn unended_after(
    on: &mut SqliteConnection,
    last: i64,
    limit: u32,
) -> Result<Vec<HostRow>, sqlx::Error> {
    sqlx::query_as(host_columns!(
        "WHERE id > ? AND stage NOT IN ('ready', 'failed', 'cancelled') ORDER BY id LIMIT ?"
    ))
    .bind(last)
    .bind(limit)
    .fetch_all(on)
    .await
}

/// Rows of hosts in the order of their numbers.
pub(crate) async fn hosts_after(on: &mut SqliteConnection, last: i64, limit: u32) -> Result<Vec<HostRow>, sqlx::Error> {
    sqlx::query_as(host_columns!("WHERE id > ? ORDER BY id LIMIT ?"))
        .bind(last)
        .bind(limit)
        .fetch_all(on)
        .await
}

pub(crate) async fn hosts_with(on: impl SqliteExecutor<'_>, identity: &Identity) -> Result<Vec<HostState>, StoreError> {
    let query = match identity.macs.as_slice() {
        // What a script request says: one card. The commonest question of all, and answered without a list.
        [] | [_] => sqlx::query_as(host_columns!(
            "WHERE id IN (SELECT host_id FROM identifiers WHERE kind = 'mac' AND value = ? \
             UNION ALL SELECT host_id FROM identifiers WHERE kind = 'serial' AND value = ? \
             UNION ALL SELECT host_id FROM identifiers WHERE kind = 'uuid' AND value = ?) ORDER BY name"
        ))
        .bind(identity.macs.first().map(ToString::to_string))
        .bind(identity.serial.as_ref().map(Serial::as_str))
        .bind(identity.uuid.as_ref().map(SmbiosUuid::as_str)),
        _ => sqlx::query_as(concat!(
            "SELECT id, version, host, run, observed FROM hosts WHERE id IN ",
            owners!(),
            " ORDER BY name"
        ))
        .bind(json(&keys_of_identity(identity))),
    };
    let rows: Vec<HostRow> = query.fetch_all(on).await.map_err(|error| unavailable(&error))?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// The names of the hosts but `host` that own one of these identifiers.
pub(crate) async fn others_with(
    on: &mut SqliteConnection,
    host: HostId,
    identity: &Identity,
) -> Result<Vec<HostName>, StoreError> {
    let rows: Vec<(i64, String)> = sqlx::query_as(concat!(
        "SELECT id, name FROM hosts WHERE id IN ",
        owners!(),
        " AND id <> ? ORDER BY name"
    ))
    .bind(json(&keys_of_identity(identity)))
    .bind(signed(host.0))
    .fetch_all(on)
    .await
    .map_err(|error| unavailable(&error))?;
    rows.into_iter()
        .map(|(id, name)| {
            name.parse()
                .map_err(|_| impossible("hosts", &id, "its name is no name"))
        })
        .collect()
}

pub(crate) async fn due(
    on: impl SqliteExecutor<'_>,
    now: jiff::Timestamp,
    limit: u32,
) -> Result<Vec<HostId>, StoreError> {
    let ids: Vec<i64> = sqlx::query_scalar("SELECT id FROM hosts WHERE due_at <= ? ORDER BY due_at, id LIMIT ?")
        .bind(now.as_millisecond())
        .bind(i64::from(limit))
        .fetch_all(on)
        .await
        .map_err(|error| unavailable(&error))?;
    ids.into_iter()
        .map(|id| unsigned("hosts", &id, id).map(HostId))
        .collect()
}

pub(crate) async fn events(on: impl SqliteExecutor<'_>, filter: &EventFilter) -> Result<Page<LoggedEvent>, StoreError> {
    let limit = i64::from(filter.limit) + 1;
    let query = match filter.host {
        Some(host) => sqlx::query_as(
            "SELECT number, host_id, at, entry FROM events WHERE host_id = ? AND number > ? ORDER BY number LIMIT ?",
        )
        .bind(signed(host.0)),
        None => {
            sqlx::query_as("SELECT number, host_id, at, entry FROM events WHERE number > ? ORDER BY number LIMIT ?")
        }
    };
    let rows: Vec<EventRow> = query
        .bind(signed(filter.after))
        .bind(limit)
        .fetch_all(on)
        .await
        .map_err(|error| unavailable(&error))?;
    page(rows, filter.limit)
}

pub(crate) async fn runs(on: impl SqliteExecutor<'_>, host: HostId) -> Result<Vec<Run>, StoreError> {
    let rows: Vec<RunRow> = sqlx::query_as(
        "SELECT host_id, run FROM runs WHERE host_id = ?1 \
         UNION ALL SELECT id, run FROM hosts WHERE id = ?1 AND run IS NOT NULL",
    )
    .bind(signed(host.0))
    .fetch_all(on)
    .await
    .map_err(|error| unavailable(&error))?;
    let mut runs = rows.into_iter().map(Run::try_from).collect::<Result<Vec<_>, _>>()?;
    runs.sort_by_key(|run| Reverse(run.number));
    Ok(runs)
}

pub(crate) async fn document(
    on: impl SqliteExecutor<'_>,
    host: HostId,
    run: RunNumber,
    kind: DocumentKind,
) -> Result<Option<Document>, StoreError> {
    let row: Option<DocumentRow> =
        sqlx::query_as("SELECT sha512, sealed FROM documents WHERE host_id = ? AND kind = ? AND run = ?")
            .bind(signed(host.0))
            .bind(kind.as_str())
            .bind(i64::from(run.0))
            .fetch_optional(on)
            .await
            .map_err(|error| unavailable(&error))?;
    Ok(row.map(|row| row.of(kind)))
}

/// A page of one row more than was asked for.
pub(crate) fn page<R, T: TryFrom<R, Error = StoreError>>(mut rows: Vec<R>, limit: u32) -> Result<Page<T>, StoreError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let items = rows.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
    Ok(Page { items, more })
}

/// An identifier as the database has it: kind and value.
pub(crate) type Key = (&'static str, String);

fn keys(macs: impl IntoIterator<Item = Mac>, serial: Option<&str>, uuid: Option<&str>) -> Vec<Key> {
    let mut keys: Vec<Key> = macs.into_iter().map(|mac| ("mac", mac.to_string())).collect();
    keys.extend(serial.map(|serial| ("serial", serial.to_owned())));
    keys.extend(uuid.map(|uuid| ("uuid", uuid.to_owned())));
    keys.sort();
    keys.dedup();
    keys
}

fn keys_of_identity(identity: &Identity) -> Vec<Key> {
    let serial = identity.serial.as_ref().map(Serial::as_str);
    let uuid = identity.uuid.as_ref().map(SmbiosUuid::as_str);
    keys(identity.macs.iter().copied(), serial, uuid)
}

/// The identifiers that a host owns, each once.
pub(crate) fn keys_of(host: &Host) -> Vec<Key> {
    let serial = host.serial.as_ref().map(Serial::as_str);
    let uuid = host.uuid.as_ref().map(SmbiosUuid::as_str);
    let mut keys = keys(host.cards(), serial, uuid);
    let device = host.provider.as_ref().map(|provider| provider.device.to_string());
    keys.extend(device.map(|device| ("device", device)));
    keys.sort();
    keys
}

/// A list as SQLite's `json_each` takes it. Plain lists of text and numbers cannot fail to be written.
pub(crate) fn json(list: &(impl serde::Serialize + ?Sized)) -> String {
    serde_json::to_string(list).unwrap_or_else(|_| "[]".to_owned())
}
