//! The state diagram, drawn from the table.

use std::fmt::Write;

use crate::{ROWS, Stage, Then};

/// The table of transitions as a Mermaid state diagram: solid edges only, one line per pair of stages, events joined.
#[must_use]
pub fn state_diagram() -> String {
    let mut out = String::from("stateDiagram-v2\n    direction TB\n    [*] --> armed: arm\n");
    for from in Stage::ALL {
        for to in Stage::ALL.into_iter().filter(|to| *to != from) {
            let events: Vec<String> = ROWS
                .iter()
                .filter(|row| row.from == from && row.then.targets(from).contains(&to))
                .map(|row| match row.then {
                    Then::Infer(_) => format!("{} (inferred)", row.on.as_str()),
                    Then::Stay | Then::Go(_) | Then::Either(_) => row.on.as_str().to_owned(),
                })
                .collect();
            if !events.is_empty() {
                // Writing to a String cannot fail.
                let _ = writeln!(out, "    {} --> {}: {}", id(from), id(to), events.join(", "));
            }
        }
    }
    for end in Stage::ALL.into_iter().filter(|stage| stage.is_end()) {
        let _ = writeln!(out, "    {} --> [*]", id(end));
    }
    out
}

/// Mermaid takes a hyphen in an id for part of an arrow.
fn id(stage: Stage) -> String {
    stage.as_str().replace('-', "_")
}
