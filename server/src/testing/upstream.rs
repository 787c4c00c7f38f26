//! Somebody to pull from: a stream's metadata and its files over real HTTP, with the faults of a bad line.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use data_encoding::HEXLOWER;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::mirror::bytes;

/// A stream and its files.
#[derive(Clone)]
pub(crate) struct Upstream {
    /// Base URL of everything.
    pub(crate) url: String,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    version: String,
    files: BTreeMap<String, Vec<u8>>,
    /// Answers of a file that break off after so many bytes of their body.
    cuts: BTreeMap<String, Vec<usize>>,
    /// Ranges that were asked for.
    ranges: Vec<(String, String)>,
}

impl Upstream {
    pub(crate) async fn start(version: &str) -> Self {
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = Self {
            url: format!("http://{}", socket.local_addr().unwrap()),
            inner: Arc::default(),
        };
        upstream.publish(version);
        let router = Router::new()
            .route("/streams/stable.json", get(metadata))
            .route("/files/{name}", get(file))
            .with_state(upstream.clone());
        tokio::spawn(async move { axum::serve(socket, router).await });
        upstream
    }

    /// A version of the sample files.
    pub(crate) fn publish(&self, version: &str) {
        let mut inner = self.inner.lock().unwrap();
        version.clone_into(&mut inner.version);
        for name in ["kernel", "initramfs.img", "rootfs.img", "disk.raw.xz"] {
            inner.files.insert(name.to_owned(), bytes(name));
            inner.files.insert(format!("{name}.sig"), b"no signature".to_vec());
        }
    }

    /// Replaces a file, whatever the metadata says of it.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) {
        self.inner.lock().unwrap().files.insert(name.to_owned(), bytes.to_vec());
    }

    /// The next answers with this file break off after so many bytes each.
    pub(crate) fn cut(&self, name: &str, after: &[usize]) {
        let after = after.iter().rev().copied().collect();
        self.inner.lock().unwrap().cuts.insert(name.to_owned(), after);
    }

    /// Ranges that were asked for of a file.
    pub(crate) fn ranges(&self, name: &str) -> Vec<String> {
        let inner = self.inner.lock().unwrap();
        let of_file = inner.ranges.iter().filter(|(asked, _)| asked == name);
        of_file.map(|(_, range)| range.clone()).collect()
    }
}

async fn metadata(State(upstream): State<Upstream>) -> axum::Json<Value> {
    let inner = upstream.inner.lock().unwrap();
    let artifact = |name: &str| {
        let url = format!("{}/files/{name}", upstream.url);
        json!({"location": url, "signature": format!("{url}.sig"), "sha256": HEXLOWER.encode(&Sha256::digest(bytes(name)))})
    };
    let pxe =
        json!({"kernel": artifact("kernel"), "initramfs": artifact("initramfs.img"), "rootfs": artifact("rootfs.img")});
    let formats = json!({"pxe": pxe, "raw.xz": {"disk": artifact("disk.raw.xz")}});
    let artifacts = json!({"artifacts": {"metal": {"release": inner.version, "formats": formats}}});
    axum::Json(json!({"stream": "stable", "metadata": {}, "architectures": {"x86_64": artifacts}}))
}

async fn file(State(upstream): State<Upstream>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let mut inner = upstream.inner.lock().unwrap();
    let Some(whole) = inner.files.get(&name).cloned() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let etag = format!("\"{}\"", HEXLOWER.encode(&Sha256::digest(&whole)));
    let range = headers
        .get(header::RANGE)
        .map(|range| range.to_str().unwrap().to_owned());
    let is_same = headers
        .get(header::IF_RANGE)
        .is_none_or(|known| known.as_bytes() == etag.as_bytes());
    let start = match &range {
        Some(range) => {
            inner.ranges.push((name.clone(), range.clone()));
            let from = range.trim_start_matches("bytes=").trim_end_matches('-');
            if is_same { from.parse().unwrap() } else { 0 }
        }
        None => 0,
    };
    let cut = inner.cuts.get_mut(&name).and_then(Vec::pop);
    drop(inner);
    if start >= whole.len() && start > 0 {
        let total = format!("bytes */{}", whole.len());
        return (StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, total)]).into_response();
    }
    let rest = whole[start..].to_vec();
    let length = rest.len();
    let body = match cut {
        Some(after) => {
            let sent = stream::iter([Ok(rest[..after.min(length)].to_vec())]);
            let broken = stream::once(async {
                // What came before is sent while this is waited for.
                tokio::task::yield_now().await;
                Err(std::io::Error::other("the line is bad"))
            });
            Body::from_stream(sent.chain(broken))
        }
        None => Body::from(rest),
    };
    let mut response = Response::new(body);
    let answer = response.headers_mut();
    answer.insert(header::ETAG, etag.parse().unwrap());
    answer.insert(header::CONTENT_LENGTH, length.into());
    if start > 0 {
        let range = format!("bytes {start}-{}/{}", whole.len() - 1, whole.len());
        answer.insert(header::CONTENT_RANGE, range.parse().unwrap());
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    response
}
