//! Reboot locks, kept beside the hosts.

use async_trait::async_trait;
use jiff::Timestamp;
use thirdboot_lifecycle::{GroupName, GroupSettings, LockAsk, LockSlot};

use crate::{Actor, HostId, StoreError, Versioned};

/// A change of who holds a lock. A backend carries it out in one transaction, after every change before it.
#[derive(Debug, Clone)]
pub enum LockChange {
    /// A host wants to be disrupted: `thirdboot_lifecycle::decide_lock` says what comes of it.
    Ask(LockAsk),
    /// A reserved slot is granted: its node is drained.
    Drained {
        /// Whose.
        host: HostId,
        /// `LockSlot::since` of the slot that was drained.
        since: Timestamp,
    },
    /// A reserved slot is taken back; its host waits anew, at the end.
    DrainGivenUp {
        /// Whose.
        host: HostId,
        /// `LockSlot::since` of the slot that was not drained.
        since: Timestamp,
        /// Why, for people.
        why: String,
    },
    /// Something is to be known of a host's place.
    Note {
        /// Whose.
        host: HostId,
        /// What, for people.
        note: Option<String>,
    },
    /// A slot is given back, or a host waits no more.
    Release {
        /// Whose.
        host: HostId,
        /// Only if it has not asked since: `LockSlot::asks`, as it was seen.
        if_asks: Option<u64>,
        /// By whom.
        by: Actor,
        /// Why, for people.
        why: String,
    },
    /// Hosts that wait and have not asked since then wait no more.
    Forget {
        /// Since when.
        before: Timestamp,
    },
}

/// What came of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockOutcome {
    /// Where the host stands now; none where it never stood anywhere.
    pub slot: Option<LockSlot>,
    /// Whether that is another place or state than before.
    pub is_new: bool,
}

/// Who holds a lock, who waits, and by which settings.
#[async_trait]
pub trait Locks: Send + Sync {
    /// Changes who holds a lock. What is not as the change expects stays as it is.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn change_lock(&self, change: LockChange) -> Result<LockOutcome, StoreError>;

    /// Every slot that is held and every host that waits: by group, holders first, then in the order of their turns.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn locks(&self) -> Result<Vec<LockSlot>, StoreError>;

    /// Where this host stands, or last stood.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn lock_of(&self, host: HostId) -> Result<Option<LockSlot>, StoreError>;

    /// The groups that somebody said something of, in the order of their names.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn lock_groups(&self) -> Result<Vec<(GroupName, Versioned<GroupSettings>)>, StoreError>;

    /// A group's settings; the built-in ones where nobody said anything else.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn lock_group(&self, name: &GroupName) -> Result<Versioned<GroupSettings>, StoreError>;

    /// Replaces a group's settings, or goes back to the built-in ones, as long as they are those that were `seen`. Returns
    /// their version; none when they are others by now, and stay. Who holds a slot keeps it. Settings that cannot be read
    /// are not replaced.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn put_lock_group(
        &self,
        name: &GroupName,
        settings: Option<GroupSettings>,
        seen: &GroupSettings,
    ) -> Result<Option<u64>, StoreError>;
}
