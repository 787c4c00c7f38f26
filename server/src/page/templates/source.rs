//! A template's text with its faults at their lines.

use thirdboot_api::control::FaultView;

/// Lines that are shown before and after one with a fault.
const AROUND: u64 = 3;

/// Hosts that are named beside what is wrong for all of them.
const NAMED: usize = 3;

/// Each thing that is wrong once, with the hosts for which it is.
pub(super) fn gathered(faults: &[FaultView]) -> Vec<FaultView> {
    let mut gathered: Vec<(FaultView, Vec<String>)> = Vec::new();
    for fault in faults {
        let what = FaultView {
            host: None,
            ..fault.clone()
        };
        match gathered.iter_mut().find(|(known, _)| *known == what) {
            Some((_, hosts)) => hosts.extend(fault.host.clone()),
            None => gathered.push((what, fault.host.iter().cloned().collect())),
        }
    }
    let named = |hosts: Vec<String>| match hosts.len() {
        0 => None,
        count if count > NAMED => Some(format!("{} and {} more", hosts[..NAMED].join(", "), count - NAMED)),
        _ => Some(hosts.join(", ")),
    };
    let told = gathered.into_iter().map(|(what, hosts)| FaultView {
        host: named(hosts),
        ..what
    });
    told.collect()
}

/// A line of the text.
pub(super) struct SourceLine {
    pub(super) number: u64,
    pub(super) text: String,
    /// What is wrong there.
    pub(super) faults: Vec<String>,
}

/// The lines around what is wrong; nothing when nothing is wrong at a line.
pub(super) fn with_faults(text: &str, template: &str, faults: &[FaultView]) -> Vec<SourceLine> {
    let here: Vec<(u64, &FaultView)> = faults
        .iter()
        .filter(|fault| fault.template == template)
        .filter_map(|fault| Some((fault.line?, fault)))
        .collect();
    let is_near = |number: u64| here.iter().any(|(line, _)| line.abs_diff(number) <= AROUND);
    text.lines()
        .zip(1_u64..)
        .filter(|(_, number)| is_near(*number))
        .map(|(text, number)| SourceLine {
            number,
            text: text.to_owned(),
            faults: here
                .iter()
                .filter(|(line, _)| *line == number)
                .map(|(_, fault)| says(fault))
                .collect(),
        })
        .collect()
}

fn says(fault: &FaultView) -> String {
    let column = fault
        .column
        .map_or_else(String::new, |column| format!("column {column}: "));
    let host = fault
        .host
        .as_ref()
        .map_or_else(String::new, |host| format!(" (for {host})"));
    format!("{column}{}{host}", fault.what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_for_many_hosts_is_told_once() {
        let fault = |host: &str, what: &str| FaultView {
            template: "motd".to_owned(),
            host: Some(host.to_owned()),
            what: what.to_owned(),
            ..FaultView::default()
        };
        let faults = [
            fault("a", "not there"),
            fault("b", "not there"),
            fault("c", "not a number"),
            fault("c", "not there"),
            fault("d", "not there"),
        ];
        let told: Vec<String> = gathered(&faults).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "motd (host a, b, c and 1 more): not there",
                "motd (host c): not a number"
            ]
        );
    }

    #[test]
    fn a_fault_stands_at_its_line_with_some_lines_around() {
        let text: String = (1..=20).map(|n| format!("line {n}")).collect::<Vec<_>>().join("\n");
        let fault = FaultView {
            template: "motd".to_owned(),
            line: Some(10),
            column: Some(3),
            what: "not there".to_owned(),
            ..FaultView::default()
        };
        let lines = with_faults(&text, "motd", &[fault]);
        let numbers: Vec<u64> = lines.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [7, 8, 9, 10, 11, 12, 13]);
        assert_eq!(lines[3].faults, ["column 3: not there"]);
        assert!(with_faults(&text, "motd", &[]).is_empty());
    }
}
