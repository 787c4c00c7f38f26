//! What a story asks of both planes.

use std::net::SocketAddr;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use serde_json::Value;
use tower::ServiceExt as _;

use super::{Reply, TestApp, document};
use crate::boot::Peer;

fn request(method: Method, path: &str, headers: &[(&str, &str)], body: Body) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body).unwrap()
}

impl TestApp {
    async fn ask(router: &Router, request: Request<Body>) -> Reply {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let reply = Self::whole(router, request).await;
        assert_eq!(reply.header("cache-control"), "no-store");
        document::holds(&method, &path, &reply);
        reply
    }

    /// Any request to the control plane.
    pub(crate) async fn control(&self, request: Request<Body>) -> Reply {
        Self::whole(&self.control, request).await
    }

    /// Any request to the control plane, its answer not read yet.
    pub(crate) async fn open(&self, request: Request<Body>) -> axum::response::Response {
        self.control.clone().oneshot(request).await.unwrap()
    }

    async fn whole(router: &Router, request: Request<Body>) -> Reply {
        let response = router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// Any request to the boot plane, from anywhere.
    pub(crate) async fn boot_request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        from: &str,
        body: Body,
    ) -> Reply {
        let mut request = request(method, path, headers, body);
        request
            .extensions_mut()
            .insert(Peer(SocketAddr::new(from.parse().unwrap(), 1)));
        Self::ask(&self.boot, request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.boot_request(Method::GET, path, &[], "127.0.0.1", Body::empty())
            .await
    }

    pub(crate) async fn get_from(&self, from: &str, path: &str) -> Reply {
        self.boot_request(Method::GET, path, &[], from, Body::empty()).await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.boot_request(Method::GET, path, headers, "127.0.0.1", Body::empty())
            .await
    }

    pub(crate) async fn head(&self, path: &str) -> Reply {
        self.boot_request(Method::HEAD, path, &[], "127.0.0.1", Body::empty())
            .await
    }

    /// A post of a host under one of its secrets.
    pub(crate) async fn post(&self, path: &str, secret: &str, body: &Value) -> Reply {
        let bearer = format!("Bearer {secret}");
        let headers = [("authorization", bearer.as_str())];
        self.boot_request(Method::POST, path, &headers, "127.0.0.1", Body::from(body.to_string()))
            .await
    }

    /// Any request to the control plane under a token.
    pub(crate) async fn api_as(&self, token: &str, method: Method, path: &str, body: Body) -> Reply {
        self.api_with(token, method, path, &[], body).await
    }

    /// The same with headers of its own.
    pub(crate) async fn api_with(
        &self,
        token: &str,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Reply {
        let bearer = format!("Bearer {token}");
        let headers = [headers, &[("authorization", bearer.as_str())]].concat();
        Self::ask(&self.control, request(method, path, &headers, body)).await
    }

    /// Any request to the control plane with further headers, under the admin's token.
    pub(crate) async fn admin_with(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Reply {
        self.api_with(&self.token, method, path, headers, body.into()).await
    }

    /// A request to the control plane that is made from this etag.
    pub(crate) async fn api_if_match(&self, method: Method, path: &str, etag: &str, body: Body) -> Reply {
        self.admin_with(method, path, &[("if-match", etag)], body).await
    }

    pub(crate) async fn api_get(&self, path: &str) -> Reply {
        self.api_as(&self.token, Method::GET, path, Body::empty()).await
    }

    pub(crate) async fn api_post(&self, path: &str, body: &Value) -> Reply {
        self.api_as(&self.token, Method::POST, path, Body::from(body.to_string()))
            .await
    }

    /// The same, once those who wait are waiting.
    pub(crate) async fn api_post_yielded(&self, path: &str, body: &Value) -> Reply {
        tokio::task::yield_now().await;
        self.api_post(path, body).await
    }

    pub(crate) async fn api_patch(&self, path: &str, body: &Value) -> Reply {
        self.api_as(&self.token, Method::PATCH, path, Body::from(body.to_string()))
            .await
    }

    pub(crate) async fn api_delete(&self, path: &str) -> Reply {
        self.api_as(&self.token, Method::DELETE, path, Body::empty()).await
    }

    /// A stream of events, not read yet.
    pub(crate) async fn open_stream(&self, path: &str, last_id: Option<&str>) -> axum::response::Response {
        let bearer = format!("Bearer {}", self.token);
        let mut headers = vec![("authorization", bearer.as_str())];
        headers.extend(last_id.map(|id| ("last-event-id", id)));
        self.open(request(Method::GET, path, &headers, Body::empty())).await
    }
}
