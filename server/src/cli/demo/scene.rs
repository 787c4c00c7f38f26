//! What is known at a moment: what the server says of each host, and what its machine really does.

use std::collections::BTreeMap;
use std::time::Duration;

use thirdboot_api::control::HostView;
use thirdboot_simulator::{Progress, Step};

use super::cast::Part;
use super::verdict::{Reached, is_as_meant};

/// What is known at a moment.
#[derive(Debug, Default)]
pub(super) struct Scene {
    pub(super) parts: Vec<Part>,
    pub(super) views: BTreeMap<String, HostView>,
    pub(super) steps: BTreeMap<String, Step>,
    /// Since the fleet was powered on.
    pub(super) elapsed: Duration,
    /// How many machines nobody described ask for a script.
    pub(super) unknown: usize,
    /// Where the server can be asked.
    pub(super) control_url: String,
    /// The admin's token.
    pub(super) token_file: String,
    /// Anything else worth saying.
    pub(super) notice: Option<String>,
}

impl Scene {
    /// What the server says of a part.
    pub(super) fn view(&self, part: &Part) -> Option<&HostView> {
        self.views.get(&part.name)
    }

    /// What a part's machine does.
    pub(super) fn step(&self, part: &Part) -> Option<&Step> {
        self.steps.get(&part.name)
    }

    pub(super) fn take_views(&mut self, views: Vec<HostView>) {
        self.views = views.into_iter().map(|view| (view.name.clone(), view)).collect();
    }

    pub(super) fn take_progress(&mut self, progress: Progress) {
        self.steps.insert(progress.machine, progress.step);
    }

    /// Whether this part has come to the end that is meant for it.
    pub(super) fn is_as_meant(&self, part: &Part) -> bool {
        self.view(part)
            .is_some_and(|view| is_as_meant(part.meant(), Reached::of(view)))
    }

    /// Whether a host is ready that late ones can ping.
    pub(super) fn has_neighbour(&self) -> bool {
        let is_ready = |part: &&Part| self.view(part).is_some_and(|view| Reached::of(view) == Reached::Ready);
        self.parts
            .iter()
            .filter(|part| part.is_neighbour())
            .any(|part| is_ready(&part))
    }

    /// How many parts have.
    pub(super) fn as_meant(&self) -> usize {
        self.parts.iter().filter(|part| self.is_as_meant(part)).count()
    }
}
