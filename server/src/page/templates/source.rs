//! A template's text with its faults at their lines.

use thirdboot_api::control::FaultView;

/// Lines that are shown before and after one with a fault.
const AROUND: u64 = 3;

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
