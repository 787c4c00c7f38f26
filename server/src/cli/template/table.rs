//! Templates as people see them.

use std::fmt::Write as _;

use comfy_table::Cell;
use jiff::Timestamp;
use thirdboot_api::control::{SelectSpec, TemplateDiffView, TemplateView};

use crate::cli::table::{age, one_line, table, text};

/// The list of templates.
pub(super) fn templates(templates: &[TemplateView], now: Timestamp, columns: Option<u16>) -> String {
    if templates.is_empty() {
        return "no templates\n".to_owned();
    }
    let mut table = table(&["ORDER", "NAME", "VERSION", "FOR", "SAVED", "BY", "NOTE"], columns);
    for one in templates {
        let cells = [
            one.order.to_string(),
            one.name.clone(),
            one.version.to_string(),
            selection(&one.select),
            age(one.saved_at, now),
            one.saved_by.clone(),
            one.note.clone().unwrap_or_default(),
        ];
        table.add_row(one_line(cells.map(Cell::new).into()));
    }
    text(&table)
}

/// The versions of one.
pub(super) fn versions(versions: &[TemplateView], now: Timestamp, columns: Option<u16>) -> String {
    let mut table = table(&["VERSION", "FOR", "SAVED", "BY", "NOTE"], columns);
    for one in versions {
        let note = if one.deleted {
            "deleted".to_owned()
        } else {
            one.note.clone().unwrap_or_default()
        };
        let cells = [
            one.version.to_string(),
            selection(&one.select),
            age(one.saved_at, now),
            one.saved_by.clone(),
            note,
        ];
        table.add_row(one_line(cells.map(Cell::new).into()));
    }
    text(&table)
}

/// What changed.
pub(super) fn difference(diff: &TemplateDiffView) -> String {
    let mut said = String::new();
    if let (Some(before), Some(after)) = (&diff.select_before, &diff.select_after) {
        let _ = writeln!(said, "for: {} -> {}", selection(before), selection(after));
    }
    if let Some([before, after]) = diff.order {
        let _ = writeln!(said, "order: {before} -> {after}");
    }
    said += &diff.text;
    if said.is_empty() {
        "nothing changed\n".to_owned()
    } else {
        said
    }
}

fn selection(select: &SelectSpec) -> String {
    let mut words: Vec<String> = select.roles.iter().map(|role| format!("role={role}")).collect();
    words.extend(select.labels.iter().map(|(key, value)| format!("{key}={value}")));
    words.extend(select.hosts.iter().map(|host| format!("host={host}")));
    if words.is_empty() {
        "every host".to_owned()
    } else {
        words.join(" ")
    }
}
