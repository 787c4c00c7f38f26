//! Words that a form offers.

use thirdboot_api::control::{AccessRole, Arch, Platform, Role};
use thirdboot_lifecycle::Stage;

/// What a host becomes.
pub(super) fn roles() -> impl Iterator<Item = &'static str> {
    Role::ALL.iter().map(|role| role.as_str())
}

/// Where it stands.
pub(super) fn platforms() -> impl Iterator<Item = &'static str> {
    Platform::ALL.iter().map(|platform| platform.as_str())
}

/// What it computes with.
pub(super) fn arches() -> impl Iterator<Item = &'static str> {
    Arch::ALL.iter().map(|arch| arch.as_str())
}

/// Where a run may stand; `none` is that of a host without any.
pub(super) fn stages() -> impl Iterator<Item = &'static str> {
    Stage::ALL.iter().map(|stage| stage.as_str()).chain(["none"])
}

/// What somebody may do, the least first.
pub(super) fn access_roles() -> impl Iterator<Item = &'static str> {
    AccessRole::ALL.iter().map(|role| role.as_str())
}
