//! What a check found, and what to do about it.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::json;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and may not for long, or not for everybody.
    Warn,
    /// It does not work.
    Broken,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) check: &'static str,
    pub(super) verdict: Verdict,
    pub(super) found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mend: Option<String>,
}

impl Finding {
    pub(super) fn well(check: &'static str, found: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Ok,
            found: found.into(),
            mend: None,
        }
    }

    pub(super) fn warn(check: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Warn,
            found: found.into(),
            mend: Some(mend.into()),
        }
    }

    pub(super) fn broken(check: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Broken,
            ..Self::warn(check, found, mend)
        }
    }

    pub(super) fn is_broken(&self) -> bool {
        self.verdict == Verdict::Broken
    }
}

pub(super) fn as_lines(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let verdict = match finding.verdict {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Broken => "BROKEN",
        };
        let _ = writeln!(text, "{verdict:7} {:12} {}", finding.check, finding.found);
        if let Some(mend) = &finding.mend {
            let _ = writeln!(text, "{:20} -> {mend}", "");
        }
    }
    text
}

pub(super) fn as_json(findings: &[Finding]) -> String {
    let is_broken = findings.iter().any(Finding::is_broken);
    format!("{:#}\n", json!({"broken": is_broken, "findings": findings}))
}
