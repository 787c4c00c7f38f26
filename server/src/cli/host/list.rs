//! `thirdboot host list` and `host counts`: which hosts, and how many.

use clap::Args;
use thirdboot_api::HostQuery;
use thirdboot_api::control::{AlertKind, HostCountsView, Platform, Role};

use crate::cli::{Connection, Failure, now, table};

/// What narrows the list down, together.
#[derive(Debug, Args)]
pub(super) struct ListOptions {
    /// Words, each of which is a part of the name, a MAC in any notation, the serial, the UUID, an address or a label.
    #[arg(value_name = "WORD")]
    words: Vec<String>,
    /// Whose last run stands here, such as installing; none is hosts without any.
    #[arg(long)]
    stage: Option<String>,
    /// What they become: server, agent or runner.
    #[arg(long)]
    role: Option<Role>,
    /// The cluster that they join.
    #[arg(long)]
    cluster: Option<String>,
    /// Where they stand: metal or equinix-metal.
    #[arg(long)]
    platform: Option<Platform>,
    /// A label that they have, with any value or with this (repeat it).
    #[arg(long = "label", value_name = "KEY[=VALUE]")]
    labels: Vec<String>,
    /// Whether the last run is past its stage's deadline.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    stalled: Option<bool>,
    /// Whether the last run failed.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    failed: Option<bool>,
    /// Whether the brake is on.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    held: Option<bool>,
    /// Whether they were adopted and not yet armed or released.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    adopted: Option<bool>,
    /// Whether they are out of service.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    retired: Option<bool>,
    /// What is wrong with them beside their runs, such as not-back (repeat it: one of these).
    #[arg(long = "alert", value_name = "KIND")]
    alerts: Vec<AlertKind>,
    /// At most so many.
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

impl ListOptions {
    pub(super) async fn run(self, connection: &Connection) -> Result<(), Failure> {
        let limit = self.limit;
        let hosts = connection.client()?.all_hosts(&self.query(), limit).await?;
        let output = &connection.output;
        output.print(&hosts, || {
            if output.is_wide() {
                table::wide_hosts(&hosts, now())
            } else {
                table::hosts(&hosts, now(), output.columns())
            }
        })
    }

    fn query(self) -> HostQuery {
        HostQuery {
            search: (!self.words.is_empty()).then(|| self.words.join(" ")),
            stage: self.stage,
            role: self.role,
            cluster: self.cluster,
            platform: self.platform,
            labels: self.labels,
            stalled: self.stalled,
            failed: self.failed,
            held: self.held,
            adopted: self.adopted,
            retired: self.retired,
            alerts: self.alerts,
        }
    }
}

pub(super) async fn counts(connection: &Connection) -> Result<(), Failure> {
    let counts = connection.client()?.host_counts().await?;
    let output = &connection.output;
    output.print(&counts, || counted(&counts, output.is_wide(), output.columns()))
}

/// Kinds that no host is of are left out, but for those who asked for everything.
fn counted(counts: &HostCountsView, is_wide: bool, columns: Option<u16>) -> String {
    let mut rows = vec![("hosts".to_owned(), counts.total)];
    let others = [
        ("never armed", counts.never_armed),
        ("stalled", counts.stalled),
        ("held", counts.held),
        ("retired", counts.retired),
    ];
    let stages = counts.stages.iter().map(|(stage, count)| (stage.clone(), *count));
    let others = others.into_iter().map(|(kind, count)| (kind.to_owned(), count));
    rows.extend(stages.chain(others).filter(|(_, count)| is_wide || *count > 0));
    let mut shown = table::table(&[], columns);
    for (kind, count) in rows {
        shown.add_row([kind, count.to_string()]);
    }
    if let Some(kinds) = shown.column_mut(0) {
        kinds.set_padding((0, 2));
    }
    table::text(&shown)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        options: ListOptions,
    }

    fn query(line: &str) -> HostQuery {
        let words = std::iter::once("list").chain(line.split_whitespace());
        Line::try_parse_from(words).unwrap().options.query()
    }

    #[test]
    fn a_flag_alone_means_yes_and_can_mean_no() {
        let asked = query("rack7 S1 --held --retired=false --label rack=7 --alert not-back --alert rolled-back");
        assert_eq!(asked.search.as_deref(), Some("rack7 S1"));
        assert_eq!(
            (asked.held, asked.retired, asked.stalled),
            (Some(true), Some(false), None)
        );
        assert_eq!((asked.labels.len(), asked.alerts.len()), (1, 2));
        assert_eq!(query("--held rack7").search.as_deref(), Some("rack7"));
        assert_eq!(query(""), HostQuery::default());
    }

    #[test]
    fn only_kinds_that_there_are_are_counted_out() {
        let counts = json!({"total": 3, "stages": {"ready": 2, "armed": 0}, "never_armed": 1, "stalled": 0, "held": 1, "retired": 0});
        let counts: HostCountsView = serde_json::from_value(counts).unwrap();
        let kinds = |is_wide| {
            let text = counted(&counts, is_wide, None);
            text.lines()
                .map(|line| line.split("  ").next().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(kinds(false), ["hosts", "ready", "never armed", "held"]);
        assert_eq!(kinds(true).len(), 7);
    }
}
