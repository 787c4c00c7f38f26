//! What Terraform shows its user: errors and warnings, each with the attribute that is at fault.

use crate::Path;
use crate::wire;

/// Whether it ends the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It does.
    Error,
    /// It does not.
    Warning,
}

/// An error or a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which of the two.
    pub severity: Severity,
    /// In one line.
    pub summary: String,
    /// In as many lines as it takes: what was seen, what was expected, what to do.
    pub detail: String,
    /// The value at fault.
    pub path: Path,
}

/// Errors and warnings of one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// One error at a value.
    #[must_use]
    pub fn error(path: Path, summary: impl Into<String>, detail: impl Into<String>) -> Self {
        let mut diagnostics = Self::default();
        diagnostics.add_error(path, summary, detail);
        diagnostics
    }

    /// Adds an error.
    pub fn add_error(&mut self, path: Path, summary: impl Into<String>, detail: impl Into<String>) {
        self.add(Severity::Error, path, summary, detail);
    }

    /// Adds a warning.
    pub fn add_warning(&mut self, path: Path, summary: impl Into<String>, detail: impl Into<String>) {
        self.add(Severity::Warning, path, summary, detail);
    }

    /// Adds all of another's.
    pub fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether there is an error among them.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Nothing, or these if one of them is an error.
    ///
    /// # Errors
    /// With all of them, if one of them is an error.
    pub fn into_result(self) -> Result<Self, Self> {
        if self.has_errors() { Err(self) } else { Ok(self) }
    }

    fn add(&mut self, severity: Severity, path: Path, summary: impl Into<String>, detail: impl Into<String>) {
        self.0.push(Diagnostic {
            severity,
            summary: summary.into(),
            detail: detail.into(),
            path,
        });
    }

    pub(crate) fn into_wire(self) -> Vec<wire::Diagnostic> {
        self.0.into_iter().map(Into::into).collect()
    }
}

impl From<Diagnostic> for wire::Diagnostic {
    fn from(diagnostic: Diagnostic) -> Self {
        let severity = match diagnostic.severity {
            Severity::Error => wire::Severity::Error,
            Severity::Warning => wire::Severity::Warning,
        };
        Self {
            severity: severity.into(),
            summary: diagnostic.summary,
            detail: diagnostic.detail,
            attribute: (!diagnostic.path.is_root()).then(|| (&diagnostic.path).into()),
        }
    }
}
