//! What a line of the log says beside its own words: which request, which host, which run, in which stage.

mod request;

use thirdboot_lifecycle::{Host, Run};
use thirdboot_store::HostState;
use tracing::Span;

pub(crate) use request::{RequestId, route_of, span_of};

/// From here on every line of this request names the host, and its run as it is now.
pub(crate) fn concerns(state: &HostState) {
    concerns_host(&state.host, state.run.as_ref());
}

/// The same of its parts.
pub(crate) fn concerns_host(host: &Host, run: Option<&Run>) {
    let span = Span::current();
    if span.is_disabled() {
        return;
    }
    span.record("host", tracing::field::display(&host.name));
    if let Some(run) = run {
        span.record("run", run.number.0);
        span.record("stage", tracing::field::display(run.stage));
    }
}

/// The run moved on.
pub(crate) fn reached(stage: &str) {
    Span::current().record("stage", tracing::field::display(stage));
}
