//! Whether a database is what this version would have written. Reads only, beside a server or without one.

use std::collections::BTreeSet;

use sqlx::Connection as _;
use sqlx::sqlite::SqliteConnection;
use thirdboot_lifecycle::{Run, Stage};
use thirdboot_store::{HostState, LoggedEvent, ReportAnswer, StoreError, Token, UnknownMachine};

use super::{MaintenanceError, failed, reader};
use crate::OpenOptions;
use crate::epoch;
use crate::meta::{self, Meta};
use crate::read::{Key, keys_of};
use crate::rows::{EventRow, HostRow, RunRow, TokenRow, UnknownRow, parse};
use crate::schema::Schema;

/// Rows that are held in memory at once.
const AT_ONCE: i64 = 500;
/// Problems that are named; more of them tell nothing more.
const MAX_NAMED: usize = 100;

/// What was looked at, and what is wrong with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// Hosts that were looked at.
    pub hosts: u64,
    /// Its migrations.
    pub schema: Schema,
    /// What should not be.
    pub problems: Vec<String>,
    /// What is well and worth knowing.
    pub notices: Vec<String>,
}

impl Checked {
    fn problem(&mut self, what: impl Into<String>) {
        if self.problems.len() < MAX_NAMED {
            self.problems.push(what.into());
        }
    }

    fn sound<T>(&mut self, read: Result<T, StoreError>) -> Option<T> {
        read.map_err(|error| self.problem(error.to_string())).ok()
    }
}

/// Looks at everything in the database, and at the epoch file beside the master key.
///
/// # Errors
/// When it cannot be read at all, or a newer version wrote it.
pub async fn check(options: &OpenOptions) -> Result<Checked, MaintenanceError> {
    let mut connection = reader(&options.db_path).await?;
    let mut checked = Checked {
        schema: Schema::of(&mut connection).await?,
        ..Checked::default()
    };
    checked.schema.refuse_newer()?;
    if !checked.schema.missing.is_empty() {
        checked.notices.push(format!(
            "migrations are missing and applied at the next start: {:?}",
            checked.schema.missing
        ));
    }
    // One moment, whatever a server does meanwhile.
    let mut moment = connection.begin().await.map_err(|error| failed(&error))?;
    let looked = look(&mut moment, options, &mut checked).await;
    drop(moment.rollback().await);
    drop(connection.close().await);
    looked.map_err(|error| failed(&error))?;
    Ok(checked)
}

async fn look(on: &mut SqliteConnection, options: &OpenOptions, checked: &mut Checked) -> Result<(), sqlx::Error> {
    let verdicts: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(20)")
        .fetch_all(&mut *on)
        .await?;
    for verdict in verdicts.into_iter().filter(|verdict| verdict != "ok") {
        checked.problem(format!("SQLite: {verdict}"));
    }
    let orphans: Vec<(String, Option<i64>, String)> =
        sqlx::query_as(r#"SELECT "table", rowid, parent FROM pragma_foreign_key_check"#)
            .fetch_all(&mut *on)
            .await?;
    for (table, row, parent) in orphans {
        let row = row.map_or_else(String::new, |row| format!(" row {row}"));
        checked.problem(format!("{table}{row} belongs to no row of {parent}"));
    }
    epochs(on, options, checked).await?;
    hosts(on, checked).await?;
    rest(on, checked).await
}

async fn epochs(on: &mut SqliteConnection, options: &OpenOptions, checked: &mut Checked) -> Result<(), sqlx::Error> {
    let Some(row) = meta::load(&mut *on).await? else {
        checked.notices.push("the database was never opened by a server".into());
        return Ok(());
    };
    let Some(meta) = checked.sound(Meta::try_from(row)) else {
        return Ok(());
    };
    let (last_host, last_event): (Option<i64>, Option<i64>) =
        sqlx::query_as("SELECT (SELECT max(id) FROM hosts), (SELECT max(number) FROM events)")
            .fetch_one(&mut *on)
            .await?;
    for (name, counted, highest) in [
        ("last_host", meta.mark.last_host, last_host),
        ("last_event", meta.last_event, last_event),
    ] {
        if highest.is_some_and(|highest| u64::try_from(highest).is_ok_and(|highest| highest > counted)) {
            checked.problem(format!(
                "meta says {name} {counted}, and there is a row with a higher number"
            ));
        }
    }
    let ahead = meta.last_time.duration_since(options.clock.now()).as_secs();
    if ahead > 60 {
        checked.problem(format!(
            "the last stored time is {ahead} s ahead of the clock: until then the server's time stands still"
        ));
    }
    match epoch::read(&options.epoch_path) {
        Ok(file) if meta.mark.continues(file.as_ref()) => {}
        Ok(None) => checked
            .notices
            .push("there is no epoch file: the next start takes back every open permit".into()),
        Ok(Some(_)) => checked.notices.push(
            "the epoch file belongs to another database or a later state of this one: the next start takes back every open permit"
                .into(),
        ),
        Err(error) => checked.problem(error.to_string()),
    }
    Ok(())
}

async fn hosts(on: &mut SqliteConnection, checked: &mut Checked) -> Result<(), sqlx::Error> {
    let mut last = 0;
    loop {
        let rows: Vec<HostRow> =
            sqlx::query_as("SELECT id, version, host, run, observed FROM hosts WHERE id > ? ORDER BY id LIMIT ?")
                .bind(last)
                .bind(AT_ONCE)
                .fetch_all(&mut *on)
                .await?;
        let Some(end) = rows.last() else { return Ok(()) };
        last = end.id;
        for row in rows {
            checked.hosts += 1;
            let id = row.id;
            if let Some(state) = checked.sound(HostState::try_from(row)) {
                host(on, id, &state, checked).await?;
            }
        }
    }
}

/// Columns that repeat what the JSON says, and what belongs to the host elsewhere.
async fn host(on: &mut SqliteConnection, id: i64, state: &HostState, checked: &mut Checked) -> Result<(), sqlx::Error> {
    let name = &state.host.name;
    let (column_name, column_stage): (String, Option<String>) =
        sqlx::query_as("SELECT name, stage FROM hosts WHERE id = ?")
            .bind(id)
            .fetch_one(&mut *on)
            .await?;
    if column_name != name.as_str() {
        checked.problem(format!("host {id} is called {name} and found as {column_name}"));
    }
    let of_run = state.run.as_ref().map(|run| run.stage.as_str());
    if column_stage.as_deref() != of_run {
        checked.problem(format!("{name}: its row and its run disagree about the stage"));
    }
    let kept: Vec<(String, String)> =
        sqlx::query_as("SELECT kind, value FROM identifiers WHERE host_id = ? ORDER BY kind, value")
            .bind(id)
            .fetch_all(&mut *on)
            .await?;
    let owned: BTreeSet<Key> = keys_of(&state.host).into_iter().collect();
    let is_same = kept.len() == owned.len()
        && kept
            .iter()
            .all(|(kind, value)| owned.iter().any(|(k, v)| k == kind && v == value));
    if !is_same {
        checked.problem(format!(
            "{name}: the list of identifiers is not what its description says"
        ));
    }
    let documents: Vec<i64> = sqlx::query_scalar("SELECT run FROM documents WHERE host_id = ?")
        .bind(id)
        .fetch_all(&mut *on)
        .await?;
    let served = state.run.as_ref().filter(|run| serves(run));
    match served {
        Some(run) if documents.is_empty() => {
            checked.problem(format!("{name}: run {} has nothing to be served", run.number));
        }
        Some(run) if documents.iter().any(|number| *number != i64::from(run.number.0)) => {
            checked.problem(format!("{name}: its documents are not of run {}", run.number));
        }
        None if !documents.is_empty() => checked.problem(format!("{name}: documents of a run that is served no more")),
        _ => {}
    }
    Ok(())
}

fn serves(run: &Run) -> bool {
    matches!(
        run.stage,
        Stage::Armed | Stage::Netbooting | Stage::Live | Stage::Installing
    )
}

async fn rest(on: &mut SqliteConnection, checked: &mut Checked) -> Result<(), sqlx::Error> {
    let mut last = 0_i64;
    loop {
        let rows: Vec<EventRow> =
            sqlx::query_as("SELECT number, host_id, at, entry FROM events WHERE number > ? ORDER BY number LIMIT ?")
                .bind(last)
                .bind(AT_ONCE)
                .fetch_all(&mut *on)
                .await?;
        let Some(end) = rows.last() else { break };
        last = end.number;
        for row in rows {
            checked.sound(LoggedEvent::try_from(row));
        }
    }
    let runs: Vec<RunRow> = sqlx::query_as("SELECT host_id, run FROM runs")
        .fetch_all(&mut *on)
        .await?;
    for row in runs {
        checked.sound(Run::try_from(row));
    }
    let mut last = (0_i64, 0_i64, String::new(), i64::MIN);
    loop {
        let rows: Vec<(i64, i64, String, i64, String)> = sqlx::query_as(
            "SELECT host_id, run, boot_id, seq, answer FROM reports WHERE (host_id, run, boot_id, seq) > (?, ?, ?, ?) \
             ORDER BY host_id, run, boot_id, seq LIMIT ?",
        )
        .bind(last.0)
        .bind(last.1)
        .bind(last.2.clone())
        .bind(last.3)
        .bind(AT_ONCE)
        .fetch_all(&mut *on)
        .await?;
        let Some((host, run, boot, seq, _)) = rows.last() else {
            break;
        };
        last = (*host, *run, boot.clone(), *seq);
        for (host, run, boot, seq, answer) in &rows {
            let row = format!("{host}/{run}/{boot}/{seq}");
            checked.sound(parse::<ReportAnswer>("reports", &row, answer));
        }
    }
    let machines: Vec<UnknownRow> =
        sqlx::query_as("SELECT id, identity, source, said, why, first_seen, last_seen, count FROM unknown_machines")
            .fetch_all(&mut *on)
            .await?;
    for row in machines {
        checked.sound(UnknownMachine::try_from(row));
    }
    let tokens: Vec<TokenRow> = sqlx::query_as("SELECT name, role, sha256, created_at FROM tokens")
        .fetch_all(&mut *on)
        .await?;
    for row in tokens {
        checked.sound(Token::try_from(row));
    }
    Ok(())
}
