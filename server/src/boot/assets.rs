//! `GET /assets/{conf secret}/{file}`: the files of a run's version, each fetch that host's evidence.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use thirdboot_lifecycle::Fetch;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::fetched::counted;
use super::ignition::Ticket;
use super::opened;
use crate::App;
use crate::assets::{AssetError, AssetRole, Part, Verified, part};
use crate::problem::{Answer, Failure};

/// Read at a time: large enough that reading costs nothing, small enough for a thousand clients.
const CHUNK_BYTES: usize = 128 << 10;

pub(super) async fn asset(
    State(app): State<App>,
    Path((secret, name)): Path<(String, String)>,
    method: Method,
    headers: HeaderMap,
) -> Answer {
    let ticket = Ticket::check(&app, &secret).await?;
    let manifest = opened::assets(&app, ticket.host, ticket.run.number).await?;
    // Only what the run's manifest names is ever opened: nothing else of the path reaches the file system.
    let (role, file) = manifest.named(&name).ok_or_else(Failure::not_found)?;
    let verified = app.assets.open(&manifest, file).await.map_err(|error| match error {
        AssetError::Checking => Failure::unavailable("this file is being checked", format!("{name} is being checked")),
        error => Failure::unavailable("this file cannot be served", error),
    })?;
    let part = part(&headers, verified.size, &verified.etag);
    let evidence = ticket.evidence(&app, fetch(role));
    send(verified, part, evidence, &method).await
}

fn fetch(role: AssetRole) -> Fetch {
    match role {
        AssetRole::Kernel => Fetch::Kernel,
        AssetRole::Initramfs => Fetch::Initramfs,
        AssetRole::Rootfs => Fetch::Rootfs,
        AssetRole::Image => Fetch::Image,
        AssetRole::ImageSignature => Fetch::ImageSignature,
    }
}

async fn send(mut file: Verified, part: Part, evidence: super::fetched::Evidence, method: &Method) -> Answer {
    let (status, start, length) = match part {
        Part::Whole => (StatusCode::OK, 0, file.size),
        Part::From { start, length } => (StatusCode::PARTIAL_CONTENT, start, length),
        Part::Unsatisfiable => {
            let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
            set(response.headers_mut(), header::CONTENT_RANGE, &format!("bytes */{}", file.size));
            return Ok(response);
        }
    };
    let mut response = if method == Method::HEAD {
        Response::new(Body::empty())
    } else {
        if start > 0 {
            file.file.seek(std::io::SeekFrom::Start(start)).await.map_err(Failure::internal)?;
        }
        let body = Body::from_stream(ReaderStream::with_capacity(file.file.take(length), CHUNK_BYTES));
        // A part that ends before the file does is no complete fetch.
        let is_to_the_end = start + length == file.size;
        Response::new(if is_to_the_end { counted(body, length, evidence) } else { body })
    };
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    set(headers, header::ETAG, &file.etag);
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {start}-{}/{}", start + length - 1, file.size);
        set(headers, header::CONTENT_RANGE, &range);
    }
    Ok(response)
}

fn set(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
