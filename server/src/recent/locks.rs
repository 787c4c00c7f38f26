//! Locks are not remembered here: who holds one is asked of the database.

use async_trait::async_trait;
use thirdboot_lifecycle::{GroupName, GroupSettings, LockSlot};
use thirdboot_store::{HostId, LockChange, LockOutcome, Locks, StoreError, Versioned};

use super::Recent;

#[async_trait]
impl Locks for Recent {
    async fn change_lock(&self, change: LockChange) -> Result<LockOutcome, StoreError> {
        self.inner.change_lock(change).await
    }

    async fn locks(&self) -> Result<Vec<LockSlot>, StoreError> {
        self.inner.locks().await
    }

    async fn lock_of(&self, host: HostId) -> Result<Option<LockSlot>, StoreError> {
        self.inner.lock_of(host).await
    }

    async fn lock_groups(&self) -> Result<Vec<(GroupName, Versioned<GroupSettings>)>, StoreError> {
        self.inner.lock_groups().await
    }

    async fn lock_group(&self, name: &GroupName) -> Result<Versioned<GroupSettings>, StoreError> {
        self.inner.lock_group(name).await
    }

    async fn put_lock_group(
        &self,
        name: &GroupName,
        settings: Option<GroupSettings>,
        seen: &GroupSettings,
    ) -> Result<Option<u64>, StoreError> {
        self.inner.put_lock_group(name, settings, seen).await
    }
}
