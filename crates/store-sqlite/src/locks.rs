//! Reboot locks: a row for each host that ever asked. The writer decides and writes in one transaction, so that no two
//! hosts are ever given one slot.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use sqlx::{Sqlite, SqliteExecutor};
use thirdboot_lifecycle::{
    GroupName, GroupSettings, LockAsk, LockReason, LockSlot, LockVerdict, SlotState, Standing, WAITER_FRESH_S,
    decide_lock,
};
use thirdboot_store::{Actor, HostId, LockChange, LockOutcome, Locks, LogEntry, StoreError, Versioned};

use crate::SqliteStore;
use crate::batch::Batch;
use crate::error::{impossible, unavailable};
use crate::job::{Held, Job};
use crate::lock_groups::{self, PutGroup};
use crate::read::json;
use crate::rows::{parse, signed, time, unsigned};
use crate::script::Script;

/// Columns of a place, with the host's name as it is now.
macro_rules! places {
    ($rest:literal) => {
        concat!(
            "SELECT host_id, hosts.name, group_name, state, since, asked_at, asks, reason, note \
             FROM lock_slots JOIN hosts ON hosts.id = host_id ",
            $rest
        )
    };
}

#[derive(sqlx::FromRow)]
struct PlaceRow {
    host_id: i64,
    name: String,
    group_name: String,
    state: String,
    since: i64,
    asked_at: i64,
    asks: i64,
    reason: String,
    note: Option<String>,
}

/// The index of places leaves out the released ones, and is taken only by a query that says so.
const TABLE: &str = "lock_slots";

impl TryFrom<PlaceRow> for LockSlot {
    type Error = StoreError;

    fn try_from(row: PlaceRow) -> Result<Self, StoreError> {
        let at = &row.host_id;
        let no = |why: &'static str| impossible(TABLE, at, why);
        Ok(Self {
            host: unsigned(TABLE, at, row.host_id)?,
            name: row.name.parse().map_err(|_| no("its host has no name"))?,
            group: row.group_name.parse().map_err(|_| no("it is in no group"))?,
            state: SlotState::named(&row.state).ok_or_else(|| no("it is in no state"))?,
            since: time(TABLE, at, row.since)?,
            asked_at: time(TABLE, at, row.asked_at)?,
            asks: unsigned(TABLE, at, row.asks)?,
            reason: parse(TABLE, at, &row.reason)?,
            note: row.note,
        })
    }
}

/// Does a job of this room; the others are none of its business.
pub(crate) async fn work(batch: &mut Batch<'_>, job: Job) -> Result<Held, (Job, StoreError)> {
    match job {
        Job::ChangeLock(wanted, reply) => match change(batch, &wanted).await {
            Ok(outcome) => Ok(Held::new(reply, Ok(outcome))),
            Err(error @ StoreError::Unavailable(_)) => Err((Job::ChangeLock(wanted, reply), error)),
            // Nothing was written before the row was read.
            Err(error) => Ok(Held::new(reply, Err(error))),
        },
        Job::PutLockGroup(wanted, reply) => match lock_groups::put(batch, &wanted).await {
            Ok(version) => Ok(Held::new(reply, Ok(version))),
            Err(error @ StoreError::Unavailable(_)) => Err((Job::PutLockGroup(wanted, reply), error)),
            // Nothing was written before the row was read.
            Err(error) => Ok(Held::new(reply, Err(error))),
        },
        other => Err((other, StoreError::Unavailable("a job in the wrong room".to_owned()))),
    }
}

/// Carries it out.
async fn change(batch: &mut Batch<'_>, change: &LockChange) -> Result<LockOutcome, StoreError> {
    match change {
        LockChange::Ask(ask) => asked(batch, ask).await,
        LockChange::Drained { host, since } => {
            let granted = |slot: &mut LockSlot, _| {
                slot.state = SlotState::Granted;
                slot.note = None;
            };
            moved(batch, *host, is_reserved(*since), granted, &Actor::Server).await
        }
        LockChange::DrainGivenUp { host, since, why } => {
            let back = |slot: &mut LockSlot, now| {
                slot.state = SlotState::Waiting;
                slot.since = now;
                slot.note = Some(why.clone());
            };
            moved(batch, *host, is_reserved(*since), back, &Actor::Server).await
        }
        LockChange::Note { host, note } => {
            let Some(mut slot) = of(&mut *batch.connection, *host).await? else {
                return Ok(NOWHERE);
            };
            if slot.note != *note && slot.state != SlotState::Released {
                slot.note.clone_from(note);
                write(batch, &slot).await?;
            }
            Ok(stays(slot))
        }
        LockChange::Release { host, if_asks, by, why } => {
            let is_meant =
                |slot: &LockSlot| slot.state != SlotState::Released && if_asks.is_none_or(|asks| asks == slot.asks);
            let release = |slot: &mut LockSlot, now| {
                slot.state = SlotState::Released;
                slot.since = now;
                slot.note = Some(why.clone());
            };
            moved(batch, *host, is_meant, release, by).await
        }
        LockChange::Forget { before } => {
            let mut script = Script::new();
            script
                .add("UPDATE lock_slots SET state = 'released', note = 'it asked no more' WHERE state <> 'released' AND state = 'waiting' AND asked_at < ?")
                .bind(before.as_millisecond());
            run(batch, script).await?;
            Ok(NOWHERE)
        }
    }
}

const NOWHERE: LockOutcome = LockOutcome {
    slot: None,
    is_new: false,
};

fn stays(slot: LockSlot) -> LockOutcome {
    LockOutcome {
        slot: Some(slot),
        is_new: false,
    }
}

fn is_reserved(since: Timestamp) -> impl FnOnce(&LockSlot) -> bool {
    move |slot| slot.state == SlotState::Reserved && slot.since == since
}

async fn asked(batch: &mut Batch<'_>, ask: &LockAsk) -> Result<LockOutcome, StoreError> {
    let host = HostId(ask.host);
    let is_there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM hosts WHERE id = ?)")
        .bind(signed(ask.host))
        .fetch_one(&mut *batch.connection)
        .await
        .map_err(|error| unavailable(&error))?;
    if !is_there {
        return Ok(NOWHERE);
    }
    let settings = lock_groups::settings(&mut *batch.connection, &ask.group).await?.value;
    let mine = of(&mut *batch.connection, host).await?;
    let held = places(
        sqlx::query_as(places!(
            "WHERE group_name = ? AND state <> 'released' AND state IN ('reserved', 'granted') AND host_id <> ?"
        ))
        .bind(ask.group.as_str())
        .bind(signed(ask.host))
        .fetch_all(&mut *batch.connection)
        .await,
    )?;
    let ahead = ahead(batch, ask, mine.as_ref()).await?;
    let standing = Standing {
        slots: settings.slots,
        mine: mine.as_ref(),
        held: &held,
        ahead,
    };
    let LockVerdict { slot, is_new } = decide_lock(ask, &standing, batch.now);
    write(batch, &slot).await?;
    if is_new {
        log(batch, &slot, &Actor::Host);
    }
    Ok(LockOutcome {
        slot: Some(slot),
        is_new,
    })
}

/// Hosts whose turn is before this one's, and that still ask. Nobody waits behind what they asked for before.
async fn ahead(batch: &mut Batch<'_>, ask: &LockAsk, mine: Option<&LockSlot>) -> Result<usize, StoreError> {
    let waits = mine.filter(|mine| mine.keeps_its_turn(ask, batch.now));
    let since = waits.map_or(batch.now, |mine| mine.since);
    let fresh = batch
        .now
        .saturating_sub(SignedDuration::from_secs(WAITER_FRESH_S))
        .unwrap_or(Timestamp::MIN);
    let count: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM lock_slots WHERE group_name = ? AND host_id <> ? AND state <> 'released' AND state = 'waiting' \
         AND asked_at >= ? AND (turn, since, host_id) < (?, ?, ?)",
    )
    .bind(ask.group.as_str())
    .bind(signed(ask.host))
    .bind(fresh.as_millisecond())
    .bind(turn(ask.reason))
    .bind(since.as_millisecond())
    .bind(signed(ask.host))
    .fetch_one(&mut *batch.connection)
    .await
    .map_err(|error| unavailable(&error))?;
    usize::try_from(count).map_err(|_| impossible(TABLE, &count, "a count below nothing"))
}

fn turn(reason: LockReason) -> i64 {
    i64::from(!reason.is_down_already())
}

/// Moves a host's place, if it is as it should be.
async fn moved(
    batch: &mut Batch<'_>,
    host: HostId,
    is_meant: impl FnOnce(&LockSlot) -> bool,
    change: impl FnOnce(&mut LockSlot, Timestamp),
    by: &Actor,
) -> Result<LockOutcome, StoreError> {
    let Some(mut slot) = of(&mut *batch.connection, host).await? else {
        return Ok(NOWHERE);
    };
    if !is_meant(&slot) {
        return Ok(stays(slot));
    }
    change(&mut slot, batch.now);
    write(batch, &slot).await?;
    log(batch, &slot, by);
    Ok(LockOutcome {
        slot: Some(slot),
        is_new: true,
    })
}

async fn write(batch: &mut Batch<'_>, slot: &LockSlot) -> Result<(), StoreError> {
    let mut script = Script::new();
    script
        .add(
            "INSERT INTO lock_slots (host_id, group_name, state, turn, since, asked_at, asks, reason, note) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (host_id) DO UPDATE SET group_name = excluded.group_name, \
             state = excluded.state, turn = excluded.turn, since = excluded.since, asked_at = excluded.asked_at, \
             asks = excluded.asks, reason = excluded.reason, note = excluded.note",
        )
        .bind(signed(slot.host))
        .bind(slot.group.to_string())
        .bind(slot.state.as_str())
        .bind(turn(slot.reason))
        .bind(slot.since.as_millisecond())
        .bind(slot.asked_at.as_millisecond())
        .bind(signed(slot.asks))
        .bind(json(&slot.reason))
        .bind(slot.note.clone());
    run(batch, script).await
}

async fn run(batch: &mut Batch<'_>, script: Script) -> Result<(), StoreError> {
    script
        .run(batch.connection)
        .await
        .map(|_| ())
        .map_err(|error| unavailable(&error))
}

/// A line in the host's log.
fn log(batch: &mut Batch<'_>, slot: &LockSlot, by: &Actor) {
    let message = match &slot.note {
        Some(note) => format!("{}, for {}: {note}", slot.group, slot.reason),
        None => format!("{}, for {}", slot.group, slot.reason),
    };
    let entry = LogEntry {
        event: format!("lock-{}", slot.state.as_str()),
        by: by.clone(),
        run: None,
        stage: None,
        refused: None,
        report: None,
        message: Some(message),
        log: None,
    };
    batch.meta.last_event += 1;
    batch.pending.event(batch.meta.last_event, HostId(slot.host), &entry);
}

async fn of(on: impl SqliteExecutor<'_, Database = Sqlite>, host: HostId) -> Result<Option<LockSlot>, StoreError> {
    let rows = sqlx::query_as(places!("WHERE host_id = ?")).bind(signed(host.0));
    Ok(places(rows.fetch_all(on).await)?.pop())
}

fn places(rows: Result<Vec<PlaceRow>, sqlx::Error>) -> Result<Vec<LockSlot>, StoreError> {
    let rows = rows.map_err(|error| unavailable(&error))?;
    rows.into_iter().map(TryInto::try_into).collect()
}

#[async_trait]
impl Locks for SqliteStore {
    async fn change_lock(&self, change: LockChange) -> Result<LockOutcome, StoreError> {
        self.ask(|reply| Job::ChangeLock(Box::new(change), reply)).await
    }

    async fn locks(&self) -> Result<Vec<LockSlot>, StoreError> {
        places(
            sqlx::query_as(places!(
                "WHERE state <> 'released' ORDER BY group_name, state = 'waiting', turn, since, host_id"
            ))
            .fetch_all(&self.readers)
            .await,
        )
    }

    async fn lock_of(&self, host: HostId) -> Result<Option<LockSlot>, StoreError> {
        of(&self.readers, host).await
    }

    async fn lock_groups(&self) -> Result<Vec<(GroupName, Versioned<GroupSettings>)>, StoreError> {
        lock_groups::all(&self.readers).await
    }

    async fn lock_group(&self, name: &GroupName) -> Result<Versioned<GroupSettings>, StoreError> {
        lock_groups::settings(&self.readers, name).await
    }

    async fn put_lock_group(
        &self,
        name: &GroupName,
        settings: Option<GroupSettings>,
        seen: &GroupSettings,
    ) -> Result<Option<u64>, StoreError> {
        let wanted = PutGroup {
            name: name.clone(),
            settings,
            seen: seen.clone(),
        };
        self.ask(|reply| Job::PutLockGroup(Box::new(wanted), reply)).await
    }
}
