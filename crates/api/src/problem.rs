//! Errors on the wire: RFC 9457 problem documents.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::StageName;
use crate::names::words;

/// The media type of a problem document.
pub const PROBLEM_MEDIA_TYPE: &str = "application/problem+json";

words! {
    /// The kinds of problem, by the URI in `type`. Title and usual status follow from the kind.
    ProblemType, "problem type" {
        /// A body or query that cannot be read, or a field that is not as it must be.
        Malformed = "/problems/malformed",
        /// No credentials, or unknown ones.
        Unauthorized = "/problems/unauthorized",
        /// Known, and not allowed to.
        Forbidden = "/problems/forbidden",
        /// Nothing is there.
        NotFound = "/problems/not-found",
        /// The path is there, the method is not.
        MethodNotAllowed = "/problems/method-not-allowed",
        /// The body is larger than allowed.
        TooLarge = "/problems/too-large",
        /// A name or an identifier belongs to another host.
        AlreadyTaken = "/problems/already-taken",
        /// The thing was changed meanwhile.
        Changed = "/problems/changed",
        /// `If-Match` names another version than the present one.
        PreconditionFailed = "/problems/precondition-failed",
        /// `If-Match` is needed, so that nobody's change is overwritten unseen.
        PreconditionRequired = "/problems/precondition-required",
        /// The Idempotency-Key was used for another request.
        KeyReused = "/problems/key-reused",
        /// Not legal where the run or the host stands.
        Refused = "/problems/refused",
        /// The run is over: nothing more of it will be taken.
        RunOver = "/problems/run-over",
        /// The disk must not be written.
        ClaimRefused = "/problems/claim-refused",
        /// The disk carries this very run's finished install: boot it.
        AlreadyInstalled = "/problems/already-installed",
        /// Not yet this host's turn: ask again after `retry_after_s`.
        NotYet = "/problems/not-yet",
        /// The server cannot answer now: ask again.
        Unavailable = "/problems/unavailable",
        /// A fault of the server: its log knows more.
        Internal = "/problems/internal",
    }
}

impl ProblemType {
    /// The short summary of the kind.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Malformed => "The request cannot be read",
            Self::Unauthorized => "Credentials are missing or unknown",
            Self::Forbidden => "Not allowed",
            Self::NotFound => "Nothing is there",
            Self::MethodNotAllowed => "This method is not served here",
            Self::TooLarge => "The body is too large",
            Self::AlreadyTaken => "Another host has it",
            Self::Changed => "It was changed meanwhile",
            Self::PreconditionFailed => "It was changed since it was read",
            Self::PreconditionRequired => "If-Match is needed",
            Self::KeyReused => "The Idempotency-Key was used for another request",
            Self::Refused => "Not legal now",
            Self::RunOver => "The run is over",
            Self::ClaimRefused => "Do not write the disk",
            Self::AlreadyInstalled => "This run is already installed on the disk",
            Self::NotYet => "Not yet",
            Self::Unavailable => "The server cannot answer now",
            Self::Internal => "A fault of the server",
        }
    }

    /// The HTTP status it is answered with.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed | Self::KeyReused => 422,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::PreconditionFailed => 412,
            Self::TooLarge => 413,
            Self::PreconditionRequired => 428,
            Self::AlreadyTaken
            | Self::Changed
            | Self::Refused
            | Self::RunOver
            | Self::ClaimRefused
            | Self::AlreadyInstalled => 409,
            Self::NotYet | Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }
}

/// A problem document. Fields that a newer server adds are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "type": "/problems/malformed", "title": "The request cannot be read", "status": 422,
    "detail": "\"zz\" is not a MAC address", "field": "macs[1]"
})))]
pub struct Problem {
    /// Which kind: a path below `/problems/`, or `about:blank`.
    #[serde(rename = "type", default = "about_blank")]
    pub kind: String,
    /// The kind in a few words.
    #[serde(default)]
    pub title: String,
    /// The HTTP status, repeated.
    #[serde(default)]
    pub status: u16,
    /// What went wrong this time, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The field that is at fault: its path in the body, such as `macs[1]` or `install.disk`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What was expected instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Expected>,
    /// The stage of the run that refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<StageName>,
    /// Ask again after so many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
    /// Every field at fault, where a request has more than one of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
}

/// One of several fields at fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// Its path in the body, such as `hosts[3].macs[1]`.
    pub field: String,
    /// What is wrong with it.
    pub detail: String,
}

fn about_blank() -> String {
    "about:blank".to_owned()
}

/// What was expected: a sentence, or a list of words of which each would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Expected {
    /// In words.
    Words(String),
    /// Any of these.
    AnyOf(Vec<String>),
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) => f.write_str(words),
            Self::AnyOf(words) => f.write_str(&words.join(", ")),
        }
    }
}

impl Problem {
    /// What went wrong, for people: the detail, or the kind in a few words where there is none.
    #[must_use]
    pub fn says(&self) -> &str {
        self.detail.as_deref().unwrap_or(&self.title)
    }

    /// A problem of this kind, with what went wrong this time.
    #[must_use]
    pub fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self {
            kind: kind.as_str().to_owned(),
            title: kind.title().to_owned(),
            status: kind.status(),
            detail: Some(detail.into()),
            field: None,
            expected: None,
            stage: None,
            retry_after_s: None,
            errors: Vec::new(),
        }
    }

    /// At fault is this field.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Expected was this.
    #[must_use]
    pub fn expecting(mut self, words: impl Into<String>) -> Self {
        self.expected = Some(Expected::Words(words.into()));
        self
    }

    /// Expected was any of these.
    #[must_use]
    pub fn expecting_any<T: Into<String>>(mut self, words: impl IntoIterator<Item = T>) -> Self {
        self.expected = Some(Expected::AnyOf(words.into_iter().map(Into::into).collect()));
        self
    }

    /// The run that refused stands here.
    #[must_use]
    pub fn in_stage(mut self, stage: impl Into<StageName>) -> Self {
        self.stage = Some(stage.into());
        self
    }

    /// Worth asking again after so many seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Whether it is of this kind. Only the end of `type` counts, so that an absolute URI will do.
    #[must_use]
    pub fn is(&self, kind: ProblemType) -> bool {
        self.kind.ends_with(kind.as_str())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = &self.field {
            write!(f, "{field}: ")?;
        }
        f.write_str(self.detail.as_deref().unwrap_or(&self.title))?;
        match &self.expected {
            Some(Expected::AnyOf(words)) if words.is_empty() => Ok(()),
            Some(expected) => write!(f, " (expected {expected})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_the_field_and_what_was_expected() {
        let problem = Problem::new(ProblemType::Malformed, "\"zz\" is no MAC address")
            .at("macs[1]")
            .expecting("six bytes in hex");
        assert_eq!(
            problem.to_string(),
            "macs[1]: \"zz\" is no MAC address (expected six bytes in hex)"
        );
        insta::assert_json_snapshot!(problem);
    }

    #[test]
    fn a_foreign_problem_is_read_as_far_as_it_goes() {
        let problem: Problem = serde_json::from_str(r#"{"title":"Teapot","balance":3,"expected":["a","b"]}"#).unwrap();
        assert_eq!(problem.kind, "about:blank");
        assert_eq!(problem.to_string(), "Teapot (expected a, b)");
        let nothing: Problem = serde_json::from_str(r#"{"title":"Teapot","expected":[]}"#).unwrap();
        assert_eq!(nothing.to_string(), "Teapot");
    }

    #[test]
    fn a_kind_is_known_by_the_end_of_its_type() {
        let mut problem = Problem::new(ProblemType::RunOver, "run 3 is over");
        assert!(problem.is(ProblemType::RunOver) && !problem.is(ProblemType::Refused));
        problem.kind = format!("https://tb.example{}", problem.kind);
        assert!(problem.is(ProblemType::RunOver));
    }
}
