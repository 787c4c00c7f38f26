//! Everything that happens because time passes.
//!
//! Nobody else looks at clocks: a stage that is late, a permit that expires and a run that is given up would otherwise
//! need a timer each, and a timer dies with the process that set it. Here one task asks the store what is due and
//! submits that it is; the store decides, with its own clock, inside its own transaction. So a pass is idempotent, takes
//! no input, may be repeated or cut off at any point, and is the same after a restart as before it. It runs every
//! [`PERIOD`], and at once when something nudges it.

use std::sync::Arc;
use std::time::Duration;

use thirdboot_store::{HostId, Limits, Store, Submission, SubmitError};
use tokio::sync::Notify;

/// Deadlines are minutes: a second of delay is lost in them.
pub const PERIOD: Duration = Duration::from_secs(1);
/// How many due hosts are taken at a time.
const BATCH: u32 = 256;
/// Time between two prunings of what is too old.
const PRUNING_PERIOD: Duration = Duration::from_secs(600);

/// Wakes the reconciler.
#[derive(Debug, Clone, Default)]
pub struct Nudge(Arc<Notify>);

impl Nudge {
    /// Have it look now.
    pub fn now(&self) {
        self.0.notify_one();
    }

    /// Waits until somebody wants that.
    pub(crate) async fn wait(&self) {
        self.0.notified().await;
    }
}

/// Runs until it is dropped.
pub(crate) async fn run(store: Arc<dyn Store>, limits: Limits, period: Duration, nudge: Nudge) {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut prunings = tokio::time::interval(PRUNING_PERIOD);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = nudge.wait() => {}
            _ = prunings.tick() => match store.prune(&limits).await {
                Ok(pruned) => tracing::debug!(?pruned, "pruned"),
                Err(error) => tracing::warn!(%error, "pruning failed; trying again later"),
            },
        }
        carry_out_what_is_due(store.as_ref()).await;
    }
}

/// One pass. Each host is taken once: one that stays due waits for the next pass.
pub(crate) async fn carry_out_what_is_due(store: &dyn Store) {
    let due = match store.due(store.now(), BATCH).await {
        Ok(due) => due,
        Err(error) => {
            tracing::warn!(%error, "cannot ask what is due; trying again later");
            return;
        }
    };
    for host in due {
        match store.submit(host, Submission::Due).await {
            // A refusal means that the host moved on meanwhile: nothing is due any more.
            Ok(_) | Err(SubmitError::Refused(_) | SubmitError::NoSuchHost | SubmitError::NotNow(_)) => {}
            Err(error) => {
                let host = named(store, host).await;
                tracing::warn!(%host, %error, "cannot carry out what is due; trying again later");
            }
        }
    }
}

/// A host as people know it; its number where the store cannot say.
async fn named(store: &dyn Store, host: HostId) -> String {
    let found = store.host_by_id(host).await.ok().flatten();
    found.map_or_else(|| format!("number {}", host.0), |state| state.host.name.to_string())
}
