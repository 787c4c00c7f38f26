//! What can go wrong between a client and a server.

use crate::{Problem, ProblemType};

/// Why there is no answer of the kind that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The URL cannot be used.
    #[error("{url:?} is no URL of a server: {why}")]
    BadUrl {
        /// As given.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The HTTP client cannot be made.
    #[error("no HTTP client can be made: {0}")]
    Setup(#[source] reqwest::Error),
    /// The CA that was given is none.
    #[error("the CA file holds no certificate in PEM")]
    BadCa,
    /// No connection, no answer in time, or an answer cut short.
    #[error("{url} cannot be reached: {why}")]
    Unreachable {
        /// Where.
        url: String,
        /// Why, in one line.
        why: String,
    },
    /// The server says what is wrong.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// A status that is no success and carries no problem document.
    #[error("{url} answered {status}: {excerpt}")]
    Unexpected {
        /// Where.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The beginning of the body.
        excerpt: String,
    },
    /// A success whose body is not what was asked for.
    #[error("the answer of {url} cannot be read: {why}")]
    Unreadable {
        /// Where.
        url: String,
        /// What is wrong with it.
        why: String,
    },
}

impl ClientError {
    pub(crate) fn unreachable(url: &reqwest::Url, error: reqwest::Error) -> Self {
        Self::Unreachable {
            url: without_secrets(url),
            why: innermost(&error.without_url()),
        }
    }

    /// The server's problem document, if it sent one.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }

    /// Whether the server said a problem of this kind.
    #[must_use]
    pub fn is(&self, kind: ProblemType) -> bool {
        self.problem().is_some_and(|problem| problem.is(kind))
    }

    /// The HTTP status, if there was an answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Problem(problem) => Some(problem.status),
            Self::Unexpected { status, .. } => Some(*status),
            Self::BadUrl { .. } | Self::BadCa | Self::Setup(_) | Self::Unreachable { .. } | Self::Unreadable { .. } => {
                None
            }
        }
    }

    /// Whether the same question may be answered later: no answer, or a 5xx.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            _ => self.status().is_some_and(|status| status >= 500),
        }
    }
}

/// The last error of a chain, which says most: the outer ones repeat that a request failed.
#[must_use]
pub fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// A URL for people: paths carry secrets on the boot plane, so that any `tb_…` segment is cut, and queries are dropped.
pub(crate) fn without_secrets(url: &reqwest::Url) -> String {
    let path: Vec<&str> = url
        .path()
        .split('/')
        .map(|segment| if segment.starts_with("tb_") { "tb_…" } else { segment })
        .collect();
    format!("{}{}", url.origin().ascii_serialization(), path.join("/"))
}
