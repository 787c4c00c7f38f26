//! Spans to a collector: OTLP over HTTP, in batches, from a thread of its own. No request waits for it.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use crate::serve::ServeOptions;

/// How long a collector may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Spans on their way. Dropped without [`Exporting::end`], the last of them are lost.
#[derive(Debug)]
#[must_use]
pub struct Exporting(Option<SdkTracerProvider>);

impl Exporting {
    /// Sends what is left.
    pub async fn end(self) {
        let Some(provider) = self.0 else { return };
        // It blocks until the collector has answered.
        let done = tokio::task::spawn_blocking(move || provider.shutdown()).await;
        if !matches!(done, Ok(Ok(()))) {
            tracing::warn!("the last spans may not have reached the collector");
        }
    }
}

/// The layer that makes spans of what is logged; none when no collector is named.
pub(super) fn layer<S>(options: &ServeOptions) -> anyhow::Result<(Exporting, Option<impl Layer<S> + use<S>>)>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let Some(endpoint) = &options.otlp_endpoint else {
        return Ok((Exporting(None), None));
    };
    check(options)?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .with_timeout(TIMEOUT)
        .build()
        .context("otlp_endpoint")?;
    let resource = Resource::builder()
        .with_service_name("thirdboot")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(
            options.otlp_ratio,
        ))))
        .with_resource(resource)
        .build();
    let tracer = provider.tracer("thirdboot");
    let layer = tracing_opentelemetry::layer().with_tracer(tracer);
    Ok((Exporting(Some(provider)), Some(layer)))
}

/// Whether a collector can be named like this.
pub(in crate::serve) fn check(options: &ServeOptions) -> anyhow::Result<()> {
    if let Some(endpoint) = &options.otlp_endpoint {
        let is_url =
            reqwest::Url::parse(endpoint).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        ensure!(
            is_url,
            "otlp_endpoint is {endpoint:?}: expected http:// or https:// and a host"
        );
    }
    ensure!(
        (0.0..=1.0).contains(&options.otlp_ratio),
        "otlp_ratio is {}: expected 0 to 1",
        options.otlp_ratio
    );
    Ok(())
}
