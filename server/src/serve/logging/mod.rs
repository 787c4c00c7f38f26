//! The log: lines for people or programs on standard error, by `RUST_LOG`.

use clap::ValueEnum;
use tracing::Subscriber;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

use super::ServeOptions;

/// What is logged when `RUST_LOG` says nothing.
const DEFAULT_FILTER: &str = "info,sqlx=warn";

/// How a line looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Pretty,
    /// One JSON object a line.
    Json,
}

/// Begins to log for people, and to nobody else. A second call changes nothing.
pub fn for_people() {
    let _ = registry().with(filter()).with(pretty()).try_init();
}

fn filter() -> EnvFilter {
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER))
}

fn pretty<S: Subscriber + for<'s> LookupSpan<'s>>() -> Box<dyn Layer<S> + Send + Sync> {
    fmt::layer().with_target(false).with_writer(std::io::stderr).boxed()
}

/// Begins to log. A second call changes nothing.
pub fn start(options: &ServeOptions) {
    let lines = match options.log_format {
        LogFormat::Pretty => pretty(),
        LogFormat::Json => fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_target(false)
            .with_writer(std::io::stderr)
            .boxed(),
    };
    let _ = registry().with(filter()).with(lines).try_init();
}
