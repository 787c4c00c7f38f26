//! What a host has shown: its runs, the boots that prove them, and what it last was.

use std::fmt::Write as _;

use thirdboot_api::control::{AtProviderView, BootDetail, ObservedView, RunDetail, RunView};

use crate::cli::{Connection, Failure, now, table};

pub(super) async fn runs(connection: &Connection, name: &str) -> Result<(), Failure> {
    let runs = connection.client()?.runs(name).await?.items;
    connection
        .output
        .print(&runs, || table_of_runs(&runs, connection.output.columns()))
}

pub(super) async fn run(connection: &Connection, name: &str, number: u32) -> Result<(), Failure> {
    let run = connection.client()?.run(name, number).await?;
    connection
        .output
        .print(&run, || one_run(&run, connection.output.columns()))
}

pub(super) async fn boots(connection: &Connection, name: &str, run: Option<u32>) -> Result<(), Failure> {
    let boots = connection.client()?.boots(name, run).await?.items;
    connection
        .output
        .print(&boots, || table_of_boots(&boots, connection.output.columns()))
}

pub(super) async fn observed(connection: &Connection, name: &str) -> Result<(), Failure> {
    let observed = connection.client()?.observed(name).await?;
    connection
        .output
        .print(&observed, || one_machine(&observed, connection.output.columns()))
}

fn table_of_runs(runs: &[RunView], columns: Option<u16>) -> String {
    if runs.is_empty() {
        return "no runs\n".to_owned();
    }
    let mut shown = table::table(&["RUN", "BOOTS", "STAGE", "SINCE", "ATTEMPTS", "ENDED"], columns);
    for run in runs {
        let ended = run.failed.as_ref();
        shown.add_row(table::one_line(
            vec![
                run.number.to_string(),
                table::boots::boots(run),
                run.stage.to_string(),
                format!("{} ago", table::age(run.entered_at, now())),
                format!("{} of {}", run.attempt, run.attempts),
                ended.map_or_else(String::new, |ended| format!("in {}: {}", ended.stage, ended.cause)),
            ]
            .into(),
        ));
    }
    table::text(&shown)
}

fn one_run(run: &RunDetail, columns: Option<u16>) -> String {
    let mut text = table_of_runs(std::slice::from_ref(&run.run), columns);
    text.push('\n');
    text.push_str(&table_of_boots(&run.evidence, columns));
    if let Some(diagnosis) = &run.diagnosis {
        // Writing to a string cannot fail.
        let _ = write!(text, "\nwhy: {}\nadvice: {}\n", diagnosis.says, diagnosis.advice);
    }
    text
}

fn table_of_boots(boots: &[BootDetail], columns: Option<u16>) -> String {
    if boots.is_empty() {
        return "no boots\n".to_owned();
    }
    let mut shown = table::table(&["BOOT", "ID", "FIRST SEEN", "OS", "DEPLOYMENT", "EVIDENCE"], columns);
    for boot in boots {
        let role = if boot.is_repeat {
            format!("{} again", boot.role)
        } else {
            boot.role.to_string()
        };
        shown.add_row(vec![
            role,
            boot.boot_id.clone().unwrap_or_default(),
            boot.first_seen
                .map_or_else(String::new, |at| format!("{} ago", table::age(at, now()))),
            boot.os_version.clone().unwrap_or_default(),
            short(boot.deployment.as_deref()),
            evidence(boot).join(", "),
        ]);
    }
    table::text(&shown)
}

fn short(checksum: Option<&str>) -> String {
    checksum.unwrap_or_default().chars().take(12).collect()
}

/// What proves a boot, a few words each.
fn evidence(boot: &BootDetail) -> Vec<String> {
    let mut found = Vec::new();
    if boot.script.is_some() {
        found.push("script".to_owned());
    }
    found.extend(boot.fetched.keys().cloned());
    if let Some(claimed) = &boot.claimed {
        found.push(format!("claimed {}", claimed.disk));
    }
    if let Some(installed) = &boot.installed {
        found.push(format!(
            "installed {}",
            installed.version.as_deref().unwrap_or("an image")
        ));
    }
    if boot.staged.is_some() {
        found.push(format!("staged {}", short(boot.staged.as_deref())));
    }
    if boot.network.is_some() {
        let differs = boot.network_differs.join("; ");
        found.push(if differs.is_empty() {
            "network".to_owned()
        } else {
            format!("network differs: {differs}")
        });
    }
    found
}

fn one_machine(observed: &ObservedView, columns: Option<u16>) -> String {
    let Some(at) = observed.at else {
        let told = observed.provider.as_ref();
        let told = told.map_or_else(String::new, |told| format!("at the provider: {}\n", at_provider(told)));
        return format!("it has not said what it is yet\n{told}");
    };
    let deployments: Vec<String> = observed
        .deployments
        .iter()
        .map(|ran| ran.os_version.clone().unwrap_or_else(|| short(Some(&ran.checksum))))
        .collect();
    let rows = [
        ("seen", format!("{} ago", table::age(at, now()))),
        ("boot", observed.boot_id.clone().unwrap_or_default()),
        ("os", observed.os_version.clone().unwrap_or_default()),
        ("deployment", observed.deployment.clone().unwrap_or_default()),
        ("ran", deployments.join(", ")),
        (
            "missing",
            observed.missing_packages.clone().unwrap_or_default().join(" "),
        ),
        (
            "network",
            observed.network.as_ref().map_or_else(String::new, ToString::to_string),
        ),
        ("differs", observed.network_differs.join("; ")),
    ];
    let mut shown = table::table(&[], columns);
    for (name, value) in rows.into_iter().filter(|(_, value)| !value.is_empty()) {
        shown.add_row([name.to_owned(), value]);
    }
    if let Some(told) = &observed.provider {
        shown.add_row(["at the provider".to_owned(), at_provider(told)]);
    }
    for alert in &observed.alerts {
        shown.add_row(["alert".to_owned(), format!("{} ({})", alert.says, alert.advice)]);
    }
    if let Some(names) = shown.column_mut(0) {
        names.set_padding((0, 2));
    }
    table::text(&shown)
}

/// What the provider tells, in a line.
fn at_provider(told: &AtProviderView) -> String {
    let mut said = vec![told.state.clone().unwrap_or_else(|| "not told".to_owned())];
    said.extend(told.netboot.map(|always| {
        let how = if always {
            "boots from the network"
        } else {
            "boots its disk"
        };
        how.to_owned()
    }));
    said.extend(told.vlans.iter().map(|id| format!("VLAN {id}")));
    said.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_boot_is_shown_with_its_evidence() {
        let seen = json!({"first": "2026-09-01T12:00:00Z", "last": "2026-09-01T12:00:00Z", "count": 1});
        let boots: Vec<BootDetail> = serde_json::from_value(json!([
            {"run": 1, "role": 1, "boot_id": "b-1", "script": seen, "fetched": {"kernel": seen},
             "claimed": {"at": "2026-09-01T12:00:00Z", "attempt": 1, "disk": "/dev/disk/by-id/d1"}, "installed": {"version": "43.1"}},
            {"run": 1, "role": 2, "boot_id": "b-2", "deployment": "0123456789abcdef", "staged": "fedcba98765432100"},
            {"run": 1, "role": 3, "is_repeat": true, "boot_id": "b-3", "network": {}, "network_differs": ["no bond"]}
        ]))
        .unwrap();
        insta::assert_snapshot!(table_of_boots(&boots, None));
        assert_eq!(table_of_boots(&[], None), "no boots\n");
    }
}
