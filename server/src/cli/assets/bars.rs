//! Progress of a pull: a bar a file on a terminal, nothing where output goes elsewhere.

use std::collections::BTreeMap;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use thirdboot_api::control::PullView;

/// Bars that are drawn.
#[derive(Debug, Default)]
pub(super) struct Bars {
    all: MultiProgress,
    files: BTreeMap<String, ProgressBar>,
}

impl Bars {
    /// Draws a pull as it is now.
    pub(super) fn show(&mut self, pull: &PullView) {
        for file in &pull.files {
            let all = &self.all;
            let bar = self.files.entry(file.name.clone()).or_insert_with(|| {
                let bar = all.add(ProgressBar::new(0));
                bar.set_style(style());
                bar.set_message(file.name.clone());
                bar
            });
            if let Some(total) = file.total_bytes {
                bar.set_length(total);
            }
            bar.set_position(file.done_bytes);
            if file.done && !bar.is_finished() {
                bar.finish();
            }
        }
    }

    /// Leaves what was drawn.
    pub(super) fn end(&self) {
        for bar in self.files.values().filter(|bar| !bar.is_finished()) {
            bar.abandon();
        }
    }
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template(
        "{wide_msg} {binary_bytes:>11}/{binary_total_bytes:11} {binary_bytes_per_sec:>13} {bar:20} {percent:>3}%",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar())
}
