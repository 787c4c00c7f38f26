//! Whatever happens in whatever order, there are never more hosts away than slots.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::{HostName, Role, RunNumber};

fn name(host: u64) -> HostName {
    format!("h{host}").parse().unwrap()
}

fn group() -> GroupName {
    GroupName::of(None, Role::Agent)
}

/// The places of a group's hosts, as a store keeps them.
#[derive(Default)]
struct Places {
    slots: u16,
    hosts: BTreeMap<u64, LockSlot>,
    now: Timestamp,
    servers: Option<usize>,
    drains: bool,
    /// Hosts that were told to go ahead and have not come back.
    away: BTreeSet<u64>,
}

impl Places {
    fn new(slots: u16) -> Self {
        Self {
            slots,
            now: Timestamp::from_second(1_800_000_000).unwrap(),
            ..Self::default()
        }
    }

    fn pass(&mut self, seconds: i64) {
        self.now = self.now.saturating_add(SignedDuration::from_secs(seconds)).unwrap();
    }

    fn held(&self) -> Vec<LockSlot> {
        let held = self.hosts.values().filter(|slot| slot.state.holds());
        held.cloned().collect()
    }

    fn ask_for(&mut self, host: u64, reason: LockReason) -> LockVerdict {
        let mine = self.hosts.get(&host).cloned();
        let ask = LockAsk {
            host,
            name: name(host),
            group: group(),
            reason,
            drains: self.drains,
            servers: self.servers.map(|count| Servers {
                count,
                down: Vec::new(),
                asker_is_down: false,
            }),
        };
        let turn = |slot: &LockSlot| (!slot.reason.is_down_already(), slot.since, slot.host);
        let mine_turn = mine
            .as_ref()
            .filter(|mine| mine.keeps_its_turn(&ask, self.now))
            .map_or((!reason.is_down_already(), self.now, host), turn);
        let fresh = SignedDuration::from_secs(WAITER_FRESH_S);
        let is_ahead = |slot: &&LockSlot| {
            slot.host != host
                && slot.state == SlotState::Waiting
                && self.now.duration_since(slot.asked_at) <= fresh
                && turn(slot) < mine_turn
        };
        let held = self.held();
        let standing = Standing {
            slots: self.slots,
            mine: mine.as_ref(),
            held: &held,
            ahead: self.hosts.values().filter(is_ahead).count(),
        };
        let verdict = decide_lock(&ask, &standing, self.now);
        self.hosts.insert(host, verdict.slot.clone());
        verdict
    }

    fn ask(&mut self, host: u64) -> SlotState {
        self.ask_for(host, LockReason::Update).slot.state
    }

    fn note(&self, host: u64) -> String {
        self.hosts[&host].note.clone().unwrap()
    }
}

#[test]
fn one_slot_is_given_once_and_asking_again_changes_nothing() {
    let mut places = Places::new(1);
    assert_eq!(places.ask(1), SlotState::Granted);
    let since = places.hosts[&1].since;
    places.pass(300);
    assert_eq!(places.ask(1), SlotState::Granted);
    assert_eq!((places.hosts[&1].since, places.hosts[&1].asks), (since, 2));
    assert_eq!(places.ask(2), SlotState::Waiting);
    assert_eq!(places.note(2), "the slot of agent is held by h1");
    // Years do not release it.
    places.pass(3 * 365 * 86_400);
    assert_eq!(places.ask(2), SlotState::Waiting);
    places.hosts.remove(&1);
    assert_eq!(places.ask(2), SlotState::Granted);
}

#[test]
fn who_waits_longest_is_next_as_long_as_it_asks() {
    let mut places = Places::new(1);
    for host in 1..=3 {
        places.ask(host);
        places.pass(60);
    }
    assert_eq!(
        places.note(3),
        "the slot of agent is held by h1; 1 host waits before it"
    );
    places.hosts.remove(&1);
    assert_eq!(places.ask(3), SlotState::Waiting);
    assert_eq!(places.note(3), "1 host waits before it");
    // The second one is gone: its turn passes on.
    places.pass(WAITER_FRESH_S);
    assert_eq!(places.ask(3), SlotState::Granted);
    assert_eq!(places.ask(2), SlotState::Waiting);
    assert_eq!(places.hosts[&2].since, places.now, "it begins anew");
}

#[test]
fn a_machine_that_is_down_already_goes_first_and_is_not_drained() {
    let mut places = Places::new(1);
    places.drains = true;
    assert_eq!(places.ask(1), SlotState::Reserved);
    places.ask(2);
    places.pass(60);
    let reinstall = LockReason::Reinstall { run: RunNumber(2) };
    assert_eq!(places.ask_for(3, reinstall).slot.state, SlotState::Waiting);
    places.hosts.remove(&1);
    assert_eq!(places.ask(2), SlotState::Waiting);
    assert_eq!(places.ask_for(3, reinstall).slot.state, SlotState::Granted);
    // Nor is one whose drain was under way when it went down.
    let mut places = Places::new(1);
    places.drains = true;
    places.ask(1);
    let verdict = places.ask_for(1, reinstall);
    assert_eq!((verdict.slot.state, verdict.is_new), (SlotState::Granted, true));
}

#[test]
fn a_majority_of_servers_stays_whatever_the_slots() {
    for (count, spare) in [(1, 1), (2, 1), (3, 1), (4, 1), (5, 2), (7, 3)] {
        let mut places = Places::new(9);
        places.servers = Some(count);
        let granted = (1..=count as u64).filter(|host| places.ask(*host) == SlotState::Granted);
        assert_eq!(granted.count(), spare, "of {count}");
    }
    let mut places = Places::new(9);
    places.servers = Some(3);
    places.ask(1);
    places.ask(2);
    assert_eq!(
        places.note(2),
        "of 3 servers 1 may be away at once, and h1 is away already"
    );
}

#[test]
fn a_server_that_is_down_without_a_slot_counts() {
    let ask = |host: u64| LockAsk {
        host,
        name: name(host),
        group: group(),
        reason: LockReason::Update,
        drains: false,
        servers: Some(Servers {
            count: 3,
            down: vec![(2, name(2))],
            asker_is_down: host == 2,
        }),
    };
    let standing = Standing {
        slots: 3,
        mine: None,
        held: &[],
        // The other one, which waits for this one.
        ahead: 1,
    };
    let state = |host| decide_lock(&ask(host), &standing, Timestamp::UNIX_EPOCH).slot.state;
    assert_eq!(state(1), SlotState::Waiting);
    assert_eq!(state(2), SlotState::Granted, "the one that is down may be mended");
}

#[test]
fn settings_that_make_no_sense_are_refused_by_field() {
    let window = |text: &str| serde_json::from_str::<RebootWindow>(text).unwrap();
    let good = window(r#"{"days":["sat","sun"],"start":"03:30","length_minutes":120}"#);
    assert_eq!(good.to_string(), "Sat,Sun 03:30 UTC, 120 min");
    let field = |settings: GroupSettings| settings.check().err().map(|error| error.field);
    let default = GroupSettings::default;
    assert_eq!(field(default()), None);
    assert_eq!(field(GroupSettings { slots: 0, ..default() }), Some("slots"));
    assert_eq!(
        field(GroupSettings {
            drain_s: 9,
            ..default()
        }),
        Some("drain_s")
    );
    let limit_s = Some(0);
    assert_eq!(field(GroupSettings { limit_s, ..default() }), Some("limit_s"));
    let policy = UpdatePolicy::Window;
    assert_eq!(field(GroupSettings { policy, ..default() }), Some("window"));
    let monthly = true;
    assert_eq!(field(GroupSettings { monthly, ..default() }), Some("window"));
    let with = |window| GroupSettings {
        window: Some(window),
        monthly,
        ..default()
    };
    assert_eq!(field(with(good.clone())), None);
    let days = Vec::new();
    assert_eq!(field(with(RebootWindow { days, ..good.clone() })), Some("window.days"));
    let days = vec![Day::Sat, Day::Sat];
    assert_eq!(field(with(RebootWindow { days, ..good.clone() })), Some("window.days"));
    let length_minutes = 5;
    let short = RebootWindow { length_minutes, ..good };
    assert_eq!(field(with(short)), Some("window.length_minutes"));
    for bad in ["24:00", "3:30", "03:60", "0330", "+1:00", "", "noon"] {
        assert!(bad.parse::<StartTime>().is_err(), "{bad}");
    }
    for bad in ["", "a b", "a/b", "ä", &"x".repeat(129)] {
        assert!(bad.parse::<GroupName>().is_err(), "{bad}");
    }
}

#[test]
fn a_window_is_open_from_its_start_on_also_past_midnight() {
    let window: RebootWindow = serde_json::from_str(r#"{"days":["sat"],"start":"23:30","length_minutes":60}"#).unwrap();
    // 2026-11-28 is a Saturday.
    for (at, open) in [
        ("2026-11-28T23:29:59Z", false),
        ("2026-11-28T23:30:00Z", true),
        ("2026-11-29T00:29:59Z", true),
        ("2026-11-29T00:30:00Z", false),
        ("2026-11-29T23:45:00Z", false),
        ("2026-11-27T23:45:00Z", false),
    ] {
        assert_eq!(window.contains(at.parse().unwrap()), open, "{at}");
    }
    let day: RebootWindow = serde_json::from_str(r#"{"days":["sat"],"start":"12:00","length_minutes":1440}"#).unwrap();
    assert!(day.contains("2026-11-29T11:59:59Z".parse().unwrap()));
    assert!(!day.contains("2026-11-29T12:00:00Z".parse().unwrap()));
}

#[test]
fn a_group_allows_what_is_wanted_now() {
    let open: Timestamp = "2026-11-28T04:00:00Z".parse().unwrap();
    let shut: Timestamp = "2026-11-28T05:30:00Z".parse().unwrap();
    let window = serde_json::from_str(r#"{"days":["sat"],"start":"03:30","length_minutes":120}"#).unwrap();
    let settings = |policy, monthly| GroupSettings {
        policy,
        monthly,
        window: Some(RebootWindow::clone(&window)),
        ..GroupSettings::default()
    };
    let kind =
        |settings: &GroupSettings, reason, now| settings.permits(&group(), reason, now).err().map(|not| not.kind);
    let (update, monthly) = (LockReason::Update, LockReason::Monthly);
    let locked = settings(UpdatePolicy::Locked, false);
    assert_eq!(kind(&locked, update, shut), None, "its window is for other things");
    assert_eq!(kind(&locked, monthly, open), Some("monthly_off"));
    let windowed = settings(UpdatePolicy::Window, true);
    for reason in [update, monthly] {
        assert_eq!(kind(&windowed, reason, open), None);
        assert_eq!(kind(&windowed, reason, shut), Some("outside_window"));
    }
    let off = settings(UpdatePolicy::Off, true);
    assert_eq!(kind(&off, update, open), Some("updates_off"));
    assert_eq!(kind(&off, monthly, open), None, "the monthly reboot needs no Zincati");
    let install = LockReason::Reinstall { run: RunNumber(2) };
    assert_eq!(kind(&off, install, shut), None);
    assert_eq!(
        windowed.permits(&group(), update, shut).unwrap_err().why,
        "agent reboots in its window only: Sat 03:30 UTC, 120 min"
    );
}

/// What may befall a fleet and its server.
#[derive(Debug, Clone)]
enum Step {
    /// A host asks, and may not hear the answer.
    Ask { host: u64, hears: bool, reinstall: bool },
    /// Its drain ends, well or not.
    Drained { host: u64, well: bool },
    /// A host is back and says so, or an older such question arrives late.
    Back { host: u64, late: bool },
    /// Time passes.
    Pass(i64),
    /// Somebody changes the settings.
    Slots(u16),
}

fn step() -> impl Strategy<Value = Step> {
    let host = 0..8_u64;
    prop_oneof![
        6 => (host.clone(), any::<bool>(), prop::bool::weighted(0.2))
            .prop_map(|(host, hears, reinstall)| Step::Ask { host, hears, reinstall }),
        3 => (host.clone(), any::<bool>()).prop_map(|(host, well)| Step::Drained { host, well }),
        3 => (host, any::<bool>()).prop_map(|(host, late)| Step::Back { host, late }),
        2 => (1..2000_i64).prop_map(Step::Pass),
        1 => (1..4_u16).prop_map(Step::Slots),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// A server that crashes loses nothing: all there is stands in `Places`, which is what the store keeps. Whoever was
    /// told to go ahead holds a slot until it said itself that it is back, and no one is given a slot beyond the last.
    #[test]
    fn there_are_never_more_hosts_away_than_slots(
        steps in prop::collection::vec(step(), 1..120),
        drains in any::<bool>(),
        servers in prop::option::of(3..8_usize),
    ) {
        let mut places = Places::new(2);
        (places.drains, places.servers) = (drains, servers);
        let mut last_asks = BTreeMap::new();
        for step in steps {
            let before = places.held().len();
            match step {
                Step::Ask { host, hears, reinstall } => {
                    let reason = if reinstall { LockReason::Reinstall { run: RunNumber(2) } } else { LockReason::Update };
                    let verdict = places.ask_for(host, reason);
                    if hears && verdict.slot.state == SlotState::Granted {
                        places.away.insert(host);
                        last_asks.insert(host, verdict.slot.asks);
                    }
                }
                Step::Drained { host, well } => {
                    if let Some(slot) = places.hosts.get_mut(&host).filter(|slot| slot.state == SlotState::Reserved) {
                        slot.state = if well { SlotState::Granted } else { SlotState::Waiting };
                    }
                }
                Step::Back { host, late } => {
                    // A late one means an earlier slot, and is told apart by the count of questions.
                    let asks = last_asks.get(&host).copied();
                    let meant = asks.map(|asks| asks - u64::from(late && asks > 0));
                    let is_meant = |slot: &LockSlot| meant == Some(slot.asks);
                    if places.hosts.get(&host).is_some_and(is_meant) && places.away.remove(&host) {
                        places.hosts.remove(&host);
                    }
                }
                Step::Pass(seconds) => places.pass(seconds),
                Step::Slots(slots) => places.slots = slots,
            }
            let held = places.held();
            let held_by: BTreeSet<u64> = held.iter().map(|slot| slot.host).collect();
            prop_assert!(places.away.is_subset(&held_by), "{:?} away, {held_by:?} hold", places.away);
            if held.len() > before {
                prop_assert!(held.len() <= usize::from(places.slots), "{} of {}", held.len(), places.slots);
                if let Some(count) = servers {
                    prop_assert!(held.len() <= (count - 1) / 2, "{} of {count} servers", held.len());
                }
            }
        }
    }
}
