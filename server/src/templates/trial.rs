//! Templates are held against hosts: over one installed config a role, once for hosts that the templates cannot tell
//! apart, and not for ever.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use thirdboot_lifecycle::{Host, Role};
use thirdboot_render::{CheckBase, Overlay, RenderError};

/// How long a request's hosts may take in all.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(20);

/// What a request's hosts are held against.
pub(super) struct Trial {
    bases: HashMap<Role, CheckBase>,
    end: Instant,
}

/// What the templates see of a host: alike for hosts that they cannot tell apart.
pub(super) type Sight = [u8; 32];

impl Trial {
    pub(super) fn begin() -> Self {
        Self {
            bases: HashMap::new(),
            end: Instant::now() + TIME_LIMIT,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }

    /// What templates are merged onto for this host; rendered for the first host of each role.
    ///
    /// # Errors
    /// When that host cannot be rendered at all.
    pub(super) fn base(&mut self, host: &Host) -> Result<&CheckBase, RenderError> {
        match self.bases.entry(host.role) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(free) => Ok(free.insert(CheckBase::of(host)?)),
        }
    }
}

/// What these templates see of this host.
pub(super) fn sight(overlay: Overlay<'_>, host: &Host) -> Sight {
    Sha256::digest(overlay.sight(host)).into()
}
