//! A machine at its provider: which one it is, what is asked for it, and what the provider says of it.
//!
//! What a provider says is shown and proves nothing: no run and no boot answer looks at it. A provider calls a machine
//! active as soon as its script was served, before anything is installed.

mod events;
mod power;
mod put;
mod trouble;

use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::text::checked_text;
use crate::{Host, Network, Run, RunNumber, Stage};

pub use events::{EventsRead, MAX_FIRST_EVENTS, MAX_SEEN_EVENTS, ProviderEvent};
pub use power::{Power, PowerAsked, PowerStep};
pub use put::PutVlans;
pub use trouble::{Trouble, TroubleKind};

/// A machine at its provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The provider's id of the machine.
    pub device: DeviceId,
    /// Whether the provider's metadata service answers the machine. Where it does, Ignition and Afterburn are told of it.
    #[serde(default)]
    pub metadata: bool,
}

/// A provider's id of a machine: a UUID, as lower-case text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceId(Box<str>);

/// Text that is no device's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is no device: expected the provider's id of the machine, a UUID")]
pub struct InvalidDevice {
    given: String,
}

impl FromStr for DeviceId {
    type Err = InvalidDevice;

    /// It stands in the path of requests that reboot machines: nothing but a UUID gets there.
    fn from_str(text: &str) -> Result<Self, InvalidDevice> {
        let groups: Vec<_> = text.split('-').collect();
        let is_uuid = groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
            && groups.concat().bytes().all(|c| c.is_ascii_hexdigit())
            && text.bytes().any(|c| c != b'0' && c != b'-');
        if is_uuid {
            return Ok(Self(text.to_ascii_lowercase().into()));
        }
        let given = text.chars().take(80).collect();
        Err(InvalidDevice { given })
    }
}

checked_text!(DeviceId, InvalidDevice);

/// What is wanted of the provider now. Nothing is asked for a machine that nobody armed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Whether it boots from the network every time; none means as it is.
    pub netboot: Option<bool>,
    /// VLANs that its ports must carry.
    pub vlans: Vec<u16>,
    /// Whether VLANs go that this server put there and that are not wanted any more. All others are left alone.
    pub tidies: bool,
    /// What brings it to its network boot, once, and only while nothing of it was heard in this run.
    pub power: Option<(RunNumber, Power)>,
}

impl Wanted {
    /// The power request that has to be made: none for a run that one went out for, whatever became of it, unless the
    /// provider certainly did nothing.
    #[must_use]
    pub fn power_due(&self, known: Option<&AtProvider>) -> Option<(RunNumber, Power)> {
        let is_made = |run: RunNumber| {
            known.is_some_and(|known| known.powered == Some(run) || known.asked.is_some_and(|open| open.run == run))
        };
        self.power.filter(|(run, _)| !is_made(*run))
    }
}

/// What is wanted of the provider for this host's run at `now`.
#[must_use]
pub fn wanted(host: &Host, run: Option<&Run>, now: Timestamp) -> Wanted {
    let Some(run) = run.filter(|_| !host.retired) else {
        return Wanted::default();
    };
    let is_open = !run.stage.is_end() && !run.was_installed() && run.permit.closed(now).is_none();
    let netboot = if is_open {
        Some(true)
    } else if run.was_installed() || !run.was_claimed() {
        Some(false)
    } else {
        // Its disk is in pieces: from the network it is told so, from the disk it would hang.
        None
    };
    let is_under_way = !run.stage.is_end() && (is_open || run.was_installed());
    let vlans = if is_under_way { vlans(&host.network) } else { Vec::new() };
    let may_power = is_open && run.stage == Stage::Armed && host.hold.is_none();
    Wanted {
        netboot,
        vlans,
        // Before that the old system may come back, and afterwards it is somebody's machine.
        tidies: is_under_way && run.was_installed(),
        power: run.permit.power.filter(|_| may_power).map(|power| (run.number, power)),
    }
}

fn vlans(network: &Network) -> Vec<u16> {
    let mut ids: Vec<u16> = network.vlans.iter().map(|vlan| vlan.id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// A machine as its provider tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderMachine {
    /// The provider's word for its state.
    pub state: String,
    /// Whether it boots from the network every time, where the provider says so.
    #[serde(default)]
    pub netboot: Option<bool>,
    /// VLANs that its ports carry.
    #[serde(default)]
    pub vlans: Vec<u16>,
}

/// What came of asking the provider once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProviderLook {
    /// The machine; none where the provider did not tell.
    pub machine: Option<ProviderMachine>,
    /// How far the run's power request came.
    pub power: Option<PowerStep>,
    /// VLANs that this server put on its ports, where that changed.
    pub put: Option<PutVlans>,
    /// What went wrong.
    pub trouble: Option<(TroubleKind, String)>,
    /// Events, those that are known included.
    pub events: Vec<ProviderEvent>,
}

/// What is known of a machine at its provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtProvider {
    /// When this last changed.
    pub at: Timestamp,
    /// The machine, as it was last told of.
    #[serde(default)]
    pub machine: Option<ProviderMachine>,
    /// The last run whose power request the provider took.
    #[serde(default)]
    pub powered: Option<RunNumber>,
    /// A power request of which nobody knows whether it was carried out.
    #[serde(default)]
    pub asked: Option<PowerAsked>,
    /// The last run whose power request the provider did not take: it is made again, and that is told once.
    #[serde(default)]
    pub declined: Option<RunNumber>,
    /// VLANs that this server put on its ports.
    #[serde(default)]
    pub put: Option<PutVlans>,
    /// What is wrong, since the last look.
    #[serde(default)]
    pub trouble: Option<Trouble>,
    /// Which events stand in the log.
    #[serde(default)]
    pub events: EventsRead,
}

impl AtProvider {
    /// What is known after this look, and the events that are new: oldest first.
    #[must_use]
    pub fn after(before: Option<&Self>, look: &ProviderLook, now: Timestamp) -> (Self, Vec<ProviderEvent>) {
        let mut events = before.map(|before| before.events.clone()).unwrap_or_default();
        let fresh = events.take_in(&look.events);
        let earlier = before.and_then(|before| before.trouble.as_ref());
        let trouble = look.trouble.as_ref().map(|(kind, says)| Trouble {
            kind: *kind,
            since: earlier
                .filter(|earlier| earlier.kind == *kind)
                .map_or(now, |earlier| earlier.since),
            says: says.clone(),
        });
        let known = before.map(|before| (before.powered, before.asked)).unwrap_or_default();
        let (powered, asked) = power::after(known.0, known.1, look.power, now);
        let declined = match look.power {
            Some(PowerStep::Declined(run)) => Some(run),
            _ => before.and_then(|before| before.declined),
        };
        let mut next = Self {
            at: now,
            machine: look
                .machine
                .clone()
                .or_else(|| before.and_then(|before| before.machine.clone())),
            powered,
            asked,
            declined,
            put: look
                .put
                .clone()
                .or_else(|| before.and_then(|before| before.put.clone())),
            trouble,
            events,
        };
        // A look that found nothing new is no change.
        if let Some(before) = before {
            let at = std::mem::replace(&mut next.at, before.at);
            if next != *before {
                next.at = at;
            }
        }
        (next, fresh)
    }

    /// Whether what is wanted is there, as far as the provider says.
    #[must_use]
    pub fn has(&self, wanted: &Wanted) -> bool {
        let machine = self.machine.as_ref();
        let netboot = wanted.netboot.is_none() || wanted.netboot == machine.and_then(|machine| machine.netboot);
        let vlans = &machine.map_or(&[][..], |machine| &machine.vlans);
        netboot
            && wanted.vlans.iter().all(|id| vlans.contains(id))
            && wanted.power.is_none_or(|(run, _)| self.powered == Some(run))
    }
}
