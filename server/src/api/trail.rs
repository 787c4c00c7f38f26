//! The audit's trail: every request that may change something is written down with who, from where and how it was
//! answered, without the handler's doing; a handler that hands out a secret takes [`Audit`] and says so before it does.

use std::sync::{Arc, OnceLock};

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::{Method, header, request::Parts};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use thirdboot_store::Deed;
use tracing::Instrument as _;

use super::auth::Caller;
use super::openapi;
use crate::App;
use crate::boot::Source;
use crate::problem::Failure;
use crate::secrets::redact;

/// What is kept of a path.
const MAX_TARGET_CHARS: usize = 200;

/// What is known of a request. The caller turns out when the handler asks for one.
#[derive(Debug, Clone)]
pub(super) struct Trail(Arc<Known>);

#[derive(Debug)]
struct Known {
    caller: OnceLock<Caller>,
    source: String,
    action: String,
    target: String,
}

impl Trail {
    fn of(request: &Request, source: Source) -> Self {
        let route = request
            .extensions()
            .get::<MatchedPath>()
            .map_or("", MatchedPath::as_str);
        Self(Arc::new(Known {
            caller: OnceLock::new(),
            source: source.0.to_string(),
            action: openapi::operation(request.method(), route),
            target: target(request.uri().path()),
        }))
    }

    /// Who it turned out to be.
    pub(super) fn note(parts: &Parts, caller: &Caller) {
        if let Some(trail) = parts.extensions.get::<Self>() {
            // A second extractor of the same request finds the same.
            let _ = trail.0.caller.set(caller.clone());
        }
    }

    fn deed(&self, target: String, status: u16) -> Option<Deed> {
        let caller = self.0.caller.get()?.clone();
        Some(Deed {
            caller: caller.by.to_string(),
            role: caller.role,
            source: self.0.source.clone(),
            action: self.0.action.clone(),
            target,
            status,
        })
    }
}

/// A path as the audit has it.
fn target(path: &str) -> String {
    let path = path.trim_start_matches("/api/v1/");
    redact(path).chars().take(MAX_TARGET_CHARS).collect()
}

/// Lays the trail, and writes down what was done. What nobody known asked for was not done.
pub(super) async fn keep(State(app): State<App>, source: Source, mut request: Request, next: Next) -> Response {
    let trail = Trail::of(&request, source);
    request.extensions_mut().insert(trail.clone());
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return next.run(request).await;
    }
    // In a task of its own: who goes away must not take along the line about what they did.
    let answered = async move {
        let response = next.run(request).await;
        let made = response.headers().get(header::LOCATION);
        let made = made.and_then(|location| location.to_str().ok()).map(target);
        let status = response.status().as_u16();
        if let Some(deed) = trail.deed(made.unwrap_or_else(|| trail.0.target.clone()), status)
            && let Err(error) = app.store.audit(deed.clone()).await
        {
            tracing::error!(%error, by = deed.caller, action = deed.action, target = deed.target, status, "not audited");
        }
        response
    };
    tokio::spawn(answered.in_current_span())
        .await
        .unwrap_or_else(|error| Failure::internal(error).into_response())
}

/// For handlers that hand out a secret.
#[derive(Debug)]
pub(super) struct Audit(Trail);

impl Audit {
    /// Writes down that the caller reads a secret. Call it before it is handed out.
    ///
    /// # Errors
    /// When it cannot be written down: then nothing is handed out.
    pub(super) async fn secret_read(&self, app: &App) -> Result<(), Failure> {
        let deed = self.0.deed(self.0.0.target.clone(), 200);
        let deed = deed.ok_or_else(|| Failure::internal("a secret is read by nobody"))?;
        Ok(app.store.audit(deed).await?)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Audit {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let trail = parts.extensions.get::<Trail>().cloned();
        trail
            .map(Self)
            .ok_or_else(|| Failure::internal("a route without a trail"))
    }
}
