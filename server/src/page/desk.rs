//! Asking the API from inside, as the person who is signed in.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thirdboot_api::{Problem, ProblemType};
use tower::ServiceExt as _;

use super::visitor::Visitor;
use crate::problem::Failure;

/// Headers by which a proxy says who asks: the audit wants to know.
const FORWARDED: &str = "x-forwarded-for";

impl Visitor {
    /// What the API shows at this path.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Problem> {
        read(self.ask(Method::GET, path, &[], Body::empty()).await).await
    }

    /// Does something by the API.
    pub(super) async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Problem> {
        self.send(Method::POST, path, &[], body).await
    }

    /// The same by another method, with headers.
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: &impl Serialize,
    ) -> Result<T, Problem> {
        let body = serde_json::to_vec(body).map_err(|error| broken(&error))?;
        read(self.ask(method, path, headers, body.into()).await).await
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&'static str, &str)], body: Body) -> Response {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        match path.parse() {
            Ok(uri) => *request.uri_mut() = uri,
            Err(_) => return Failure::not_found().into_response(),
        }
        forward(&self.headers, request.headers_mut());
        for (name, value) in headers {
            if let Ok(value) = value.parse() {
                request.headers_mut().insert(*name, value);
            }
        }
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(peer);
        }
        request.extensions_mut().insert(self.caller.clone());
        let answered = self.pages.api.clone().oneshot(request).await;
        answered.unwrap_or_else(|never| match never {})
    }
}

fn forward(from: &HeaderMap, to: &mut HeaderMap) {
    for value in from.get_all(FORWARDED) {
        to.append(FORWARDED, value.clone());
    }
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, Problem> {
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.map_err(|error| broken(&error))?;
    if parts.status.is_success() {
        let bytes: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
        return serde_json::from_slice(bytes).map_err(|error| broken(&error));
    }
    Err(serde_json::from_slice(&bytes).unwrap_or_else(|error| broken(&error)))
}

fn broken(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "a page cannot read what the API answered");
    Problem::new(ProblemType::Internal, "the server's log says more")
}
