//! What translation and validation have to say, and where.

use std::fmt;

use crate::path::Path;

/// How bad an [`Entry`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The document is refused.
    Error,
    /// The document works, but probably not as meant.
    Warning,
    /// Worth knowing.
    Info,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        })
    }
}

/// How far a document got. A later stage begins only if the earlier ones found no error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The bytes are no YAML, or the YAML has not the shape of a Butane document (or the JSON not that of Ignition).
    Read,
    /// Butane's own rules, local files among them.
    #[default]
    Source,
    /// Ignition's rules for the result.
    Result,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// How bad it is.
    pub kind: Kind,
    /// Which stage found it.
    pub stage: Stage,
    /// Where it is in the document; in an Ignition document the keys are those of its JSON.
    pub path: Path,
    /// The line, counted from one; 0 if the document has no lines to speak of.
    pub line: usize,
    /// The column in characters, counted from one; 0 if there is none.
    pub column: usize,
    /// What is the matter.
    pub message: String,
}

impl Entry {
    pub(crate) fn new(kind: Kind, path: Path, message: impl Into<String>) -> Self {
        Self {
            kind,
            stage: Stage::default(),
            path,
            line: 0,
            column: 0,
            message: message.into(),
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.stage == Stage::Read {
            // Butane gives these no kind and no path.
            return match self.line {
                0 => write!(f, "Error translating config: {}", self.message),
                line => write!(
                    f,
                    "Error translating config: line {line} col {}: {}",
                    self.column, self.message
                ),
            };
        }
        write!(f, "{}", self.kind)?;
        match (self.path.is_root(), self.line) {
            (true, 0) => {}
            (true, line) => write!(f, " at line {line} col {}", self.column)?,
            (false, 0) => write!(f, " at {}", self.path)?,
            (false, line) => write!(f, " at {}, line {line} col {}", self.path, self.column)?,
        }
        write!(f, ": {}", self.message)
    }
}

/// Everything found in one document, in the order it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The findings.
    pub entries: Vec<Entry>,
}

impl Report {
    /// A report without findings.
    pub fn new() -> Self {
        Self::default()
    }

    /// A report with one error at `path`.
    pub fn error(path: Path, message: impl Into<String>) -> Self {
        Self {
            entries: vec![Entry::new(Kind::Error, path, message)],
        }
    }

    /// Whether there is an error.
    pub fn is_fatal(&self) -> bool {
        self.entries.iter().any(|entry| entry.kind == Kind::Error)
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The errors alone.
    pub fn errors(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.kind == Kind::Error)
    }

    /// Adds the findings of another report.
    pub fn merge(&mut self, other: Self) {
        self.entries.extend(other.entries);
    }

    pub(crate) fn push(&mut self, kind: Kind, path: Path, message: impl Into<String>) {
        self.entries.push(Entry::new(kind, path, message));
    }

    pub(crate) fn at_stage(mut self, stage: Stage) -> Self {
        for entry in &mut self.entries {
            entry.stage = stage;
        }
        self
    }
}

impl fmt::Display for Report {
    /// One line for each finding.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for entry in &self.entries {
            writeln!(f, "{entry}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Report {}
