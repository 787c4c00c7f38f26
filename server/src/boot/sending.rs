//! A file as an answer: whole or in part, with all that a client needs to come back for the rest.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::fetched::{Evidence, counted};
use crate::assets::{Part, Promises, Verified, body, part};
use crate::metrics::Metrics;

/// What a request wants of a file, and how its connection can send it.
pub(super) struct Wanted {
    method: Method,
    headers: HeaderMap,
    /// None over TLS, and for a request that came by no connection.
    promises: Option<Promises>,
}

impl<S: Sync> FromRequestParts<S> for Wanted {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self {
            method: parts.method.clone(),
            headers: parts.headers.clone(),
            promises: parts.extensions.get().cloned(),
        })
    }
}

/// Answers with what is wanted of a file. `evidence` is kept when its last byte went out.
pub(super) async fn send(
    file: Verified,
    wanted: Wanted,
    evidence: Option<Evidence>,
    metrics: &Arc<Metrics>,
) -> Response {
    let Verified { file, size, etag } = file;
    let (status, start, length) = match part(&wanted.headers, size, &etag) {
        Part::Whole => (StatusCode::OK, 0, size),
        Part::From { start, length } => (StatusCode::PARTIAL_CONTENT, start, length),
        Part::Unsatisfiable => {
            let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
            set(
                response.headers_mut(),
                header::CONTENT_RANGE,
                &format!("bytes */{size}"),
            );
            return response;
        }
    };
    let mut response = if wanted.method == Method::HEAD {
        Response::new(Body::empty())
    } else {
        let file = file.into_std().await;
        let body = body(file, start, length, Arc::clone(metrics), wanted.promises);
        // A part that ends before the file does is no complete fetch.
        let is_to_the_end = start + length == size;
        Response::new(match evidence.filter(|_| is_to_the_end) {
            Some(evidence) => counted(body, length, evidence),
            None => body,
        })
    };
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    set(headers, header::ETAG, &etag);
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {start}-{}/{size}", start + length - 1);
        set(headers, header::CONTENT_RANGE, &range);
    }
    response
}

fn set(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
