//! Reboot locks: of the hosts of a group only so many may be disrupted at once, whatever the reason is.

mod ask;
mod group;
mod permission;
mod slot;
#[cfg(test)]
mod tests;
mod window;

pub use ask::{LockAsk, LockVerdict, Servers, Standing, WAITER_FRESH_S, decide_lock};
pub use group::{
    DEFAULT_DRAIN_S, GroupName, GroupSettings, InvalidGroupName, InvalidGroupSettings, MAX_SLOTS, UpdatePolicy,
};
pub use permission::NotWanted;
pub use slot::{LockReason, LockSlot, SlotState};
pub use window::{Day, InvalidStart, RebootWindow, StartTime};
