//! What Prometheus scrapes: counts and times. No host's name, address or secret is a label; every label has a known, small
//! set of values.

mod families;
mod stored;

use std::fmt::Write as _;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use thirdboot_store::Census;

pub(crate) use families::{EventLabels, KindLabels, OutcomeLabels, PlaneLabels, RouteLabels, StageLabels};

/// What a scrape is answered with.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Everything that is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    hosts: Gauge,
    runs: Family<StageLabels, Gauge>,
    stalled: Gauge,
    store_up: Gauge,
    stage_seconds: Family<StageLabels, Histogram, fn() -> Histogram>,
    stages_entered: Family<StageLabels, Counter>,
    commit_changes: Histogram,
    commit_seconds: Histogram,
    commits_failed: Counter,
    requests: Family<RouteLabels, Histogram, fn() -> Histogram>,
    /// Answers by plane and status.
    pub(crate) responses: Family<PlaneLabels, Counter>,
    /// Problem documents by their kind.
    pub(crate) refusals: Family<KindLabels, Counter>,
    /// Scripts by what they do.
    pub(crate) scripts: Family<KindLabels, Counter>,
    /// Files of runs that were served in full.
    pub(crate) fetches: Family<KindLabels, Counter>,
    /// Reports by event and outcome.
    pub(crate) reports: Family<EventLabels, Counter>,
    /// Claims by outcome.
    pub(crate) claims: Family<OutcomeLabels, Counter>,
    /// Reboot locks that are held: set by whoever hands them out.
    pub(crate) locks_held: Gauge,
    /// Documents of runs: found open, or unsealed.
    pub(crate) documents: Family<OutcomeLabels, Counter>,
    /// Files of the mirror before they are served: known to be good, hashed, or another one than described.
    pub(crate) asset_checks: Family<OutcomeLabels, Counter>,
    /// Bytes of the mirror that were handed to connections.
    pub(crate) asset_sent_bytes: Counter,
    /// Pulls by outcome.
    pub(crate) asset_pulls: Family<OutcomeLabels, Counter>,
    /// Bytes that pulls have downloaded.
    pub(crate) asset_pulled_bytes: Counter,
    uptime_begin: std::time::Instant,
    uptime: Gauge<f64, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        families::registered()
    }
}

impl Metrics {
    /// A request was answered.
    pub(crate) fn answered(&self, plane: &'static str, route: &str, status: u16, took: Duration) {
        let labels = RouteLabels {
            plane,
            route: route.to_owned(),
        };
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
        self.responses.get_or_create(&PlaneLabels { plane, status }).inc();
    }

    /// Everything as text, with how many hosts stand where; none when the store cannot say.
    pub(crate) fn text(&self, census: Option<&Census>) -> String {
        self.store_up.set(census.is_some().into());
        if let Some(census) = census {
            let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
            self.hosts.set(signed(census.hosts));
            self.stalled.set(signed(census.stalled));
            for stage in thirdboot_lifecycle::Stage::ALL {
                let count = census.runs.get(&stage).copied().unwrap_or(0);
                self.runs
                    .get_or_create(&StageLabels { stage: stage.as_str() })
                    .set(signed(count));
            }
        }
        self.uptime.set(self.uptime_begin.elapsed().as_secs_f64());
        let mut text = String::new();
        if prometheus_client::encoding::text::encode(&mut text, &self.registry).is_err() {
            // Writing to a string does not fail; a half text must not look whole.
            text.clear();
            let _ = text.write_str("# EOF\n");
        }
        text
    }

    fn info() -> Info<Vec<(String, String)>> {
        Info::new(vec![("version".to_owned(), env!("CARGO_PKG_VERSION").to_owned())])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::SignedDuration;
    use thirdboot_lifecycle::Stage;
    use thirdboot_store::{Commit, Move, Watch as _};

    use super::*;

    /// Kind and name of everything there is: what has labels is shown only once something was counted.
    fn everything() -> Vec<(String, String)> {
        let metrics = Metrics::default();
        metrics.answered("boot", "/boot.ipxe", 200, Duration::ZERO);
        metrics.committed(&Commit {
            changes: 1,
            took: Duration::ZERO,
            moves: &[Move {
                from: Stage::Armed,
                to: Stage::Netbooting,
                after: SignedDuration::ZERO,
            }],
        });
        for family in [&metrics.refusals, &metrics.scripts, &metrics.fetches] {
            family.get_or_create(&KindLabels { kind: "any" }).inc();
        }
        for family in [
            &metrics.claims,
            &metrics.documents,
            &metrics.asset_checks,
            &metrics.asset_pulls,
        ] {
            family.get_or_create(&OutcomeLabels { outcome: "any" }).inc();
        }
        let (event, outcome) = ("live", "recorded");
        metrics.reports.get_or_create(&EventLabels { event, outcome }).inc();
        let text = metrics.text(Some(&Census::default()));
        let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        types
            .map(|line| line.split_once(' ').unwrap())
            .map(|(name, kind)| (kind.to_owned(), name.to_owned()))
            .collect()
    }

    /// The names of all that is exported, as they stand in queries.
    fn exported() -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for (kind, name) in everything() {
            match kind.as_str() {
                "counter" => names.extend([format!("{name}_total")]),
                "histogram" => names.extend(["bucket", "sum", "count"].map(|end| format!("{name}_{end}"))),
                "info" => names.extend([format!("{name}_info")]),
                _ => names.extend([name]),
            }
        }
        names
    }

    /// Words that begin with our prefix.
    fn mentioned(text: &str) -> BTreeSet<String> {
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .filter(|word| word.starts_with("thirdboot_"))
            .map(str::to_owned)
            .collect()
    }

    fn read(path: &str) -> String {
        std::fs::read_to_string(format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    #[test]
    fn the_dashboard_asks_for_what_is_exported_and_for_all_of_it() {
        let dashboard: serde_json::Value = serde_json::from_str(&read("deploy/grafana-dashboard.json")).unwrap();
        let panels = dashboard["panels"].as_array().unwrap();
        let queries: Vec<&str> = panels
            .iter()
            .flat_map(|panel| panel["targets"].as_array().into_iter().flatten())
            .map(|target| target["expr"].as_str().unwrap())
            .collect();
        let asked = mentioned(&queries.join(" "));
        let unknown: Vec<_> = asked.difference(&exported()).cloned().collect();
        assert_eq!(unknown, Vec::<String>::new(), "nothing exports these");
        let stem = |name: &String| {
            ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|end| name.strip_suffix(end))
                .unwrap_or(name)
                .to_owned()
        };
        let asked: BTreeSet<_> = asked.iter().map(stem).collect();
        let unasked: Vec<_> = exported()
            .iter()
            .map(stem)
            .filter(|name| !asked.contains(name))
            .collect();
        assert_eq!(unasked, Vec::<String>::new(), "no panel shows these");
    }

    #[test]
    fn the_docs_name_every_metric_and_no_other() {
        let docs = mentioned(&read("docs/observability.md"));
        let names: BTreeSet<_> = everything()
            .into_iter()
            .map(|(kind, name)| match kind.as_str() {
                "counter" => format!("{name}_total"),
                "info" => format!("{name}_info"),
                _ => name,
            })
            .collect();
        assert_eq!(docs, names);
    }
}
