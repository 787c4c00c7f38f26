//! The one row of `meta`: counters, the last time, and which life of the database this is.

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;
use thirdboot_store::StoreError;

use crate::epoch::Mark;
use crate::rows::{signed, time, unsigned};
use crate::script::Script;

/// What stands in `meta`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) mark: Mark,
    pub(crate) last_time: Timestamp,
    pub(crate) last_event: u64,
}

#[derive(sqlx::FromRow)]
pub(crate) struct MetaRow {
    epoch: String,
    permit_seq: i64,
    last_time: i64,
    last_event: i64,
    last_host: i64,
}

impl TryFrom<MetaRow> for Meta {
    type Error = StoreError;

    fn try_from(row: MetaRow) -> Result<Self, StoreError> {
        Ok(Self {
            mark: Mark {
                epoch: row.epoch,
                permit_seq: unsigned("meta", &1, row.permit_seq)?,
                last_host: unsigned("meta", &1, row.last_host)?,
            },
            last_time: time("meta", &1, row.last_time)?,
            last_event: unsigned("meta", &1, row.last_event)?,
        })
    }
}

/// The row, if the database was ever opened before.
pub(crate) async fn load(connection: &mut SqliteConnection) -> Result<Option<MetaRow>, sqlx::Error> {
    sqlx::query_as("SELECT epoch, permit_seq, last_time, last_event, last_host FROM meta")
        .fetch_optional(connection)
        .await
}

/// Takes the write lock and reads the row, in one round trip.
pub(crate) async fn begin(connection: &mut SqliteConnection) -> Result<MetaRow, sqlx::Error> {
    sqlx::query_as("BEGIN IMMEDIATE; SELECT epoch, permit_seq, last_time, last_event, last_host FROM meta")
        .fetch_one(connection)
        .await
}

/// Adds the statement that writes the row.
pub(crate) fn store(script: &mut Script, meta: &Meta) {
    script
        .add(
            "INSERT INTO meta (id, epoch, permit_seq, last_time, last_event, last_host) VALUES (1, ?, ?, ?, ?, ?) \
             ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, permit_seq = excluded.permit_seq, \
             last_time = excluded.last_time, last_event = excluded.last_event, last_host = excluded.last_host",
        )
        .bind(meta.mark.epoch.clone())
        .bind(signed(meta.mark.permit_seq))
        .bind(meta.last_time.as_millisecond())
        .bind(signed(meta.last_event))
        .bind(signed(meta.mark.last_host));
}
