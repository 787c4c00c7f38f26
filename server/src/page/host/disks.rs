//! Which disk arming would have wiped, and what is known to be on it.

use serde::Deserialize;
use thirdboot_api::control::{BootDetail, EventView, HostView};
use thirdboot_lifecycle::MIN_DISK_BYTES;

use super::super::show;

/// What is known of a host's disks.
pub(super) struct Disks {
    /// The disk that the next install takes, in words.
    pub(super) chosen: String,
    /// What this host's last install left, in words.
    pub(super) last: Option<String>,
    /// Disks as the last inspection found them.
    pub(super) inspected: Vec<Disk>,
    /// When that was.
    pub(super) inspected_at: Option<jiff::Timestamp>,
}

/// A disk as an inspection found it.
pub(super) struct Disk {
    pub(super) path: String,
    pub(super) what: String,
    /// What is on it, in words.
    pub(super) holds: String,
    /// Whether it is wiped only when that was asked for by its name.
    pub(super) is_foreign: bool,
    pub(super) is_chosen: bool,
}

/// An inspection's findings, as the host said them.
#[derive(Deserialize)]
struct Inspection {
    disks: Vec<Found>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Found {
    path: String,
    links: Vec<String>,
    serial: Option<String>,
    wwn: Option<String>,
    model: Option<String>,
    size_bytes: u64,
    holds: Vec<String>,
    previous: Option<Previous>,
    removable: bool,
    read_only: bool,
}

#[derive(Deserialize)]
struct Previous {
    host: String,
    run: u32,
}

impl Disks {
    pub(super) fn of(host: &HostView, evidence: &[BootDetail], events: &[EventView]) -> Self {
        let found = events
            .iter()
            .rev()
            .filter(|event| event.event == "note")
            .find_map(|event| {
                let inspection: Inspection = serde_json::from_str(event.log.as_deref()?).ok()?;
                Some((event.at, inspection))
            });
        let chosen = host.install.disk.as_deref();
        let (inspected_at, disks) = found.map_or((None, Vec::new()), |(at, inspection)| (Some(at), inspection.disks));
        let only = match disks.iter().filter(|disk| disk.is_eligible()).collect::<Vec<_>>()[..] {
            [only] => Some(only.path.clone()),
            _ => None,
        };
        Self {
            chosen: match (chosen, &only) {
                (Some(chosen), _) => chosen.to_owned(),
                (None, Some(only)) => format!("{only}, the only one there is"),
                (None, None) => "the only eligible disk; with more than one, nothing is written".to_owned(),
            },
            last: last(evidence),
            inspected: disks
                .iter()
                .map(|disk| disk.shown(host, chosen.or(only.as_deref())))
                .collect(),
            inspected_at,
        }
    }
}

/// What the last claim took, and what was written there.
fn last(evidence: &[BootDetail]) -> Option<String> {
    let boot = evidence.iter().rev().find(|boot| boot.claimed.is_some())?;
    let claimed = boot.claimed.as_ref()?;
    let version = boot
        .installed
        .as_ref()
        .map(|installed| installed.version.as_deref().unwrap_or("of no stated version"));
    let holds = version.map_or_else(
        || "an install that was begun and not reported as done".to_owned(),
        |version| format!("Fedora CoreOS {version}"),
    );
    let serial = claimed
        .serial
        .as_ref()
        .map_or_else(String::new, |serial| format!(", serial {serial}"));
    Some(format!(
        "{} ({}{serial}): {holds}, by run {} of this host",
        claimed.disk,
        show::bytes(claimed.size_bytes),
        boot.run
    ))
}

impl Found {
    fn is_eligible(&self) -> bool {
        !self.removable && !self.read_only && self.size_bytes >= MIN_DISK_BYTES
    }

    fn is_named(&self, name: &str) -> bool {
        let is = |other: &Option<String>| other.as_deref() == Some(name);
        self.path == name || self.links.iter().any(|link| link == name) || is(&self.serial) || is(&self.wwn)
    }

    fn shown(&self, host: &HostView, chosen: Option<&str>) -> Disk {
        let own = self.previous.as_ref().filter(|previous| previous.host == host.name);
        let mut holds: Vec<String> = Vec::new();
        if let Some(previous) = &self.previous {
            holds.push(format!("run {} of {}", previous.run, previous.host));
        }
        holds.extend(self.holds.iter().cloned());
        let mut what: Vec<String> = self.model.iter().cloned().collect();
        what.push(show::bytes(self.size_bytes));
        what.extend(self.serial.iter().map(|serial| format!("serial {serial}")));
        what.extend(self.removable.then(|| "removable".to_owned()));
        what.extend(self.read_only.then(|| "read-only".to_owned()));
        Disk {
            path: self.path.clone(),
            what: what.join(", "),
            is_foreign: own.is_none() && !holds.is_empty(),
            holds: if holds.is_empty() {
                "nothing that was recognised".to_owned()
            } else {
                holds.join(", ")
            },
            is_chosen: chosen.is_some_and(|chosen| self.is_named(chosen)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_inspection_tells_what_is_on_each_disk() {
        let host: HostView = serde_json::from_value(json!({"name": "a1", "install": {"disk": "S1"}})).unwrap();
        let log = json!({"inspection": true, "disks": [
            {"path": "/dev/disk/by-id/a", "serial": "S1", "size_bytes": 64_000_000_000_u64, "holds": ["ceph-bluestore"]},
            {"path": "/dev/disk/by-id/b", "model": "Fast 1", "size_bytes": 64_000_000_000_u64, "previous": {"host": "a1", "run": 2}},
        ]});
        let event =
            json!({"id": 1, "at": "2026-09-01T12:00:00Z", "host": "a1", "event": "note", "log": log.to_string()});
        let disks = Disks::of(&host, &[], &[serde_json::from_value(event).unwrap()]);
        let seen: Vec<(&str, bool, bool)> = disks
            .inspected
            .iter()
            .map(|disk| (disk.holds.as_str(), disk.is_foreign, disk.is_chosen))
            .collect();
        assert_eq!(seen, [("ceph-bluestore", true, true), ("run 2 of a1", false, false)]);
        assert_eq!(disks.inspected[1].what, "Fast 1, 64.0 GB");
        assert_eq!(disks.chosen, "S1");
    }
}
