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
