//! What a backend tells of its work while it works: for metrics, never for a decision.

use std::time::Duration;

use jiff::SignedDuration;
use thirdboot_lifecycle::Stage;

/// Told of what a backend has stored.
pub trait Watch: Send + Sync + 'static {
    /// A transaction is durable.
    fn committed(&self, commit: &Commit<'_>);

    /// A transaction was given up, or it is not certain that what it stored lasts.
    fn failed(&self);
}

/// A transaction that is durable.
#[derive(Debug, Clone, Copy)]
pub struct Commit<'a> {
    /// How many changes shared it.
    pub changes: usize,
    /// From the first statement to the answer.
    pub took: Duration,
    /// Runs that moved on.
    pub moves: &'a [Move],
}

/// A run left a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// The stage it left.
    pub from: Stage,
    /// The stage it is in now.
    pub to: Stage,
    /// How long it was in the stage that it left.
    pub after: SignedDuration,
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn committed(&self, _: &Commit<'_>) {}

    fn failed(&self) {}
}
