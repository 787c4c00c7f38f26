//! The table.

use std::time::Duration;

use crate::load::Measured;

/// What a load measured, and the processor time that the server took meanwhile.
pub(crate) struct Costly {
    pub(crate) measured: Measured,
    pub(crate) cost: Duration,
}

impl Costly {
    /// For each of the answers.
    fn of_each(&self) -> Duration {
        self.cost / self.measured.answered.max(1)
    }
}

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

    pub(crate) fn weight(hosts: u32, bytes: usize) -> Self {
        let figure = format!("{:.1} KB", bytes_in_kb(bytes));
        Self::new(hosts, "first page with all that it names", figure, String::new())
    }

    /// A page beside one that shows nothing of the fleet; each with the processor time that the server took for it.
    pub(crate) fn page(hosts: u32, what: &str, ours: &Costly, bare: &Costly) -> Self {
        let took = |costly: &Costly| {
            let (measured, cost) = (&costly.measured, costly.of_each().as_secs_f64() * 1000.0);
            let each = 1000.0 / measured.per_second;
            format!("{each:.1} ms, p99 {}, {cost:.1} ms of processor", p99(measured))
        };
        Self::new(hosts, what, took(ours), format!("the account's page {}", took(bare)))
    }

    /// Processor time of the server for each report, without and with open pages in turns, the first without.
    pub(crate) fn cost(hosts: u32, what: &str, turns: &[Costly]) -> Self {
        let mean = |first: usize| {
            let (mut cost, mut answered) = (Duration::ZERO, 0);
            for turn in turns.iter().skip(first).step_by(2) {
                cost += turn.cost;
                answered += turn.measured.answered;
            }
            cost.as_secs_f64() * 1e6 / f64::from(answered.max(1))
        };
        let (without, with) = (mean(0), mean(1));
        let share = 100.0 * with / without;
        let beside = format!("without {without:.0} µs: {share:.0} % of it");
        Self::new(hosts, what, format!("{with:.0} µs"), beside)
    }

    pub(crate) fn changes(hosts: u32, ours: &Measured, syncs: f64) -> Self {
        let figure = format!("{:.0}/s, p99 {}", ours.per_second, p99(ours));
        Self::new(hosts, "durable reports", figure, format!("fdatasync {syncs:.0}/s"))
    }

    /// Figures without and with watchers in turns, the first without.
    pub(crate) fn watched(hosts: u32, what: &str, turns: &[&Measured]) -> Self {
        let median = |first: usize| {
            let mut rates: Vec<f64> = turns
                .iter()
                .skip(first)
                .step_by(2)
                .map(|turn| turn.per_second)
                .collect();
            rates.sort_by(f64::total_cmp);
            rates.get(rates.len() / 2).copied().unwrap_or_default()
        };
        let (without, with) = (median(0), median(1));
        let share = 100.0 * with / without;
        Self::new(
            hosts,
            what,
            format!("{with:.0}/s"),
            format!("without {without:.0}/s: {share:.0} % of it"),
        )
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

fn bytes_in_kb(bytes: usize) -> f64 {
    f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / 1000.0
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
