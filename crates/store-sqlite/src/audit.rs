//! Who did what.

use jiff::Timestamp;
use sqlx::SqliteExecutor;
use thirdboot_store::{AuditFilter, Audited, Deed, Page, StoreError};

use crate::error::{impossible, unavailable};
use crate::read;
use crate::rows::{role, signed, time, unsigned};
use crate::script::Script;

/// Adds the statement that writes a list of deeds.
pub(crate) fn write(script: &mut Script, at_ms: i64, deeds: String) {
    script
        .add(
            "INSERT INTO audit (at, caller, role, source, action, target, status) SELECT ?, value ->> 0, value ->> 1, \
             value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?)",
        )
        .bind(at_ms)
        .bind(deeds);
}

#[derive(sqlx::FromRow)]
struct Row {
    number: i64,
    at: i64,
    caller: String,
    role: String,
    source: String,
    action: String,
    target: String,
    status: i64,
}

impl TryFrom<Row> for Audited {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let role = role("audit", &row.number, &row.role)?;
        let status = u16::try_from(row.status)
            .map_err(|_| impossible("audit", &row.number, format!("{} is no status", row.status)))?;
        Ok(Self {
            number: unsigned("audit", &row.number, row.number)?,
            at: time("audit", &row.number, row.at)?,
            deed: Deed {
                caller: row.caller,
                role,
                source: row.source,
                action: row.action,
                target: row.target,
                status,
            },
        })
    }
}

/// A page, the latest first. Each filter has an index of its own.
pub(crate) async fn list(on: impl SqliteExecutor<'_>, filter: &AuditFilter) -> Result<Page<Audited>, StoreError> {
    let mut query = sqlx::QueryBuilder::<sqlx::Sqlite>::new(
        "SELECT number, at, caller, role, source, action, target, status FROM audit WHERE number < ",
    );
    query.push_bind(filter.before.map_or(i64::MAX, signed));
    for (column, wanted) in [
        (" AND caller = ", &filter.caller),
        (" AND action = ", &filter.action),
        (" AND target = ", &filter.target),
    ] {
        if let Some(wanted) = wanted {
            query.push(column).push_bind(wanted.clone());
        }
    }
    for (bound, time) in [(" AND at >= ", filter.since), (" AND at < ", filter.until)] {
        if let Some(time) = time.map(Timestamp::as_millisecond) {
            query.push(bound).push_bind(time);
        }
    }
    query
        .push(" ORDER BY number DESC LIMIT ")
        .push_bind(i64::from(filter.limit) + 1);
    let rows: Vec<Row> = query
        .build_query_as()
        .fetch_all(on)
        .await
        .map_err(|error| unavailable(&error))?;
    read::page(rows, filter.limit)
}
