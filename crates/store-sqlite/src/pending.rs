//! What a batch writes all at once before its commit: nothing in here can be refused by a constraint, so that it needs
//! no savepoint, and a statement for a whole batch costs little more than one for a single change.

use std::collections::BTreeMap;

use jiff::Timestamp;
use thirdboot_lifecycle::{Run, Stage, due_at};
use thirdboot_store::{Deed, HostId, HostState, LogEntry, ReportAnswer, ReportKey, StoreError};

use crate::audit;
use crate::batch::Batch;
use crate::error::{moved, unavailable};
use crate::read::json;
use crate::rows::signed;
use crate::script::Script;

/// Whoever logs an event with such a number is cut down to the caps at once: the chattier, the oftener.
const TRIM_EVERY: u64 = 256;

/// Rows, events and reports that are decided and not yet written.
#[derive(Default)]
pub(crate) struct Pending {
    rows: BTreeMap<HostId, PendingRow>,
    events: Vec<(u64, u64, String)>,
    reports: Vec<(u64, u32, String, i64, String)>,
    deeds: Vec<(String, &'static str, String, String, String, u16)>,
}

struct PendingRow {
    /// The version that stands in the database.
    stored_version: u64,
    /// What stands there of the columns that are indexed.
    stored: Indexed,
    is_observed: bool,
}

/// The columns that change with the run and are indexed. Mostly they stay as they are, and then the index does, too.
#[derive(PartialEq, Eq)]
struct Indexed {
    stage: Option<Stage>,
    is_stalled: bool,
}

impl Indexed {
    fn of(state: &HostState) -> Self {
        let run = state.run.as_ref();
        Self {
            stage: run.map(|run| run.stage),
            is_stalled: is_stalled(run),
        }
    }
}

impl Pending {
    /// Run or observed state of `before` changed.
    pub(crate) fn row(&mut self, before: &HostState, is_observed: bool) {
        let row = self.rows.entry(before.id).or_insert(PendingRow {
            stored_version: before.version,
            stored: Indexed::of(before),
            is_observed,
        });
        row.is_observed |= is_observed;
    }

    pub(crate) fn event(&mut self, number: u64, host: HostId, entry: &LogEntry) {
        self.events.push((number, host.0, json(entry)));
    }

    pub(crate) fn report(&mut self, key: &ReportKey, answer: &ReportAnswer) {
        let boot_id = key.boot_id.as_str().to_owned();
        self.reports
            .push((key.host.0, key.run.0, boot_id, key.seq.cast_signed(), json(answer)));
    }

    pub(crate) fn deed(&mut self, deed: &Deed) {
        let deed = deed.clone();
        let role = deed.role.as_str();
        self.deeds
            .push((deed.caller, role, deed.source, deed.action, deed.target, deed.status));
    }

    /// Whether the row in the database is behind.
    pub(crate) fn has_row(&self, host: HostId) -> bool {
        self.rows.contains_key(&host)
    }
}

/// Writes what is pending, in one round trip.
pub(crate) async fn flush(batch: &mut Batch<'_>) -> Result<(), StoreError> {
    let pending = std::mem::take(&mut batch.pending);
    let at_ms = batch.now.as_millisecond();
    let mut script = Script::new();
    let count = pending.rows.len() + pending.events.len() + pending.reports.len() + pending.deeds.len();
    if !pending.rows.is_empty() {
        rows(&mut script, batch, &pending.rows);
    }
    if !pending.events.is_empty() {
        script
            .add("INSERT INTO events (number, host_id, at, entry) SELECT value ->> 0, value ->> 1, ?, value ->> 2 FROM json_each(?)")
            .bind(at_ms)
            .bind(json(&pending.events));
    }
    if !pending.reports.is_empty() {
        script
            .add(
                "INSERT INTO reports (host_id, run, boot_id, seq, at, answer) SELECT value ->> 0, value ->> 1, \
                 value ->> 2, value ->> 3, ?, value ->> 4 FROM json_each(?)",
            )
            .bind(at_ms)
            .bind(json(&pending.reports));
    }
    if !pending.deeds.is_empty() {
        audit::write(&mut script, at_ms, json(&pending.deeds));
    }
    if script.is_empty() {
        return Ok(());
    }
    let written = script
        .run(batch.connection)
        .await
        .map_err(|error| unavailable(&error))?;
    if usize::try_from(written) != Ok(count) {
        return Err(moved());
    }
    for (_, host, _) in pending.events.iter().filter(|(number, ..)| number % TRIM_EVERY == 0) {
        trim(batch, *host).await?;
    }
    Ok(())
}

/// Each row guarded by its version. Those whose indexed columns stay are written by a statement that does not name them:
/// SQLite would take them out of the index and put them in again.
fn rows(script: &mut Script, batch: &Batch<'_>, rows: &BTreeMap<HostId, PendingRow>) {
    let (mut moved, mut stayed) = (Vec::new(), Vec::new());
    for (id, row) in rows {
        let Some(state) = batch.hosts.get(id) else { continue };
        let run = state.run.as_ref();
        let observed = state.observed.as_ref().filter(|_| row.is_observed);
        let indexed = Indexed::of(state);
        let list = if indexed == row.stored { &mut stayed } else { &mut moved };
        list.push((
            id.0,
            row.stored_version,
            state.version,
            indexed.stage.map(Stage::as_str),
            indexed.is_stalled,
            due_ms(batch, run),
            run.map(json),
            observed.map(json),
        ));
    }
    if !moved.is_empty() {
        script
            .add(
                "UPDATE hosts SET version = n.value ->> 2, stage = n.value ->> 3, stalled = n.value ->> 4, \
                 due_at = n.value ->> 5, run = coalesce(n.value ->> 6, run), \
                 observed = coalesce(n.value ->> 7, observed) FROM json_each(?) AS n \
                 WHERE hosts.id = n.value ->> 0 AND hosts.version = n.value ->> 1",
            )
            .bind(json(&moved));
    }
    if !stayed.is_empty() {
        script
            .add(
                "UPDATE hosts SET version = n.value ->> 2, due_at = n.value ->> 5, run = coalesce(n.value ->> 6, run), \
                 observed = coalesce(n.value ->> 7, observed) FROM json_each(?) AS n \
                 WHERE hosts.id = n.value ->> 0 AND hosts.version = n.value ->> 1",
            )
            .bind(json(&stayed));
    }
}

/// Whether `run` is under way and past its stage's deadline.
pub(crate) fn is_stalled(run: Option<&Run>) -> bool {
    run.is_some_and(|run| run.stalled_since.is_some() && !run.stage.is_end())
}

/// When the reconciler must look at `run`.
pub(crate) fn due_ms(batch: &Batch<'_>, run: Option<&Run>) -> Option<i64> {
    run.and_then(|run| due_at(run, &batch.timing.stages))
        .map(Timestamp::as_millisecond)
}

/// Between two prunings a chatty host must not fill the disk.
async fn trim(batch: &mut Batch<'_>, host: u64) -> Result<(), StoreError> {
    let mut script = Script::new();
    for statement in [
        "DELETE FROM events WHERE host_id = ? AND number <= \
         (SELECT number FROM events WHERE host_id = ? ORDER BY number DESC LIMIT 1 OFFSET ?)",
        "DELETE FROM reports WHERE host_id = ? AND at < \
         (SELECT at FROM reports WHERE host_id = ? ORDER BY at DESC LIMIT 1 OFFSET ?)",
    ] {
        script
            .add(statement)
            .bind(signed(host))
            .bind(signed(host))
            .bind(i64::from(batch.limits.events_per_host));
    }
    script
        .run(batch.connection)
        .await
        .map(|_| ())
        .map_err(|error| unavailable(&error))
}
