//! Who holds a lock, as it was a moment ago: for alerts and metrics, never for a decision.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use thirdboot_lifecycle::{GroupName, LockEvidence};
use thirdboot_store::{HostId, Store, StoreError};

use crate::metrics::Metrics;

/// Who holds a lock.
#[derive(Debug, Default)]
pub(crate) struct LockBook(Mutex<Arc<BTreeMap<u64, LockEvidence>>>);

impl LockBook {
    /// The lock that this host holds.
    pub(crate) fn of(&self, host: HostId) -> Option<LockEvidence> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(&host.0).cloned()
    }

    /// Reads it anew.
    pub(crate) async fn read(&self, store: &dyn Store, metrics: &Metrics) -> Result<(), StoreError> {
        let limits: BTreeMap<GroupName, Option<u32>> = store
            .lock_groups()
            .await?
            .into_iter()
            .map(|(name, settings)| (name, settings.value.limit_s))
            .collect();
        let held: BTreeMap<u64, LockEvidence> = store
            .locks()
            .await?
            .into_iter()
            .filter(|slot| slot.state.holds())
            .map(|slot| {
                let evidence = LockEvidence {
                    limit_s: limits.get(&slot.group).copied().flatten(),
                    group: slot.group,
                    state: slot.state,
                    since: slot.since,
                    reason: slot.reason,
                    note: slot.note,
                };
                (slot.host, evidence)
            })
            .collect();
        metrics.locks_held.set(i64::try_from(held.len()).unwrap_or(i64::MAX));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(held);
        Ok(())
    }
}
