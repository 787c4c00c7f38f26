//! Rows become domain types, or an error that names table and row.

use std::fmt::Display;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use thirdboot_lifecycle::{Identity, Run};
use thirdboot_store::{
    AccessRole, Document, DocumentKind, HostId, HostState, ListedToken, LoggedEvent, StoreError, Token, UnknownMachine,
};

use crate::error::{corrupt, impossible};

#[derive(sqlx::FromRow)]
pub(crate) struct HostRow {
    pub(crate) id: i64,
    version: i64,
    host: String,
    run: Option<String>,
    observed: Option<String>,
}

impl TryFrom<HostRow> for HostState {
    type Error = StoreError;

    fn try_from(row: HostRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: HostId(unsigned("hosts", &row.id, row.id)?),
            version: unsigned("hosts", &row.id, row.version)?,
            host: parse("hosts", &row.id, &row.host)?,
            run: row.run.map(|json| parse("hosts", &row.id, &json)).transpose()?,
            observed: row.observed.map(|json| parse("hosts", &row.id, &json)).transpose()?,
        })
    }
}

#[derive(sqlx::FromRow)]
pub(crate) struct RunRow {
    pub(crate) host_id: i64,
    pub(crate) run: String,
}

impl TryFrom<RunRow> for Run {
    type Error = StoreError;

    fn try_from(row: RunRow) -> Result<Self, StoreError> {
        parse("runs", &row.host_id, &row.run)
    }
}

#[derive(sqlx::FromRow)]
pub(crate) struct EventRow {
    pub(crate) number: i64,
    host_id: i64,
    at: i64,
    entry: String,
}

impl TryFrom<EventRow> for LoggedEvent {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        Ok(Self {
            number: unsigned("events", &row.number, row.number)?,
            host: HostId(unsigned("events", &row.number, row.host_id)?),
            at: time("events", &row.number, row.at)?,
            entry: parse("events", &row.number, &row.entry)?,
        })
    }
}

#[derive(sqlx::FromRow)]
pub(crate) struct DocumentRow {
    pub(crate) sha512: String,
    pub(crate) sealed: Vec<u8>,
}

impl DocumentRow {
    pub(crate) fn of(self, kind: DocumentKind) -> Document {
        Document {
            kind,
            sha512: self.sha512,
            sealed: self.sealed,
        }
    }
}

#[derive(sqlx::FromRow)]
pub(crate) struct UnknownRow {
    id: i64,
    identity: String,
    source: String,
    said: String,
    why: Option<String>,
    first_seen: i64,
    last_seen: i64,
    count: i64,
}

impl TryFrom<UnknownRow> for UnknownMachine {
    type Error = StoreError;

    fn try_from(row: UnknownRow) -> Result<Self, StoreError> {
        const TABLE: &str = "unknown_machines";
        Ok(Self {
            id: unsigned(TABLE, &row.id, row.id)?,
            identity: parse::<Identity>(TABLE, &row.id, &row.identity)?,
            said: parse(TABLE, &row.id, &row.said)?,
            source: row.source,
            why: row.why,
            first_seen: time(TABLE, &row.id, row.first_seen)?,
            last_seen: time(TABLE, &row.id, row.last_seen)?,
            count: u32::try_from(row.count).unwrap_or(u32::MAX),
        })
    }
}

#[derive(sqlx::FromRow)]
pub(crate) struct TokenRow {
    name: String,
    role: String,
    sha256: String,
    created_at: i64,
}

impl TryFrom<TokenRow> for Token {
    type Error = StoreError;

    fn try_from(row: TokenRow) -> Result<Self, StoreError> {
        Ok(Self {
            created_at: time("tokens", &row.name, row.created_at)?,
            role: role("tokens", &row.name, &row.role)?,
            name: row.name,
            sha256: row.sha256,
        })
    }
}

#[derive(sqlx::FromRow)]
pub(crate) struct ListedTokenRow {
    name: String,
    role: String,
    created_at: i64,
    created_by: Option<String>,
    last_used_at: Option<i64>,
}

impl TryFrom<ListedTokenRow> for ListedToken {
    type Error = StoreError;

    fn try_from(row: ListedTokenRow) -> Result<Self, StoreError> {
        let used = row.last_used_at.map(|at| time("tokens", &row.name, at)).transpose()?;
        Ok(Self {
            created_at: time("tokens", &row.name, row.created_at)?,
            role: role("tokens", &row.name, &row.role)?,
            name: row.name,
            created_by: row.created_by,
            last_used_at: used,
        })
    }
}

/// A role of a column.
pub(crate) fn role(table: &'static str, row: &dyn Display, name: &str) -> Result<AccessRole, StoreError> {
    AccessRole::named(name).ok_or_else(|| impossible(table, row, format!("no role is called {name:?}")))
}

/// JSON of a column.
pub(crate) fn parse<T: DeserializeOwned>(table: &'static str, row: &dyn Display, json: &str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|why| corrupt(table, row, &why))
}

/// A count or number of a column.
pub(crate) fn unsigned(table: &'static str, row: &dyn Display, value: i64) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|_| impossible(table, row, format!("{value} is below zero")))
}

/// A time of a column.
pub(crate) fn time(table: &'static str, row: &dyn Display, ms: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(ms).map_err(|_| impossible(table, row, format!("{ms} ms is no time")))
}

/// A number for a column. Counters never get that far.
pub(crate) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
