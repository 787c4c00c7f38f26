//! `/metrics`: without a token, as scrapers are used to; it names no host.

use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use thirdboot_store::Census;
use tokio::sync::Mutex;

use crate::App;
use crate::metrics::CONTENT_TYPE;

/// How long a count of the fleet is good enough: several scrapers must not make the store count again and again.
const COUNTED_FOR: Duration = Duration::from_secs(5);

/// The last count of the fleet.
#[derive(Debug, Default)]
pub struct LastCensus(Mutex<Option<(Instant, Census)>>);

/// Everything that is counted, for Prometheus.
#[utoipa::path(
    get, path = "/metrics", tag = "service", operation_id = "metrics", security(()),
    responses((status = 200, description = "OpenMetrics text", body = String, content_type = "application/openmetrics-text")),
)]
pub(super) async fn metrics(State(app): State<App>) -> Response {
    let census = census(&app).await;
    let text = app.metrics.text(census.as_ref());
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response()
}

/// None when the store cannot count: its other figures are worth more then than ever.
async fn census(app: &App) -> Option<Census> {
    let mut last = app.census.0.lock().await;
    if let Some((at, census)) = &*last
        && at.elapsed() < COUNTED_FOR
    {
        return Some(census.clone());
    }
    match app.store.census().await {
        Ok(census) => {
            *last = Some((Instant::now(), census.clone()));
            Some(census)
        }
        Err(error) => {
            *last = None;
            tracing::warn!(%error, "the fleet cannot be counted");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Method;
    use serde_json::json;

    use crate::secrets::Purpose;
    use crate::testing::TestApp;

    async fn scraped(site: &TestApp) -> String {
        let reply = site.api_as("", Method::GET, "/metrics", Body::empty()).await;
        assert_eq!(reply.status, 200);
        assert!(reply.header("content-type").starts_with("application/openmetrics-text"));
        reply.text()
    }

    #[tokio::test]
    async fn a_run_is_counted_and_timed_without_its_hosts_name() {
        let site = TestApp::new().await;
        let host = site.armed("rack-7-host", 1).await.id;
        site.wait(3);
        site.script(1).await;
        site.tell(host, Purpose::Live, 1, "live", json!({})).await;
        let refused = site
            .post(
                "/v1/report",
                &site.secret(Purpose::Live, host, 1),
                &TestApp::report(2, "ready", &json!({})),
            )
            .await;
        assert_ne!(refused.status, 200);
        let claim = TestApp::claim(1, 1);
        site.post("/v1/claim", &site.secret(Purpose::Live, host, 1), &claim)
            .await;
        let text = scraped(&site).await;
        for line in [
            "thirdboot_runs{stage=\"installing\"} 1",
            "thirdboot_hosts 1",
            "thirdboot_store_up 1",
            "thirdboot_stage_seconds_sum{stage=\"armed\"} 180.0",
            "thirdboot_stages_entered_total{stage=\"live\"} 1",
            "thirdboot_scripts_total{kind=\"install\"} 1",
            "thirdboot_reports_total{event=\"live\",outcome=\"recorded\"} 1",
            "thirdboot_claims_total{outcome=\"granted\"} 1",
            "thirdboot_reboot_locks_held 0",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(
            text.contains("thirdboot_reports_total{event=\"ready\",outcome=\"refused\"} 1"),
            "{text}"
        );
        assert!(
            !text.contains("rack-7") && !text.contains("tb_") && !text.contains("52:54"),
            "{text}"
        );
    }

    #[tokio::test]
    async fn a_store_that_is_away_is_seen_and_the_rest_is_there() {
        let site = TestApp::new().await;
        site.script(1).await;
        site.app.store.close().await;
        let text = scraped(&site).await;
        assert!(text.contains("thirdboot_store_up 0"), "{text}");
        assert!(text.contains("thirdboot_scripts_total{kind=\"hold\"} 1"), "{text}");
    }
}
