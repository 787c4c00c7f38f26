//! What there is to count, and under which names and labels.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::Metrics;

/// From a burst of reports to a week of waiting.
const STAGE_SECONDS: [f64; 14] = [
    1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 21600.0, 86400.0,
];
/// From memory to a disk that is in trouble.
const REQUEST_SECONDS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0];
/// As many as share a commit.
const COMMIT_CHANGES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// A stage of a run.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct StageLabels {
    pub(crate) stage: &'static str,
}

/// A plane, and an answer's status.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct PlaneLabels {
    pub(crate) plane: &'static str,
    pub(crate) status: u16,
}

/// A route as the router knows it: parameters by their names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RouteLabels {
    pub(crate) plane: &'static str,
    pub(crate) route: String,
}

/// A word out of a fixed list.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct KindLabels {
    pub(crate) kind: &'static str,
}

/// How something ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct OutcomeLabels {
    pub(crate) outcome: &'static str,
}

/// What a host said, and how it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct EventLabels {
    pub(crate) event: &'static str,
    pub(crate) outcome: &'static str,
}

fn stage_seconds() -> Histogram {
    Histogram::new(STAGE_SECONDS)
}

fn request_seconds() -> Histogram {
    Histogram::new(REQUEST_SECONDS)
}

/// Everything, at zero.
pub(super) fn registered() -> Metrics {
    let metrics = Metrics {
        registry: Registry::with_prefix("thirdboot"),
        hosts: Gauge::default(),
        runs: Family::default(),
        stalled: Gauge::default(),
        store_up: Gauge::default(),
        stage_seconds: Family::new_with_constructor(stage_seconds),
        stages_entered: Family::default(),
        commit_changes: Histogram::new(COMMIT_CHANGES),
        commit_seconds: request_seconds(),
        commits_failed: Counter::default(),
        requests: Family::new_with_constructor(request_seconds),
        responses: Family::default(),
        refusals: Family::default(),
        scripts: Family::default(),
        fetches: Family::default(),
        reports: Family::default(),
        claims: Family::default(),
        locks_held: Gauge::default(),
        documents: Family::default(),
        asset_checks: Family::default(),
        asset_sent_bytes: Counter::default(),
        asset_pulls: Family::default(),
        asset_pulled_bytes: Counter::default(),
        uptime_begin: std::time::Instant::now(),
        uptime: Gauge::default(),
    };
    let mut registry = Registry::with_prefix("thirdboot");
    hosts(&mut registry, &metrics);
    service(&mut registry, &metrics);
    assets(&mut registry, &metrics);
    Metrics { registry, ..metrics }
}

/// A family a line: its field, its name, what it counts, and its unit where it has one.
macro_rules! register {
    ($to:ident, $from:ident; $($field:ident: $name:literal, $help:literal $(, $unit:ident)?;)+) => {
        $(register!(@one $to, $name, $help, $from.$field.clone() $(, $unit)?);)+
    };
    (@one $to:ident, $name:literal, $help:literal, $metric:expr) => {
        $to.register($name, $help, $metric)
    };
    (@one $to:ident, $name:literal, $help:literal, $metric:expr, $unit:ident) => {
        $to.register_with_unit($name, $help, Unit::$unit, $metric)
    };
}

fn hosts(to: &mut Registry, from: &Metrics) {
    register! { to, from;
        hosts: "hosts", "Hosts that are described";
        runs: "runs", "Hosts by the stage of their last run";
        stalled: "runs_stalled", "Runs past a deadline of their stage";
        stage_seconds: "stage", "How long a run was in a stage that it left", Seconds;
        stages_entered: "stages_entered", "Runs that entered a stage";
        scripts: "scripts", "Scripts served, by what they do";
        fetches: "fetches", "Files of runs that were served in full";
        reports: "reports", "Reports of hosts";
        claims: "claims", "Claims: questions whether a disk may be written";
        locks_held: "reboot_locks_held", "Reboot locks that are held";
    }
}

fn service(to: &mut Registry, from: &Metrics) {
    to.register("build", "The running version", Metrics::info());
    register! { to, from;
        uptime: "uptime", "Time since the start", Seconds;
        store_up: "store_up", "Whether the store answered this scrape";
        commit_changes: "commit_changes", "Changes that shared a commit";
        commit_seconds: "commit", "Time from a commit's first statement to its answer", Seconds;
        commits_failed: "commits_failed", "Transactions that were given up, or may not last: full, locked or lost";
        requests: "http_request", "Time to an answer's head", Seconds;
        responses: "http_responses", "Answers by status";
        refusals: "refusals", "Answers that are problem documents, by kind";
        documents: "documents", "Documents of runs that were needed";
    }
}

fn assets(to: &mut Registry, from: &Metrics) {
    register! { to, from;
        asset_checks: "asset_checks", "Looks at a file of the mirror before it is served";
        asset_sent_bytes: "asset_sent_bytes", "Bytes of the mirror handed to connections";
        asset_pulls: "asset_pulls", "Pulls that ended";
        asset_pulled_bytes: "asset_pulled_bytes", "Bytes downloaded by pulls";
    }
}
