//! Why something could not be rendered.

/// Why something could not be rendered. Shown to the admin whose value or template it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A value of the host cannot stand where it has to stand.
    #[error("{field}: {value:?} cannot be used: expected {expected}")]
    Value {
        /// The host's field, such as `install.kernel_arguments[1]`.
        field: String,
        /// What it holds, cut.
        value: String,
        /// What it must look like.
        expected: &'static str,
    },
    /// Values of the host contradict one another.
    #[error("{field}: {why}")]
    Contradiction {
        /// The host's field.
        field: String,
        /// Why, and what to set.
        why: String,
    },
    /// A template does not parse, render or translate.
    #[error("{fragment}{at}: {what}", at = Place(*line, field.as_deref()))]
    Fragment {
        /// Which one.
        fragment: String,
        /// Its line, from 1, where known.
        line: Option<usize>,
        /// The field's path, where known.
        field: Option<String>,
        /// What is wrong.
        what: String,
    },
    /// A user's template cannot go on top of the installed config.
    #[error("{}", lines(.0))]
    Templates(Vec<crate::Fault>),
    /// The finished document is not valid Ignition.
    #[error("the {document} config is not valid: {what}")]
    Invalid {
        /// `live` or `installed`.
        document: &'static str,
        /// Every complaint, one a line.
        what: String,
    },
    /// The installed config would fetch something while its root is not up.
    #[error("the installed config has a remote source ({url}): its first boot must need no network")]
    Remote {
        /// The source.
        url: String,
    },
    /// An install script was asked for without what it installs.
    #[error("there is nothing to install from: the mirror has no files for this host")]
    NothingToInstall,
}

impl RenderError {
    /// The host's field, where one is to blame.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Value { field, .. } | Self::Contradiction { field, .. } => Some(field),
            Self::Fragment { field, .. } => field.as_deref(),
            Self::Templates(_) | Self::Invalid { .. } | Self::Remote { .. } | Self::NothingToInstall => None,
        }
    }

    /// What is wrong, for beside the field.
    #[must_use]
    pub fn why(&self) -> String {
        match self {
            Self::Value { value, expected, .. } => format!("{value:?} cannot be used: expected {expected}"),
            Self::Contradiction { why, .. } => why.clone(),
            other => other.to_string(),
        }
    }

    pub(crate) fn value(field: impl Into<String>, value: &str, expected: &'static str) -> Self {
        Self::Value {
            field: field.into(),
            value: value.chars().take(120).collect(),
            expected,
        }
    }

    pub(crate) fn contradiction(field: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Contradiction {
            field: field.into(),
            why: why.into(),
        }
    }
}

fn lines(faults: &[crate::Fault]) -> String {
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// A line and a field, as far as known.
struct Place<'a>(Option<usize>, Option<&'a str>);

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(line) = self.0 {
            write!(f, ":{line}")?;
        }
        if let Some(field) = self.1 {
            write!(f, ", {field}")?;
        }
        Ok(())
    }
}
