//! One host with all that is known of it.

use jiff::Timestamp;
use thirdboot_api::control::{HostView, RunView, UplinkMethod};

use super::{age, boots::boots, progress, table, text};

/// Everything about one host that fits a screen.
pub(in crate::cli) fn host(host: &HostView, now: Timestamp, columns: Option<u16>) -> String {
    let mut rows: Vec<(&str, String)> = vec![
        ("name", host.name.clone()),
        ("role", host.role.to_string()),
        ("cluster", host.cluster.clone().unwrap_or_default()),
        ("macs", host.macs.join(" ")),
        ("serial", host.serial.clone().unwrap_or_default()),
        ("uuid", host.uuid.clone().unwrap_or_default()),
        ("platform", format!("{}, {}", host.platform, host.arch)),
        (
            "device",
            host.provider
                .as_ref()
                .map_or_else(String::new, |provider| provider.device.clone()),
        ),
        ("known by", host.known_by.to_string()),
        ("network", network(host)),
        (
            "disk",
            host.install
                .disk
                .clone()
                .unwrap_or_else(|| "the only eligible one".to_owned()),
        ),
        ("packages", host.packages.join(" ")),
        ("labels", labels(host)),
    ];
    if host.retired {
        rows.push(("retired", "yes: boots its disk, cannot be armed".to_owned()));
    }
    if let Some(hold) = &host.hold {
        rows.push(("hold", format!("{} (for {})", hold.reason, age(hold.since, now))));
    }
    if let Some(run) = &host.run {
        rows.push((
            "run",
            format!(
                "{}: {}, in this stage for {}",
                run.number,
                progress(host),
                age(run.entered_at, now)
            ),
        ));
        rows.push(("boots", boots(run)));
        run_rows(run, now, &mut rows);
    }
    if let Some(diagnosis) = &host.diagnosis {
        rows.push(("why", diagnosis.says.clone()));
        rows.push(("advice", diagnosis.advice.clone()));
    }
    for alert in &host.alerts {
        rows.push(("alert", format!("{} ({})", alert.says, alert.advice)));
    }
    let mut table = table(&[], columns);
    for (name, value) in rows.into_iter().filter(|(_, value)| !value.is_empty()) {
        table.add_row([name.to_owned(), value]);
    }
    if let Some(names) = table.column_mut(0) {
        names.set_padding((0, 2));
    }
    text(&table)
}

fn run_rows(run: &RunView, now: Timestamp, rows: &mut Vec<(&'static str, String)>) {
    for boot in &run.boots {
        let mut said = format!("{}, {} ago", boot.boot_id, age(boot.first_seen, now));
        for part in [&boot.os_version, &boot.deployment].into_iter().flatten() {
            said.push_str(", ");
            said.push_str(&part.chars().take(16).collect::<String>());
        }
        let name = match boot.role {
            1 => "boot 1, live",
            2 => "boot 2, installed",
            3 => "boot 3, layered",
            _ => "boot",
        };
        rows.push((name, said));
    }
    rows.push(("attempts", format!("{} of {}", run.attempt, run.attempts)));
    if run.rollbacks > 0 {
        rows.push(("staging lost", format!("{} times", run.rollbacks)));
    }
    if !run.network_differs.is_empty() {
        rows.push(("network is not", run.network_differs.join("\n")));
    }
    if let Some(word) = &run.last_word {
        let message = word
            .message
            .as_deref()
            .map_or_else(String::new, |message| format!(": {message}"));
        rows.push((
            "last word",
            format!("{} {} ago{message}", word.event, age(word.at, now)),
        ));
    }
    if let Some(ended) = &run.failed {
        rows.push(("ended", format!("in {}: {}", ended.stage, ended.cause)));
    }
}

fn network(host: &HostView) -> String {
    let network = &host.network;
    let fixed = network.uplink.addresses.iter().map(String::as_str);
    let dhcp = match network.uplink.method {
        UplinkMethod::Dhcp => Some("DHCP"),
        UplinkMethod::Metadata => Some("DHCP and metadata"),
        UplinkMethod::Static => None,
    };
    let mut said = dhcp.into_iter().chain(fixed).collect::<Vec<_>>().join(" ");
    if let Some(bond) = &network.bond {
        let mode = bond.mode.unwrap_or_default();
        said = format!("{said} over {} ports in {mode}", bond.ports.len());
    }
    for vlan in &network.vlans {
        said = format!("{said}, VLAN {} {}", vlan.id, vlan.addresses.join(" "));
    }
    said
}

fn labels(host: &HostView) -> String {
    let labels: Vec<String> = host
        .labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    labels.join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::hosts::tests::sample;
    use super::*;

    #[test]
    fn a_ready_host_shows_its_boots() {
        let now = "2026-09-01T12:40:00Z".parse().unwrap();
        insta::assert_snapshot!(host(&sample()[0], now, Some(100)));
    }

    #[test]
    fn a_stuck_host_shows_why_and_what_to_do() {
        let now = "2026-09-01T12:40:00Z".parse().unwrap();
        insta::assert_snapshot!(host(&sample()[1], now, Some(100)));
    }
}
