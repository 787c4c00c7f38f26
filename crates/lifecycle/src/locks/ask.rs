//! Who gets a slot. One function decides; the store calls it in the transaction that writes what comes out.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};

use super::{GroupName, LockReason, LockSlot, SlotState};
use crate::HostName;

/// A host that has not asked for so long has lost its turn, in seconds: Zincati asks every five minutes, and one question
/// may be lost.
pub const WAITER_FRESH_S: i64 = 11 * 60;
/// Holders that are named to who waits.
const NAMED: usize = 5;

/// A host wants to be disrupted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockAsk {
    /// The host's number in the store.
    pub host: u64,
    /// Its name, for people.
    pub name: HostName,
    /// Its group.
    pub group: GroupName,
    /// What for.
    pub reason: LockReason,
    /// Whether its node is to be drained first.
    pub drains: bool,
    /// Of a cluster's server: the others.
    pub servers: Option<Servers>,
}

/// The servers of a cluster, whose majority must stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Servers {
    /// How many there are, the asker included.
    pub count: usize,
    /// Others that are down, whether or not they hold a slot.
    pub down: Vec<(u64, HostName)>,
    /// Whether the asker is down itself. Those who wait before it may be waiting for it: it goes first.
    pub asker_is_down: bool,
}

impl Servers {
    /// How many may be away at once. Of one or two none can be spared: they get their turn all the same, since the
    /// alternative is no update for ever.
    fn spare(&self) -> usize {
        (self.count.saturating_sub(1) / 2).max(1)
    }
}

/// What a decision goes by.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// Slots of the asker's group.
    pub slots: u16,
    /// Where the asker stands, in whichever group.
    pub mine: Option<&'a LockSlot>,
    /// Who else holds a slot of the group.
    pub held: &'a [LockSlot],
    /// Hosts that wait for a slot of the group, whose turn is before the asker's, and that still ask.
    pub ahead: usize,
}

/// What comes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockVerdict {
    /// Where the asker stands from now on.
    pub slot: LockSlot,
    /// Whether that is a new place or a new state, worth a line in the log.
    pub is_new: bool,
}

/// Decides. Asking again changes nothing of what is held.
#[must_use]
pub fn decide_lock(ask: &LockAsk, standing: &Standing<'_>, now: Timestamp) -> LockVerdict {
    let asks = standing.mine.map_or(0, |mine| mine.asks) + 1;
    if let Some(mine) = standing.mine.filter(|mine| mine.state.holds()) {
        // Whoever is down already need not be drained.
        let state = if ask.reason.is_down_already() {
            SlotState::Granted
        } else {
            mine.state
        };
        let slot = LockSlot {
            state,
            asked_at: now,
            asks,
            reason: ask.reason,
            note: mine.note.clone().filter(|_| state == mine.state),
            ..mine.clone()
        };
        let is_new = slot.state != mine.state || slot.reason != mine.reason;
        return LockVerdict { slot, is_new };
    }
    let place = |state, note| LockSlot {
        host: ask.host,
        name: ask.name.clone(),
        group: ask.group.clone(),
        state,
        since: now,
        asked_at: now,
        asks,
        reason: ask.reason,
        note,
    };
    let Some(why) = refusal(ask, standing) else {
        let drains = ask.drains && !ask.reason.is_down_already();
        let state = if drains {
            SlotState::Reserved
        } else {
            SlotState::Granted
        };
        return LockVerdict {
            slot: place(state, None),
            is_new: true,
        };
    };
    let waits = standing.mine.filter(|mine| mine.keeps_its_turn(ask, now));
    let slot = LockSlot {
        since: waits.map_or(now, |mine| mine.since),
        ..place(SlotState::Waiting, Some(why))
    };
    LockVerdict {
        is_new: waits.is_none(),
        slot,
    }
}

impl LockSlot {
    /// Whether this is the same wait that goes on: who did not ask for long, or asks for something else, begins anew at
    /// the end.
    #[must_use]
    pub fn keeps_its_turn(&self, ask: &LockAsk, now: Timestamp) -> bool {
        let is_fresh = now.duration_since(self.asked_at) <= SignedDuration::from_secs(WAITER_FRESH_S);
        self.state == SlotState::Waiting && self.group == ask.group && self.reason == ask.reason && is_fresh
    }
}

/// Why there is no slot for the asker now.
fn refusal(ask: &LockAsk, standing: &Standing<'_>) -> Option<String> {
    let goes_first = ask.servers.as_ref().is_some_and(|servers| servers.asker_is_down);
    let ahead = if goes_first { 0 } else { standing.ahead };
    let others: Vec<&LockSlot> = standing.held.iter().filter(|slot| slot.host != ask.host).collect();
    if let Some(servers) = &ask.servers {
        let down: Vec<&HostName> = servers
            .down
            .iter()
            .filter(|(host, _)| *host != ask.host && !others.iter().any(|slot| slot.host == *host))
            .map(|(_, name)| name)
            .collect();
        let away = others.len() + down.len();
        if away >= servers.spare() {
            let names = named(others.iter().map(|slot| &slot.name).chain(down));
            return Some(format!(
                "of {} servers {} may be away at once, and {names} {} away already",
                servers.count,
                servers.spare(),
                if away == 1 { "is" } else { "are" }
            ));
        }
        // Those who wait before it wait for the same majority.
        if away + ahead >= servers.spare() {
            return Some(turn(ahead));
        }
    }
    let slots = usize::from(standing.slots);
    if others.len() >= slots {
        let mut why = if slots == 1 {
            format!("the slot of {} is held by ", ask.group)
        } else {
            format!("all {slots} slots of {} are held, by ", ask.group)
        };
        why.push_str(&named(others.iter().map(|slot| &slot.name)));
        if ahead > 0 {
            // A String takes every write.
            let _ = write!(why, "; {}", turn(ahead));
        }
        return Some(why);
    }
    (others.len() + ahead >= slots).then(|| turn(ahead))
}

fn turn(ahead: usize) -> String {
    if ahead == 1 {
        "1 host waits before it".to_owned()
    } else {
        format!("{ahead} hosts wait before it")
    }
}

/// Some names, and how many more there are.
fn named<'a>(names: impl Iterator<Item = &'a HostName>) -> String {
    let names: Vec<&str> = names.map(HostName::as_str).collect();
    let (shown, more) = names.split_at(names.len().min(NAMED));
    match more.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
