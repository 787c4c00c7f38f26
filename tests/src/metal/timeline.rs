//! When what happened: a run as a list of moments, for people, as text and as a picture.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::Value;

use super::serial::Line;

/// Words on the serial port that begin something, and what it is.
const MARKS: [(&str, &str); 9] = [
    ("SeaBIOS (version", "power on"),
    ("BdsDxe: loading", "power on"),
    ("Thirdboot installs", "iPXE: install"),
    ("Thirdboot boots the local disk", "iPXE: local disk"),
    ("Thirdboot holds", "iPXE: hold"),
    ("Linux version", "kernel"),
    ("initramfs: switching root", "system"),
    ("initramfs: FAILED", "emergency"),
    ("reboot: Restarting system", "reboot"),
];

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// To which machine.
    pub machine: String,
    /// Whether the machine's own port said it; else the server's log did.
    pub heard: bool,
    /// What.
    pub what: String,
}

/// What a serial port shows.
pub fn of_serial(machine: &str, lines: &[Line]) -> Vec<Moment> {
    let what = |line: &Line| {
        MARKS
            .iter()
            .find(|(word, _)| line.text.contains(word))
            .map(|(_, what)| *what)
    };
    let moments = lines.iter().filter_map(|line| Some((line.at, what(line)?)));
    moments
        .map(|(at, what)| Moment {
            at,
            machine: machine.to_owned(),
            heard: true,
            what: what.to_owned(),
        })
        .collect()
}

/// What a server's log of a host shows.
pub fn of_events(machine: &str, events: &[Value]) -> Vec<Moment> {
    let moment = |event: &Value| {
        let mut what = event["event"].as_str()?.to_owned();
        if let Some(refused) = event["refused"].as_str() {
            let _ = write!(what, " refused: {refused}");
        } else if let Some(message) = event["message"].as_str().and_then(|m| m.lines().next()) {
            let _ = write!(what, ": {message}");
        }
        Some(Moment {
            at: event["at"].as_str()?.parse().ok()?,
            machine: machine.to_owned(),
            heard: false,
            what,
        })
    };
    events.iter().filter_map(moment).collect()
}

/// Seconds since the first of some moments.
fn since(moments: &[Moment], moment: &Moment) -> f64 {
    let first = moments.first().map_or(moment.at, |first| first.at);
    moment.at.duration_since(first).as_secs_f64()
}

/// A line a moment; what the machine's own port said stands further left.
pub fn text(moments: &[Moment]) -> String {
    let mut text = String::new();
    for moment in moments {
        let indent = if moment.heard { "" } else { "    " };
        let seconds = since(moments, moment);
        let _ = writeln!(text, "{seconds:8.1} s  {}  {indent}{}", moment.machine, moment.what);
    }
    text
}

/// A column a machine, time downwards; boots are bars, the server's events dots.
pub fn svg(moments: &[Moment]) -> String {
    const ROW: usize = 14;
    const COLUMN: usize = 420;
    let mut machines: Vec<&str> = moments.iter().map(|m| m.machine.as_str()).collect();
    machines.sort_unstable();
    machines.dedup();
    let (width, height) = (80 + COLUMN * machines.len(), 30 + ROW * moments.len());
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         font-family=\"monospace\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (row, moment) in moments.iter().enumerate() {
        let y = 24 + ROW * row;
        let column = machines.iter().position(|m| *m == moment.machine).unwrap_or_default();
        let x = 80 + COLUMN * column;
        let colour = if moment.heard { "#1f6feb" } else { "#57606a" };
        let shift = if moment.heard { 0 } else { 16 };
        let seconds = since(moments, moment);
        let _ = writeln!(svg, "<text x=\"4\" y=\"{y}\" fill=\"#8c959f\">{seconds:8.1}</text>");
        if moment.heard {
            let _ = writeln!(
                svg,
                "<rect x=\"{}\" y=\"{}\" width=\"6\" height=\"{ROW}\" fill=\"{colour}\"/>",
                x - 10,
                y - 11
            );
        }
        let what: String = moment.what.chars().take(60).collect();
        let what = what.replace('&', "&amp;").replace('<', "&lt;");
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{y}\" fill=\"{colour}\">{what}</text>",
            x + shift
        );
    }
    svg.push_str("</svg>\n");
    svg
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_run_reads_as_a_list_and_as_a_picture() {
        let start: Timestamp = "2026-09-01T12:00:00Z".parse().unwrap();
        let lines = [Line {
            at: start,
            text: "[    0.000000] Linux version 6.1".to_owned(),
        }];
        let events = [json!({"event": "note", "at": "2026-09-01T12:00:07.5Z", "message": "<all> is well\nmore"})];
        let mut moments = of_serial("m1", &lines);
        moments.extend(of_events("m1", &events));
        assert_eq!(
            text(&moments),
            "     0.0 s  m1  kernel\n     7.5 s  m1      note: <all> is well\n"
        );
        assert!(svg(&moments).contains(">note: &lt;all> is well</text>"));
    }
}
