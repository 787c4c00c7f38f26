//! A run that waits for what the provider refuses.

use jiff::Timestamp;

use super::{Cause, Diagnosis, diagnose, found};
use crate::{Observed, Run, Stage, Trouble};

/// Why the run is where it is, with what is known of its machine at the provider.
#[must_use]
pub fn diagnose_with(run: &Run, observed: Option<&Observed>, now: Timestamp) -> Option<Diagnosis> {
    let trouble = observed
        .and_then(|observed| observed.provider.as_ref())
        .and_then(|provider| provider.trouble.as_ref());
    trouble
        .and_then(|trouble| at_provider(run, trouble))
        .or_else(|| diagnose(run, now))
}

/// Where it is the provider's turn: to bring the machine to its network boot, or to carry its VLANs.
fn at_provider(run: &Run, trouble: &Trouble) -> Option<Diagnosis> {
    let waits = match run.stage {
        Stage::Armed => "armed, and the provider does not bring the machine on",
        Stage::LayeredBoot if trouble.kind.is_of_vlans() && !run.evidence.network_differs.is_empty() => {
            "the third boot runs, and the provider does not carry its VLANs"
        }
        _ => return None,
    };
    Some(found(
        Cause::AtProvider,
        format!("{waits}: {}", trouble.says),
        trouble.kind.advice(),
    ))
}
