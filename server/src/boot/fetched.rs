//! Evidence that a file was served in full. A GET that broke off is none, nor is a HEAD or a range in the middle.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use thirdboot_lifecycle::{Fetch, RunNumber};
use thirdboot_store::{HostId, Submission, SubmitError};
use tracing::{Instrument as _, Span};

use super::repeats::Repeat;
use crate::App;
use crate::metrics::KindLabels;

/// What is proven once a body went out in full.
pub(super) struct Evidence {
    pub(super) app: App,
    pub(super) host: HostId,
    pub(super) run: RunNumber,
    pub(super) what: Fetch,
    /// Of the request.
    pub(super) span: Span,
}

impl Evidence {
    /// Written beside the answer: no fetch waits for its evidence.
    fn keep(self) {
        let Self {
            app,
            host,
            run,
            what,
            span,
        } = self;
        let kind = what.as_str();
        app.metrics.fetches.get_or_create(&KindLabels { kind }).inc();
        let repeat = Repeat::Fetched(host, run, what);
        if app.repeats.is_repeat(&repeat) {
            return;
        }
        app.repeats.note(repeat);
        let keeping = async move {
            match app.store.submit(host, Submission::Fetched { run, what }).await {
                Ok(_) | Err(SubmitError::Refused(_)) => {}
                Err(error) => {
                    tracing::warn!(what = what.as_str(), %error, "evidence of a fetch is lost");
                }
            }
        };
        tokio::spawn(keeping.instrument(span));
    }
}

/// A body that keeps its evidence when its last byte was handed over.
struct Counted {
    inner: Body,
    left: u64,
    evidence: Option<Evidence>,
}

/// `inner`, of `length` bytes, with what it proves when it went out.
pub(super) fn counted(inner: Body, length: u64, evidence: Evidence) -> Body {
    Body::new(Counted {
        inner,
        left: length,
        evidence: Some(evidence),
    })
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            self.left = self.left.saturating_sub(data.len().try_into().unwrap_or(u64::MAX));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // The connection drops a body when it has taken all of it, or when it broke.
        if self.left == 0
            && let Some(evidence) = self.evidence.take()
        {
            evidence.keep();
        }
    }
}
