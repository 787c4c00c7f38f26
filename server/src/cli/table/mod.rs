//! What people see: tables without lines, one host a row.

pub(super) mod boots;
mod host;
mod hosts;

use comfy_table::{ContentArrangement, Row, Table};
use jiff::{SignedDuration, Timestamp};

pub(super) use host::host;
pub(super) use hosts::{hosts, progress, why, wide_hosts};

/// An empty table of these columns, as wide as the terminal, or as wide as it wants.
pub(super) fn table(header: &[&str], columns: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    if !header.is_empty() {
        table.set_header(header.iter().copied());
    }
    match columns {
        Some(columns) => table
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(columns),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

/// A row that is cut rather than wrapped.
pub(super) fn one_line(row: Row) -> Row {
    let mut row = row;
    row.max_height(1);
    row
}

/// The table as text, lines without blanks at their ends.
pub(super) fn text(table: &Table) -> String {
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// How long ago, in the largest unit that tells.
pub(super) fn age(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(then).max(SignedDuration::ZERO).as_secs();
    match seconds {
        0..=119 => format!("{seconds}s"),
        120..=7199 => format!("{}m", seconds / 60),
        7200..=172_799 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}
