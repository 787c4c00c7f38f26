//! A change becomes statements.

use thirdboot_lifecycle::{Host, Run, due_at};
use thirdboot_store::{Change, HostState, LogEntry, ReportKey};

use crate::batch::Batch;
use crate::read::{json, keys_of};
use crate::reports;
use crate::rows::signed;
use crate::script::Script;

/// Whoever logs an event with such a number is cut down to the caps at once: the chattier, the oftener.
const TRIM_EVERY: u64 = 256;

/// Adds what `change` does to `state`.
pub(crate) fn write(
    script: &mut Script,
    batch: &Batch<'_>,
    state: &HostState,
    change: &Change,
    key: Option<&ReportKey>,
) {
    let id = signed(state.id.0);
    if change.host.is_some() || change.run.is_some() || change.observed.is_some() {
        row(script, batch, state, change);
    }
    if let Some(host) = &change.host {
        identifiers(script, id, &state.host, host);
    }
    if let (Some(before), Some(now)) = (&state.run, &change.run)
        && before.number != now.number
    {
        script
            .add("INSERT INTO runs (host_id, number, run) VALUES (?, ?, ?)")
            .bind(id)
            .bind(i64::from(before.number.0))
            .bind(json(before));
    }
    documents(script, id, state, change);
    for (number, entry) in (batch.meta.last_event + 1..).zip(&change.log) {
        event(script, number, id, batch.now.as_millisecond(), entry);
        if number % TRIM_EVERY == 0 {
            trim(script, batch, id);
        }
    }
    if let (Some(key), Some(answer)) = (key, &change.report_answer) {
        reports::keep(script, key, batch.now.as_millisecond(), answer);
    }
}

/// The row, guarded by its version: another version breaks NOT NULL, and with it the whole script.
fn row(script: &mut Script, batch: &Batch<'_>, state: &HostState, change: &Change) {
    let run = change.run.as_ref().or(state.run.as_ref());
    script
        .add(
            "UPDATE hosts SET version = iif(version = ?, version + 1, NULL), stage = ?, due_at = ?, \
             name = coalesce(?, name), host = coalesce(?, host), run = coalesce(?, run), \
             observed = coalesce(?, observed) WHERE id = ?",
        )
        .bind(signed(state.version))
        .bind(run.map(|run| run.stage.as_str()))
        .bind(due_ms(batch, run))
        .bind(change.host.as_ref().map(|host| host.name.as_str()))
        .bind(change.host.as_ref().map(json))
        .bind(change.run.as_ref().map(json))
        .bind(change.observed.as_ref().map(json))
        .bind(signed(state.id.0));
}

fn due_ms(batch: &Batch<'_>, run: Option<&Run>) -> Option<i64> {
    run.and_then(|run| due_at(run, batch.deadlines))
        .map(|at| at.as_millisecond())
}

fn identifiers(script: &mut Script, id: i64, before: &Host, now: &Host) {
    let (old, new) = (keys_of(before), keys_of(now));
    if old == new {
        return;
    }
    script.add("DELETE FROM identifiers WHERE host_id = ?").bind(id);
    script
        .add("INSERT INTO identifiers (kind, value, host_id) SELECT value ->> 0, value ->> 1, ? FROM json_each(?)")
        .bind(id)
        .bind(json(&new));
}

fn documents(script: &mut Script, id: i64, state: &HostState, change: &Change) {
    if change.documents.is_some() || change.forget_documents {
        script.add("DELETE FROM documents WHERE host_id = ?").bind(id);
    }
    let run = change.run.as_ref().or(state.run.as_ref()).map_or(0, |run| run.number.0);
    for document in change.documents.iter().flatten() {
        script
            .add("INSERT INTO documents (host_id, kind, run, sha512, sealed) VALUES (?, ?, ?, ?, ?)")
            .bind(id)
            .bind(document.kind.as_str())
            .bind(i64::from(run))
            .bind(document.sha512.clone())
            .bind(document.sealed.clone());
    }
}

/// Between two prunings a chatty host must not fill the disk.
fn trim(script: &mut Script, batch: &Batch<'_>, id: i64) {
    let keep = i64::from(batch.limits.events_per_host);
    script
        .add(
            "DELETE FROM events WHERE host_id = ? AND number <= \
             (SELECT number FROM events WHERE host_id = ? ORDER BY number DESC LIMIT 1 OFFSET ?)",
        )
        .bind(id)
        .bind(id)
        .bind(keep);
    script
        .add(
            "DELETE FROM reports WHERE host_id = ? AND at < \
             (SELECT at FROM reports WHERE host_id = ? ORDER BY at DESC LIMIT 1 OFFSET ?)",
        )
        .bind(id)
        .bind(id)
        .bind(keep);
}

/// Adds the statement that logs an event.
fn event(script: &mut Script, number: u64, host: i64, at_ms: i64, entry: &LogEntry) {
    script
        .add("INSERT INTO events (number, host_id, at, entry) VALUES (?, ?, ?, ?)")
        .bind(signed(number))
        .bind(host)
        .bind(at_ms)
        .bind(json(entry));
}

/// The host as it is after `change`.
pub(crate) fn changed(state: HostState, change: Change) -> HostState {
    let touched = change.host.is_some() || change.run.is_some() || change.observed.is_some();
    HostState {
        id: state.id,
        version: state.version + u64::from(touched),
        host: change.host.unwrap_or(state.host),
        run: change.run.or(state.run),
        observed: change.observed.or(state.observed),
    }
}
