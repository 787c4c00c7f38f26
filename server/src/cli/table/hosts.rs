//! Many hosts, one a row.

use comfy_table::Cell;
use jiff::Timestamp;
use thirdboot_api::StageName;
use thirdboot_api::control::HostView;

use super::{age, boots::boots, one_line, table, text};

/// The list of hosts.
pub(in crate::cli) fn hosts(hosts: &[HostView], now: Timestamp, columns: Option<u16>) -> String {
    if hosts.is_empty() {
        return "no hosts\n".to_owned();
    }
    let mut table = table(&["NAME", "ROLE", "RUN", "BOOTS", "STAGE", "SINCE", "WHY"], columns);
    for host in hosts {
        let run = host.run.as_ref();
        table.add_row(one_line(
            [
                host.name.clone(),
                host.role.to_string(),
                run.map_or_else(String::new, |run| run.number.to_string()),
                run.map_or_else(String::new, boots),
                progress(host),
                run.map_or_else(String::new, |run| age(run.entered_at, now)),
                why(host),
            ]
            .map(Cell::new)
            .into(),
        ));
    }
    text(&table)
}

/// The same with more columns, cut nowhere.
pub(in crate::cli) fn wide_hosts(hosts: &[HostView], now: Timestamp) -> String {
    if hosts.is_empty() {
        return "no hosts\n".to_owned();
    }
    let header = [
        "NAME", "ROLE", "CLUSTER", "MACS", "SERIAL", "LABELS", "RUN", "BOOTS", "STAGE", "SINCE", "OS", "SEEN",
        "ALERTS", "WHY",
    ];
    let mut table = table(&header, None);
    for host in hosts {
        let run = host.run.as_ref();
        let labels: Vec<String> = host
            .labels
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let alerts: Vec<&str> = host.alerts.iter().map(|alert| alert.kind.as_str()).collect();
        table.add_row(vec![
            host.name.clone(),
            host.role.to_string(),
            host.cluster.clone().unwrap_or_default(),
            host.macs.join(" "),
            host.serial.clone().unwrap_or_default(),
            labels.join(" "),
            run.map_or_else(String::new, |run| run.number.to_string()),
            run.map_or_else(String::new, boots),
            progress(host),
            run.map_or_else(String::new, |run| age(run.entered_at, now)),
            host.os_version.clone().unwrap_or_default(),
            host.observed_at.map_or_else(String::new, |at| age(at, now)),
            alerts.join(" "),
            why(host),
        ]);
    }
    text(&table)
}

/// Where a host stands, in a few words.
pub(in crate::cli) fn progress(host: &HostView) -> String {
    let Some(run) = &host.run else {
        return if host.retired { "retired" } else { "-" }.to_owned();
    };
    let mut said = match (&run.stage, run.percent) {
        (StageName::Installing, Some(percent)) => format!("installing {percent} %"),
        (StageName::Failed, _) => run
            .failed
            .as_ref()
            .map_or_else(|| "failed".to_owned(), |failed| format!("failed in {}", failed.stage)),
        (stage, _) => stage.to_string(),
    };
    if run.stalled {
        said.push_str(", stalled");
    }
    said
}

/// Why a host does not go on, in a sentence; empty when it does.
pub(in crate::cli) fn why(host: &HostView) -> String {
    if let Some(hold) = &host.hold {
        return format!("held: {}", hold.reason);
    }
    // Where it ended is told beside it.
    if let Some(ended) = host.run.as_ref().and_then(|run| run.failed.as_ref()) {
        return ended.cause.clone();
    }
    if let Some(diagnosis) = &host.diagnosis {
        return diagnosis.says.clone();
    }
    let alerts: Vec<&str> = host.alerts.iter().map(|alert| alert.says.as_str()).collect();
    alerts.join("; ")
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// Hosts as a server shows them, in every kind of state.
    pub(in crate::cli::table) fn sample() -> Vec<HostView> {
        let run = |stage: &str, more: serde_json::Value| {
            let mut run =
                json!({"number": 2, "stage": stage, "entered_at": "2026-09-01T12:00:00Z", "attempt": 1, "attempts": 3});
            run.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            run
        };
        let diagnosis = json!({"cause": "install-stuck", "advice": "look at the journal of coreos-installer.service on the console",
            "says": "the claim was granted 40 min ago, the last progress was 40 % and no end of the install was reported"});
        let hosts = json!([
            {"name": "agent-01", "macs": ["02:00:00:00:00:01"], "serial": "SIM-1", "cluster": "demo", "labels": {"rack": "r7"},
             "run": run("ready", json!({"boots": [{"role": 1, "boot_id": "b-1", "first_seen": "2026-09-01T11:50:00Z"},
                {"role": 3, "boot_id": "b-3", "first_seen": "2026-09-01T11:58:00Z", "os_version": "43.20260901.3.0", "deployment": "5ec0d5ec0d5ec0d5"}]}))},
            {"name": "agent-02", "diagnosis": diagnosis,
             "run": run("installing", json!({"percent": 40, "stalled": true,
                "last_word": {"at": "2026-09-01T12:10:00Z", "event": "installing", "message": "40 %"}}))},
            {"name": "runner-03", "role": "runner", "run": run("failed", json!({"failed": {"stage": "layering", "cause": "a package conflicts"}})),
             "diagnosis": {"cause": "host-failed", "says": "failed while layering: a package conflicts", "advice": "look there"}},
            {"name": "server-04", "role": "server", "hold": {"reason": "new memory comes on Monday", "since": "2026-09-01T10:00:00Z"}},
            {"name": "server-05", "role": "server", "alerts": [{"kind": "not-back", "since": "2026-09-01T12:00:00Z",
                "says": "it rebooted and was sent to its disk once, and has not reported since", "advice": "look at its console"}]},
        ]);
        serde_json::from_value(hosts).unwrap()
    }

    #[test]
    fn a_list_says_in_a_line_where_each_host_stands_and_why() {
        let now = "2026-09-01T12:40:00Z".parse().unwrap();
        insta::assert_snapshot!(hosts(&sample(), now, Some(120)));
        assert_eq!(hosts(&[], now, None), "no hosts\n");
        insta::assert_snapshot!("wide", wide_hosts(&sample(), now));
    }
}
