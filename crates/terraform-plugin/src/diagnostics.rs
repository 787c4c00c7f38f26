//! What Terraform shows its user: errors and warnings, each with the attribute that is at fault.

use crate::wire;
use crate::{Path, Step};

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
        let path = diagnostic.path;
        let underlined = underlined(&path);
        let whole = path.to_string();
        let is_told = path == underlined || diagnostic.summary.contains(&whole) || diagnostic.detail.contains(&whole);
        Self {
            severity: severity.into(),
            summary: diagnostic.summary,
            detail: if is_told {
                diagnostic.detail
            } else {
                format!("{whole}: {}", diagnostic.detail)
            },
            attribute: (!underlined.is_root()).then(|| (&underlined).into()),
        }
    }
}

/// As much of a path as Terraform finds in a configuration: an attribute of the resource, and an element of it. With a
/// longer one, up to version 1.11 at least, it names the line where the resource begins.
fn underlined(path: &Path) -> Path {
    let steps = path.0.iter().enumerate();
    let found = steps.take_while(|(at, step)| *at == 0 || (*at == 1 && !matches!(step, Step::Attribute(_))));
    Path(found.map(|(_, step)| step.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_terraform_cannot_underline_is_told() {
        let path = Path::attribute("network").at("vlans").index(1).at("id");
        let one = Diagnostics::error(path, "It cannot be", "expected 2 to 4094")
            .into_wire()
            .remove(0);
        assert_eq!(one.detail, "network.vlans[1].id: expected 2 to 4094");
        assert_eq!(one.attribute, Some((&Path::attribute("network")).into()));
        let path = Path::attribute("macs").index(1);
        let one = Diagnostics::error(path.clone(), "It cannot be", "no MAC")
            .into_wire()
            .remove(0);
        assert_eq!((one.detail.as_str(), one.attribute), ("no MAC", Some((&path).into())));
    }
}
