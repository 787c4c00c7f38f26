//! The one error type of both planes, and the one place where it becomes HTTP.

use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use thirdboot_api::{PROBLEM_MEDIA_TYPE, Problem, ProblemType};
use thirdboot_lifecycle::{ClaimRefused, Refused};
use thirdboot_store::{StoreError, SubmitError};

use crate::secrets::redact;

/// Seconds after which asking a store again is worthwhile.
const STORE_RETRY_S: u64 = 5;

/// Why a request was not answered with what it asked for.
#[derive(Debug)]
pub struct Failure {
    problem: Box<Problem>,
    // What the log is told and the asker is not.
    cause: Option<String>,
}

/// What a handler gives back.
pub type Answer<T = Response> = Result<T, Failure>;

impl Failure {
    /// A problem of this kind, with what went wrong this time.
    pub fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Problem::new(kind, detail).into()
    }

    /// The field at fault.
    pub fn field(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Problem::new(ProblemType::Malformed, detail).at(field).into()
    }

    /// Nothing is there.
    pub fn not_found() -> Self {
        Self::new(ProblemType::NotFound, "nothing is served at this path")
    }

    /// No credentials, or unknown ones.
    pub fn unauthorized() -> Self {
        Self::new(
            ProblemType::Unauthorized,
            "expected `Authorization: Bearer` with a secret that this server knows",
        )
    }

    /// A fault of the server: the log gets the cause, the asker does not.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        Self {
            problem: Box::new(Problem::new(ProblemType::Internal, "the server's log says more")),
            cause: Some(cause.to_string()),
        }
    }

    /// The server cannot answer now; the log gets the cause.
    pub fn unavailable(detail: &str, cause: impl std::fmt::Display) -> Self {
        let problem = Problem::new(ProblemType::Unavailable, detail).retry_after(STORE_RETRY_S);
        Self {
            problem: Box::new(problem),
            cause: Some(cause.to_string()),
        }
    }

    /// The problem's kind in a word.
    fn kind(&self) -> &'static str {
        let known = ProblemType::ALL.iter().find(|kind| self.problem.is(**kind));
        known.map_or("other", |kind| kind.as_str())
    }

    /// The problem document.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self {
            problem: Box::new(problem),
            cause: None,
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        *failure.problem
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) => Self::unavailable("the store cannot answer now", cause),
            StoreError::Corrupt { .. } => Self::internal(error),
            StoreError::Taken { field, value, owner } => {
                let detail = format!("{value} belongs to {owner} already");
                Problem::new(ProblemType::AlreadyTaken, detail).at(field).into()
            }
            StoreError::LastAdmin { .. } => Self::new(ProblemType::Refused, error.to_string()),
            StoreError::Exhausted { ref field, .. } => {
                let problem = Problem::new(ProblemType::Refused, error.to_string());
                problem.at(field.clone()).into()
            }
        }
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        let kind = if refused.over {
            ProblemType::RunOver
        } else {
            ProblemType::Refused
        };
        let problem = Problem::new(kind, refused.to_string()).in_stage(refused.stage.as_str());
        if refused.expected.is_empty() {
            problem.into()
        } else {
            problem.expecting_any(refused.expected).into()
        }
    }
}

impl From<ClaimRefused> for Failure {
    fn from(refused: ClaimRefused) -> Self {
        let kind = match refused {
            ClaimRefused::No(_) => ProblemType::ClaimRefused,
            ClaimRefused::AlreadyInstalled(_) => ProblemType::AlreadyInstalled,
        };
        Self::new(kind, refused.to_string())
    }
}

impl From<SubmitError> for Failure {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Store(error) => error.into(),
            SubmitError::NoSuchHost => Self::new(ProblemType::NotFound, "no such host"),
            SubmitError::Outdated { .. } => Self::new(ProblemType::Changed, error.to_string()),
            SubmitError::Refused(refused) => refused.into(),
            SubmitError::ClaimRefused(refused) => refused.into(),
            SubmitError::NotNow(why) => Self::new(ProblemType::Refused, why),
        }
    }
}

/// The kind of the problem that an answer is, for who counts answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refusal(pub(crate) &'static str);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        if let Some(cause) = &self.cause {
            tracing::error!(cause = %redact(cause), "{}", self.problem.title);
        }
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        // What was typed is quoted in errors, and people mistype with a secret in the clipboard.
        let body = serde_json::to_string(&self.problem).unwrap_or_default();
        let mut response = (status, redact(&body).into_owned()).into_response();
        response.extensions_mut().insert(Refusal(self.kind()));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_MEDIA_TYPE));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.problem.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Any path that is not served.
pub(crate) async fn unknown_path() -> Failure {
    Failure::not_found()
}

/// A path that is served, but not by this method. The router adds `Allow`.
pub(crate) async fn wrong_method(method: Method) -> Failure {
    Failure::new(
        ProblemType::MethodNotAllowed,
        format!("{method} is not served here; see the header Allow"),
    )
}
