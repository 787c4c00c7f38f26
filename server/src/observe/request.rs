//! A request's number: in every line that it causes, and in its answer.

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use tracing::Span;
use tracing::field::Empty;

/// The header that carries it.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// The longest that is taken from a caller.
const MAX_LEN: usize = 64;

/// A request's number.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    /// The caller's own, if it is a plain word; else a new one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        match headers.get(HEADER) {
            Some(given) if is_plain(given) => Self(given.clone()),
            _ => Self::random(),
        }
    }

    fn random() -> Self {
        // A number that repeats does no harm.
        let number = getrandom::u64().unwrap_or_default();
        Self(HeaderValue::from_str(&format!("{number:016x}")).unwrap_or(HeaderValue::from_static("0")))
    }

    fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// Gives it back to the caller.
    pub(crate) fn answer(self, headers: &mut HeaderMap) {
        headers.insert(HEADER, self.0);
    }
}

/// A secret must not come back in through the log.
fn is_plain(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    (1..=MAX_LEN).contains(&bytes.len())
        && !bytes.starts_with(b"tb_")
        && bytes
            .iter()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_'))
}

/// The span of a request, by its route: its path carries secrets.
pub(crate) fn span_of(request: &Request, plane: &'static str, id: &RequestId) -> Span {
    // Whatever is logged of a request names its host, a lone warning also.
    tracing::error_span!(
        "request",
        request_id = %id.as_str(),
        %plane,
        method = %request.method(),
        route = %route_of(request),
        host = Empty,
        run = Empty,
        stage = Empty,
    )
}

/// The route as the router knows it.
pub(crate) fn route_of(request: &Request) -> &str {
    request
        .extensions()
        .get::<MatchedPath>()
        .map_or("(no such path)", MatchedPath::as_str)
}
