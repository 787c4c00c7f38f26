//! A change of more than a host's run, written at once and within a savepoint: another host may own what it asks for.

use thirdboot_lifecycle::Host;
use thirdboot_store::{Change, DocumentKind, HostState, StoreError};

use crate::addresses;
use crate::batch::Batch;
use crate::error::{is_moved, is_unique_violation, moved, unavailable};
use crate::hosts;
use crate::pending::{due_ms, is_stalled};
use crate::read::{json, keys_of};
use crate::rows::signed;
use crate::script::Script;
use crate::search;
use crate::templates;

/// Whether `change` writes more than the row's run and observed state, events and a report.
pub(crate) fn can_be_refused(state: &HostState, change: &Change) -> bool {
    change.host.is_some() || change.documents.is_some() || change.forget_documents || begins_run(state, change)
}

/// Whether the host's row changes, and with it its version.
pub(crate) fn touches_row(change: &Change) -> bool {
    change.host.is_some() || change.run.is_some() || change.observed.is_some()
}

fn begins_run(state: &HostState, change: &Change) -> bool {
    matches!((&state.run, &change.run), (Some(before), Some(now)) if before.number != now.number)
}

/// Writes row, identifiers, earlier run and documents. An inner error is this change's alone.
pub(crate) async fn write(
    batch: &mut Batch<'_>,
    state: &HostState,
    change: &Change,
) -> Result<Result<(), StoreError>, StoreError> {
    let id = signed(state.id.0);
    let mut script = Script::new();
    if touches_row(change) {
        row(&mut script, batch, state, change);
    }
    if let Some(host) = &change.host {
        identifiers(&mut script, id, &state.host, host);
        let of_cluster = addresses::of_cluster(batch, host).await?;
        addresses::replace(&mut script, id, &state.host, host, of_cluster.as_ref());
    }
    if let Some(before) = state.run.as_ref().filter(|_| begins_run(state, change)) {
        script
            .add("INSERT INTO runs (host_id, number, run) VALUES (?, ?, ?)")
            .bind(id)
            .bind(i64::from(before.number.0))
            .bind(json(before));
    }
    documents(&mut script, id, state, change);
    let Err(error) = batch.write([script]).await? else {
        return Ok(Ok(()));
    };
    Ok(Err(match &change.host {
        _ if is_moved(&error) => moved(),
        Some(host) if is_unique_violation(&error) => hosts::taken(batch, Some(state.id), host)
            .await?
            .unwrap_or_else(|| unavailable(&error)),
        _ => unavailable(&error),
    }))
}

/// The row, guarded by its version: another version breaks NOT NULL, and with it the whole script.
fn row(script: &mut Script, batch: &Batch<'_>, state: &HostState, change: &Change) {
    let run = change.run.as_ref().or(state.run.as_ref());
    script
        .add(
            "UPDATE hosts SET version = iif(version = ?, version + 1, NULL), stage = ?, stalled = ?, due_at = ?, \
             name = coalesce(?, name), host = coalesce(?, host), search = coalesce(?, search), \
             labels = coalesce(?, labels), run = coalesce(?, run), observed = coalesce(?, observed) WHERE id = ?",
        )
        .bind(signed(state.version))
        .bind(run.map(|run| run.stage.as_str()))
        .bind(is_stalled(run))
        .bind(due_ms(batch, run))
        .bind(change.host.as_ref().map(|host| host.name.as_str()))
        .bind(change.host.as_ref().map(json))
        .bind(change.host.as_ref().map(search::text))
        .bind(change.host.as_ref().map(search::labels))
        .bind(change.run.as_ref().map(json))
        .bind(change.observed.as_ref().map(json))
        .bind(signed(state.id.0));
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
    let run = change.run.as_ref().or(state.run.as_ref());
    if let Some(ended) = run.filter(|_| change.forget_documents) {
        templates::settle_installed(script, id, ended);
    }
    let run = run.map_or(0, |run| run.number.0);
    for document in change.documents.iter().flatten() {
        if document.kind == DocumentKind::Installed {
            templates::keep_installed(script, id, run, document);
            continue;
        }
        script
            .add("INSERT INTO documents (host_id, kind, run, sha512, sealed) VALUES (?, ?, ?, ?, ?)")
            .bind(id)
            .bind(document.kind.as_str())
            .bind(i64::from(run))
            .bind(document.sha512.clone())
            .bind(document.sealed.clone());
    }
}

/// Removes the host and all that is kept of it. Tables of other rooms that refer to it do so with ON DELETE CASCADE.
pub(crate) async fn remove(batch: &mut Batch<'_>, state: HostState) -> Result<Result<(), StoreError>, StoreError> {
    let mut script = Script::new();
    for statement in [
        "DELETE FROM reports WHERE host_id = ?",
        "DELETE FROM events WHERE host_id = ?",
        "DELETE FROM documents WHERE host_id = ?",
        "DELETE FROM runs WHERE host_id = ?",
        "DELETE FROM identifiers WHERE host_id = ?",
        "DELETE FROM hosts WHERE id = ?",
    ] {
        script.add(statement).bind(signed(state.id.0));
    }
    let written = batch.write([script]).await?.map_err(|error| unavailable(&error));
    if written.is_err() {
        batch.hosts.insert(state.id, state);
    }
    Ok(written)
}

/// The host as it is after `change`.
pub(crate) fn changed(state: HostState, change: Change) -> HostState {
    HostState {
        id: state.id,
        version: state.version + u64::from(touches_row(&change)),
        host: change.host.unwrap_or(state.host),
        run: change.run.or(state.run),
        observed: change.observed.or(state.observed),
    }
}
