//! How a request is answered when it is not answered well.

use std::time::Duration;

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Answered with this status.
    Status(u16),
    /// Too many requests: again after so many seconds.
    TooMany {
        /// `Retry-After`.
        after_s: u64,
    },
    /// Carried out, and answered with 504: something between has lost the answer.
    Lost,
    /// Answered after so many milliseconds.
    Slow {
        /// How many.
        ms: u64,
    },
    /// Answered with something that is no JSON.
    Garbage,
    /// Sent elsewhere.
    Redirect(String),
}

impl Fault {
    /// The answer; none where the request is carried out.
    pub(crate) async fn answer(self) -> Option<Response> {
        Some(match self {
            Self::Status(status) => error(
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                "something is broken",
            ),
            Self::TooMany { after_s } => {
                let mut answer = error(StatusCode::TOO_MANY_REQUESTS, "slow down");
                answer.headers_mut().insert(header::RETRY_AFTER, after_s.into());
                answer
            }
            Self::Slow { ms } => {
                tokio::time::sleep(Duration::from_millis(ms)).await;
                return None;
            }
            Self::Lost => return None,
            Self::Garbage => (StatusCode::OK, "<html>maintenance</html>").into_response(),
            Self::Redirect(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
        })
    }
}

/// The API's own form of an error.
pub(crate) fn error(status: StatusCode, what: &str) -> Response {
    (status, Json(json!({"errors": [what]}))).into_response()
}

pub(crate) fn not_found() -> Response {
    error(StatusCode::NOT_FOUND, "Not found")
}

pub(crate) fn unprocessable(what: &str) -> Response {
    error(StatusCode::UNPROCESSABLE_ENTITY, what)
}
