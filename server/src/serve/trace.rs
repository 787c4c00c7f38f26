//! What every answer gets, and what the log says of a request: its route, never its path, which carries secrets.

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;

/// Wraps a plane's routes.
pub(crate) fn layered(router: Router, plane: &'static str) -> Router {
    router.layer(from_fn_with_state(plane, answer))
}

async fn answer(plane: axum::extract::State<&'static str>, request: Request, next: Next) -> Response {
    let told = tracing::enabled!(tracing::Level::DEBUG).then(|| {
        let route = request.extensions().get::<MatchedPath>();
        let route = route.map_or_else(|| "(no such path)".to_owned(), |path| path.as_str().to_owned());
        (request.method().clone(), route)
    });
    let mut response = next.run(request).await;
    // No proxy, cache or browser keeps an answer: scripts change with every boot, the rest is secret.
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some((method, route)) = told {
        tracing::debug!(plane = plane.0, %method, %route, status = response.status().as_u16(), "answered");
    }
    response
}
