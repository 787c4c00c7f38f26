//! What every answer gets, what is counted of it, and what the log says of a request: its route, never its path, which
//! carries secrets.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use tracing::Instrument as _;

use crate::metrics::{KindLabels, Metrics};
use crate::observe::{RequestId, route_of, span_of};
use crate::problem::Refusal;

/// A plane, and where its requests are counted.
#[derive(Clone)]
struct Plane {
    name: &'static str,
    metrics: Arc<Metrics>,
}

/// Wraps a plane's routes.
pub(crate) fn layered(router: Router, name: &'static str, metrics: &Arc<Metrics>) -> Router {
    let metrics = Arc::clone(metrics);
    router.layer(from_fn_with_state(Plane { name, metrics }, answer))
}

async fn answer(State(plane): State<Plane>, request: Request, next: Next) -> Response {
    let begin = Instant::now();
    let id = RequestId::of(request.headers());
    let span = span_of(&request, plane.name, &id);
    let route = route_of(&request).to_owned();
    let mut response = next.run(request).instrument(span.clone()).await;
    // No proxy, cache or browser keeps an answer: scripts change with every boot, the rest is secret.
    // But for what is named by its own hash.
    let headers = response.headers_mut();
    if !headers
        .get(header::CACHE_CONTROL)
        .is_some_and(|kept| kept.as_bytes().starts_with(b"public"))
    {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    id.answer(response.headers_mut());
    let (status, took) = (response.status().as_u16(), begin.elapsed());
    plane.metrics.answered(plane.name, &route, status, took);
    if let Some(Refusal(kind)) = response.extensions().get() {
        plane.metrics.refusals.get_or_create(&KindLabels { kind }).inc();
    }
    let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    span.in_scope(|| {
        tracing::debug!(status, took_us, "answered");
    });
    response
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::secrets::Purpose;
    use crate::testing::{Logged, TestApp};

    #[tokio::test]
    async fn no_secret_is_logged_however_talkative_the_log() {
        let (logged, _guard) = Logged::start();
        let site = TestApp::new().await;
        let host = site.networked("a1", 1, json!({"role": "agent"})).await.id;
        let secrets = [
            site.secret(Purpose::Boot, host, 0),
            site.secret(Purpose::Lock, host, 0),
            site.secret(Purpose::Conf, host, 1),
            site.secret(Purpose::Live, host, 1),
            site.secret(Purpose::Host, host, 1),
            site.token.clone(),
        ];
        site.api_get("/api/v1/hosts/a1/boot-url").await;
        site.get(&format!("/ipxe/{}", secrets[0])).await;
        site.get(&format!("/ignition/{}/live.ign", secrets[2])).await;
        site.get(&format!("/assets/{}/kernel", secrets[2])).await;
        for secret in &secrets {
            let report = TestApp::report(9, "note", &json!({"message": secret, "log": secret}));
            site.post("/v1/report", &secrets[4], &report).await;
            site.post("/v1/claim", secret, &report).await;
            site.get(&format!("/nothing/{secret}?x={secret}")).await;
            site.get(&format!("/ipxe?serial={secret}&product={secret}")).await;
        }
        site.app.store.close().await;
        site.get(&format!("/ipxe/{}", secrets[0])).await;
        let text = logged.text();
        assert!(text.contains("route=/ipxe/{secret}"), "{text}");
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{text}");
        }
    }
}
