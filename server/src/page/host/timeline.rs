//! The three boots of a run as a timeline: stages with the time that each took, and what proves each boot.

use jiff::Timestamp;
use thirdboot_api::control::{BootDetail, EventView, RunView};

use super::super::show;

/// Stages by the boot that they belong to.
const STAGES: [&[&str]; 3] = [
    &["armed", "netbooting", "live", "installing", "installed"],
    &["first-boot", "layering", "layered"],
    &["layered-boot", "networked", "joining", "ready"],
];
/// What each boot is for.
const TITLES: [&str; 3] = ["1 · Live system", "2 · Installed system", "3 · Layered system"];

/// One of the three boots.
pub(super) struct Boot {
    pub(super) title: &'static str,
    pub(super) steps: Vec<Step>,
    pub(super) evidence: Vec<Proof>,
}

/// One stage.
pub(super) struct Step {
    pub(super) name: &'static str,
    pub(super) class: &'static str,
    pub(super) time: String,
    /// When it was entered, exactly.
    pub(super) since: Option<String>,
}

/// What proves a boot: a line each.
pub(super) struct Proof {
    pub(super) title: String,
    pub(super) lines: Vec<String>,
}

/// When each stage was entered, in order.
fn entered(run: &RunView, events: &[EventView]) -> Vec<(String, Timestamp)> {
    let mut entered: Vec<(String, Timestamp)> = Vec::new();
    for event in events {
        let (Some(stage), true) = (&event.stage, event.run == Some(run.number) && event.refused.is_none()) else {
            continue;
        };
        if entered.last().is_none_or(|(last, _)| last != stage.as_str()) {
            entered.push((stage.as_str().to_owned(), event.at));
        }
    }
    entered
}

/// The three boots of this run. `events` are the host's, oldest first.
pub(super) fn boots(run: &RunView, evidence: &[BootDetail], events: &[EventView], now: Timestamp) -> Vec<Boot> {
    let entered = entered(run, events);
    let here = match run.stage.as_str() {
        "failed" | "cancelled" => run.failed.as_ref().map_or("armed", |failed| failed.stage.as_str()),
        stage => stage,
    };
    let order: Vec<&str> = STAGES.concat();
    let reached = order.iter().position(|stage| *stage == here).unwrap_or(0);
    let step = |name: &'static str| {
        let at = order.iter().position(|stage| *stage == name).unwrap_or(0);
        let found = entered.iter().position(|(stage, _)| stage == name);
        let until = |found: usize| entered.get(found + 1).map_or(now, |(_, at)| *at);
        let time = match found {
            Some(_) if name == "ready" => "✓".to_owned(),
            Some(found) => show::span(until(found).duration_since(entered[found].1)),
            None if run.inferred.iter().any(|stage| stage.as_str() == name) => "inferred".to_owned(),
            None => String::new(),
        };
        let class = match at.cmp(&reached) {
            std::cmp::Ordering::Less => "done",
            std::cmp::Ordering::Equal => "here",
            std::cmp::Ordering::Greater => "",
        };
        let since = found.map(|found| format!("since {}", show::exact(entered[found].1)));
        Step {
            name,
            class,
            time,
            since,
        }
    };
    STAGES
        .iter()
        .zip(TITLES)
        .zip(1_u8..)
        .map(|((stages, title), role)| Boot {
            title,
            steps: stages.iter().map(|name| step(name)).collect(),
            evidence: evidence.iter().filter(|boot| boot.role == role).map(proof).collect(),
        })
        .collect()
}

fn proof(boot: &BootDetail) -> Proof {
    let title = match (&boot.boot_id, boot.is_repeat) {
        (None, _) => "Not heard of yet".to_owned(),
        (Some(_), false) => "Proven by".to_owned(),
        (Some(_), true) => "Booted again".to_owned(),
    };
    let mut lines = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            lines.push(format!("{name} {value}"));
        }
    };
    add("boot_id", boot.boot_id.clone());
    add("Fedora CoreOS", boot.os_version.clone());
    add(
        "deployment",
        boot.deployment
            .as_ref()
            .map(|checksum| checksum.chars().take(16).collect()),
    );
    add("script served", boot.script.as_ref().map(|seen| times(seen.count)));
    let fetched: Vec<&str> = boot.fetched.keys().map(String::as_str).collect();
    add("fetched", (!fetched.is_empty()).then(|| fetched.join(", ")));
    add(
        "claimed",
        boot.claimed.as_ref().map(|claimed| {
            let serial = claimed
                .serial
                .as_ref()
                .map_or_else(String::new, |serial| format!(", serial {serial}"));
            format!("{} ({}{serial})", claimed.disk, show::bytes(claimed.size_bytes))
        }),
    );
    add(
        "installed",
        boot.installed.as_ref().and_then(|installed| installed.version.clone()),
    );
    add(
        "staged",
        boot.staged.as_ref().map(|checksum| checksum.chars().take(16).collect()),
    );
    lines.extend(boot.network_differs.iter().map(|differs| format!("network: {differs}")));
    Proof { title, lines }
}

fn times(count: u32) -> String {
    if count == 1 {
        "once".to_owned()
    } else {
        format!("{count} times")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_stage_has_the_time_that_it_took() {
        let event = |id: u64, stage: &str, second: &str, run: u32| -> EventView {
            let at = format!("2026-09-01T12:00:{second}Z");
            serde_json::from_value(json!({"id": id, "at": at, "host": "a", "event": "x", "stage": stage, "run": run}))
                .unwrap()
        };
        let events = [
            event(1, "ready", "00", 1),
            event(2, "armed", "05", 2),
            event(3, "netbooting", "10", 2),
            event(4, "netbooting", "20", 2),
            event(5, "live", "40", 2),
        ];
        let run: RunView = serde_json::from_value(
            json!({"number": 2, "stage": "live", "entered_at": "2026-09-01T12:00:40Z", "inferred": []}),
        )
        .unwrap();
        let now = "2026-09-01T12:00:50Z".parse().unwrap();
        let boots = boots(&run, &[], &events, now);
        let seen: Vec<(&str, &str, &str)> = boots[0]
            .steps
            .iter()
            .map(|step| (step.name, step.class, step.time.as_str()))
            .collect();
        let expected = [
            ("armed", "done", "5 s"),
            ("netbooting", "done", "30 s"),
            ("live", "here", "10 s"),
            ("installing", "", ""),
            ("installed", "", ""),
        ];
        assert_eq!(seen, expected);
    }
}
