//! Reports for people: each finding under the line it is about.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::report::{Entry, Kind, Report};

/// How many lines around a finding are shown.
const CONTEXT_LINES: usize = 2;
/// How much of a line is shown.
const LINE_MAX: usize = 160;

/// Prints a report with the lines of `source` it is about; `name` is what the source is called.
pub fn excerpt(report: &Report, name: &str, source: &[u8], color: bool) -> String {
    let text = String::from_utf8_lossy(source);
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
    let lines: Vec<&str> = text.lines().collect();
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    report
        .entries
        .iter()
        .map(|entry| one(entry, name, &lines, &renderer))
        .collect()
}

fn one(entry: &Entry, name: &str, lines: &[&str], renderer: &Renderer) -> String {
    let level = match entry.kind {
        Kind::Error => Level::ERROR,
        Kind::Warning => Level::WARNING,
        Kind::Info => Level::INFO,
    };
    let title = level.primary_title(&entry.message);
    let Some(line) = entry.line.checked_sub(1).and_then(|at| lines.get(at)) else {
        return renderer
            .render(&[title.elements(std::iter::empty::<Snippet<'_, annotate_snippets::Annotation<'_>>>())])
            + "\n";
    };
    let first = entry.line.saturating_sub(CONTEXT_LINES + 1);
    let last = (entry.line + CONTEXT_LINES).min(lines.len());
    let mut shown = String::new();
    let mut span = 0..0;
    for (at, text) in lines.iter().enumerate().take(last).skip(first) {
        let cut: String = text.chars().take(LINE_MAX).collect();
        if at + 1 == entry.line {
            let column: usize = line
                .chars()
                .take(entry.column.saturating_sub(1))
                .take(LINE_MAX)
                .map(char::len_utf8)
                .sum();
            let word = cut.get(column..).unwrap_or_default();
            let len = word
                .find([' ', '\t'])
                .unwrap_or(word.len())
                .max(usize::from(!word.is_empty()));
            span = shown.len() + column..shown.len() + column + len;
        }
        shown.push_str(&cut);
        shown.push('\n');
    }
    let place = entry.path.to_string();
    let snippet = Snippet::source(&shown)
        .line_start(first + 1)
        .path(name)
        .fold(false)
        .annotation(AnnotationKind::Primary.span(span).label(&place));
    renderer.render(&[title.element(snippet)]) + "\n"
}
