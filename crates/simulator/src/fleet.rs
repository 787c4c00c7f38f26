//! Many machines at once.

use std::time::Duration;

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinSet;

use crate::{Machine, Outcome, Progress};

/// Machines that run. Dropping it switches them all off.
#[derive(Debug)]
pub struct Fleet {
    running: JoinSet<(String, Outcome)>,
    watcher: UnboundedSender<Progress>,
}

impl Fleet {
    /// An empty fleet, and the channel on which its machines say what they do.
    #[must_use]
    pub fn new() -> (Self, UnboundedReceiver<Progress>) {
        let (watcher, progress) = mpsc::unbounded_channel();
        let running = JoinSet::new();
        (Self { running, watcher }, progress)
    }

    /// Powers a machine on after a while: a real fleet's firmware is not in step either.
    pub fn start(&mut self, mut machine: Machine, after: Duration) {
        machine.watcher = Some(self.watcher.clone());
        self.running.spawn(async move {
            tokio::time::sleep(after).await;
            (machine.name.clone(), machine.run().await)
        });
    }

    /// How many machines are still on their way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.running.len()
    }

    /// The next machine that comes to its end; none when all have.
    pub async fn next_end(&mut self) -> Option<(String, Outcome)> {
        while let Some(ended) = self.running.join_next().await {
            if let Ok(ended) = ended {
                return Some(ended);
            }
        }
        None
    }

    /// Switches every machine off.
    pub async fn stop(mut self) {
        self.running.shutdown().await;
    }
}
