//! The log: lines for people or programs on standard error, by `RUST_LOG`; and spans for a collector, where one is named.

mod export;

use std::io::IsTerminal as _;

use clap::ValueEnum;
use tracing::Subscriber;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

use super::ServeOptions;

pub use export::Exporting;
pub(super) use export::check;

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
    // Colours are for a terminal: a journal or a file keeps their escapes.
    let is_coloured =
        std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    fmt::layer()
        .with_target(false)
        .with_ansi(is_coloured)
        .with_writer(std::io::stderr)
        .boxed()
}

/// Begins to log. A second call changes nothing.
///
/// # Errors
/// When the collector's URL is none.
pub fn start(options: &ServeOptions) -> anyhow::Result<Exporting> {
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
    let (exporting, spans) = export::layer(options)?;
    let _ = registry().with(filter()).with(lines).with(spans).try_init();
    Ok(exporting)
}
