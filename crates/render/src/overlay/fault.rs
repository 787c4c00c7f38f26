//! What is wrong with a user's template, and where.

use std::fmt;

use thirdboot_butane::{Entry, Kind, Report};

/// One thing that is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The template's name.
    pub template: String,
    /// The line in it, counted from one; 0 where no line is to blame.
    pub line: usize,
    /// The column in characters, counted from one; 0 where there is none.
    pub column: usize,
    /// The way to the field in the document, such as `storage.files.0.path`; empty for the whole.
    pub field: String,
    /// What is wrong.
    pub what: String,
}

impl Fault {
    /// About the template as a whole.
    pub(super) fn whole(template: &str, what: impl Into<String>) -> Self {
        Self {
            template: template.to_owned(),
            line: 0,
            column: 0,
            field: String::new(),
            what: what.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.template)?;
        if self.line > 0 {
            write!(f, ", line {} column {}", self.line, self.column)?;
        }
        if !self.field.is_empty() {
            write!(f, ", {}", self.field)?;
        }
        write!(f, ": {}", self.what)
    }
}

/// Everything that refuses the document: errors, or the warnings that a strict reading takes for errors.
pub(super) fn faults(template: &str, report: &Report) -> Vec<Fault> {
    let is_fatal = report.is_fatal();
    let fault = |entry: &Entry| Fault {
        template: template.to_owned(),
        line: entry.line,
        column: entry.column,
        field: entry.path.to_string().trim_start_matches(['$', '.']).to_owned(),
        what: if entry.message.contains("--files-dir") {
            "a template has no local files: write the content with `inline`".to_owned()
        } else {
            entry.message.clone()
        },
    };
    let refusing = report
        .entries
        .iter()
        .filter(|entry| !is_fatal || entry.kind == Kind::Error);
    // What Butane makes several things of is told once.
    let mut faults: Vec<Fault> = Vec::new();
    for fault in refusing.map(fault) {
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    }
    faults
}
