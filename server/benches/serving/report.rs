//! The table.

use std::time::Duration;

use crate::load::Measured;

/// One figure.
pub(crate) struct Row {
    hosts: u32,
    what: String,
    figure: String,
    beside: String,
}

impl Row {
    pub(crate) fn start(hosts: u32, time: Duration) -> Self {
        Self::new(hosts, "start", format!("{} ms", time.as_millis()), String::new())
    }

    pub(crate) fn memory(hosts: u32, what: &str, kib: u64) -> Self {
        Self::new(hosts, what, format!("{} MiB", kib >> 10), String::new())
    }

    pub(crate) fn fetches(hosts: u32, what: &str, ours: &Measured, plain: &Measured) -> Self {
        let beside = format!(
            "plain handler {:.0}/s, p99 {}: {:.0} % of it",
            plain.per_second,
            p99(plain),
            100.0 * ours.per_second / plain.per_second
        );
        Self::new(
            hosts,
            what,
            format!("{:.0}/s, p99 {}", ours.per_second, p99(ours)),
            beside,
        )
    }

    pub(crate) fn changes(hosts: u32, ours: &Measured, syncs: f64) -> Self {
        let figure = format!("{:.0}/s, p99 {}", ours.per_second, p99(ours));
        Self::new(hosts, "durable reports", figure, format!("fdatasync {syncs:.0}/s"))
    }

    fn new(hosts: u32, what: &str, figure: String, beside: String) -> Self {
        Self {
            hosts,
            what: what.to_owned(),
            figure,
            beside,
        }
    }
}

fn p99(measured: &Measured) -> String {
    format!("{:.2} ms", measured.p99.as_secs_f64() * 1000.0)
}

/// As Markdown, for docs/BENCHMARKS.md.
pub(crate) fn print(rows: &[Row]) {
    println!("| hosts | what | figure | beside |\n|---:|---|---|---|");
    for row in rows {
        println!("| {} | {} | {} | {} |", row.hosts, row.what, row.figure, row.beside);
    }
}
