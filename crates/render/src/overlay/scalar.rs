//! One string of a template, rendered, and the place in the document where that failed.

use minijinja::{Environment, Error, Value};

/// Whether there is anything to render.
pub(super) fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|opening| text.contains(opening))
}

/// Renders `text` with `fuel`. Also returns the fuel that is left.
pub(super) fn render(
    environment: &mut Environment<'static>,
    text: &str,
    facts: &Value,
    fuel: u64,
) -> Result<(String, u64), Error> {
    environment.set_fuel(Some(fuel));
    let captured = environment.template_from_str(text)?.render_captured(facts.clone())?;
    let left = captured.state().fuel_levels().map_or(0, |(_, left)| left);
    Ok((captured.into_output(), left))
}

/// What an error says, without the engine's own decorations.
pub(super) fn says(error: &Error) -> String {
    match (error.kind(), error.detail()) {
        (minijinja::ErrorKind::OutOfFuel, _) => {
            "the template does too much: it ran out of the steps and bytes that one document may use".to_owned()
        }
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    }
}

/// Line and column of `error` in the document, whose string `text` begins at `line` and `column` (all from one).
///
/// A block text and a string on one line stand in the document as they are, so that the place inside them is known
/// exactly; where YAML folds or unescapes, the place of the string has to do.
pub(super) fn place(source: &[&str], text: &str, line: usize, column: usize, error: &Error) -> (usize, usize) {
    let start = error.range().map(|range| range.start);
    let (row, offset) = match (start, error.line()) {
        (Some(start), _) => {
            let before = text.get(..start).unwrap_or_default();
            let row = before.matches('\n').count();
            (row, before.rsplit('\n').next().unwrap_or_default().chars().count())
        }
        (None, Some(line)) => (line.saturating_sub(1), 0),
        (None, None) => return (line, column),
    };
    let wanted = text.split('\n').nth(row).unwrap_or_default();
    // A block text: its lines stand below its beginning, each behind the indentation.
    let is_block = |first: usize| {
        source
            .get(first + row)
            .is_some_and(|found| found.trim_end().ends_with(wanted.trim_end()))
    };
    let header = source
        .get(line.saturating_sub(1))
        .map(|found| found.chars().skip(column.saturating_sub(1)).collect::<String>());
    let header = header.unwrap_or_default();
    if header.starts_with('|') && is_block(line) {
        let found = source.get(line + row).map_or("", |found| found.trim_end());
        let indent = found.chars().count().saturating_sub(wanted.trim_end().chars().count());
        return (line + row + 1, indent + offset + 1);
    }
    // On one line: behind the quote, if there is one.
    if row == 0
        && let Some(at) = header.find(wanted).filter(|at| *at <= 1)
    {
        return (line, column + at + offset);
    }
    (line, column)
}
