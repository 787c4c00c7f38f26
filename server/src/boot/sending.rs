//! A file as an answer: whole or in part, with all that a client needs to come back for the rest.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::fetched::{Evidence, counted};
use crate::assets::{Part, Verified, body, part};
use crate::metrics::Metrics;

/// Answers with what `headers` ask for of a file. `evidence` is kept when its last byte went out.
pub(super) async fn send(
    file: Verified,
    method: &Method,
    headers: &HeaderMap,
    evidence: Option<Evidence>,
    metrics: &Arc<Metrics>,
) -> Response {
    let (status, start, length) = match part(headers, file.size, &file.etag) {
        Part::Whole => (StatusCode::OK, 0, file.size),
        Part::From { start, length } => (StatusCode::PARTIAL_CONTENT, start, length),
        Part::Unsatisfiable => {
            let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
            set(
                response.headers_mut(),
                header::CONTENT_RANGE,
                &format!("bytes */{}", file.size),
            );
            return response;
        }
    };
    let mut response = if method == Method::HEAD {
        Response::new(Body::empty())
    } else {
        let body = body(file.file.into_std().await, start, length, Arc::clone(metrics));
        // A part that ends before the file does is no complete fetch.
        let is_to_the_end = start + length == file.size;
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
    set(headers, header::ETAG, &file.etag);
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {start}-{}/{}", start + length - 1, file.size);
        set(headers, header::CONTENT_RANGE, &range);
    }
    response
}

fn set(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
