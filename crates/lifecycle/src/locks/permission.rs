//! What a group's settings allow now. An installed system keeps the policy of its install: it may ask for what is wanted no
//! more, and is then refused here.

use jiff::Timestamp;

use super::{GroupName, GroupSettings, LockReason, UpdatePolicy};

/// Why a group's hosts may not reboot now, whoever holds which slot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct NotWanted {
    /// One word for machines: `updates_off`, `monthly_off` or `outside_window`.
    pub kind: &'static str,
    /// For people.
    pub why: String,
}

impl GroupSettings {
    /// Whether a host of this group may go away now for this reason. A new install is a person's word, and always may.
    ///
    /// # Errors
    /// Says which setting is against it.
    pub fn permits(&self, group: &GroupName, reason: LockReason, now: Timestamp) -> Result<(), NotWanted> {
        let refuse = |kind, why| Err(NotWanted { kind, why });
        let needs_window = match (reason, self.policy) {
            (LockReason::Reinstall { .. }, _) | (LockReason::Update, UpdatePolicy::Locked) => return Ok(()),
            (LockReason::Update, UpdatePolicy::Off) => {
                return refuse("updates_off", format!("updates of {group} are off"));
            }
            (LockReason::Monthly, _) if !self.monthly => {
                return refuse("monthly_off", format!("{group} has no monthly reboot"));
            }
            (LockReason::Update, UpdatePolicy::Window) | (LockReason::Monthly, _) => self.window.as_ref(),
        };
        match needs_window {
            Some(window) if window.contains(now) => Ok(()),
            Some(window) => refuse(
                "outside_window",
                format!("{group} reboots in its window only: {window}"),
            ),
            // Refused when it is set.
            None => refuse("outside_window", format!("{group} has no window to reboot in")),
        }
    }
}
