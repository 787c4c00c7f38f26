//! Power that a provider is asked for: once a run, whatever is lost on the way.
//!
//! That it is being asked is kept *before* the request goes out. A request whose answer never came may have been carried
//! out: it is not made again in that run, and the provider's own words show what came of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::RunNumber;

/// How the provider is asked to bring an armed machine to its network boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Power {
    /// Power it off and on; on, where it is off.
    Reboot,
    /// Have the provider deploy it anew: its own network boot is on then, whatever it was before. The provider may clear
    /// the disk that it takes for the system's.
    Reinstall,
}

impl Power {
    /// The word on the wire, here and at the provider.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reboot => "reboot",
            Self::Reinstall => "reinstall",
        }
    }
}

/// A power request that went out, or was about to, and of which nobody knows what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PowerAsked {
    /// For this run.
    pub run: RunNumber,
    /// Since when.
    pub at: Timestamp,
}

/// How far a run's power request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerStep {
    /// It goes out next.
    Asks(RunNumber),
    /// The provider took it, or shows that it did.
    Took(RunNumber),
    /// It certainly was not carried out: it may be made again.
    Declined(RunNumber),
}

/// What is known of power requests after this step: the last run whose request was taken, and the one that is open.
pub(super) fn after(
    taken: Option<RunNumber>,
    open: Option<PowerAsked>,
    step: Option<PowerStep>,
    now: Timestamp,
) -> (Option<RunNumber>, Option<PowerAsked>) {
    match step {
        None => (taken, open),
        Some(PowerStep::Asks(run)) => (taken, Some(PowerAsked { run, at: now })),
        Some(PowerStep::Took(run)) => (Some(run), open.filter(|open| open.run != run)),
        Some(PowerStep::Declined(run)) => (taken, open.filter(|open| open.run != run)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: RunNumber = RunNumber(2);

    #[test]
    fn what_is_open_ends_with_an_answer_to_it_and_with_no_other() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let open = Some(PowerAsked { run: RUN, at: now });
        let is = |taken, open, step| after(taken, open, step, now);
        assert_eq!(is(None, None, Some(PowerStep::Asks(RUN))), (None, open));
        assert_eq!(is(None, open, None), (None, open));
        assert_eq!(is(None, open, Some(PowerStep::Took(RUN))), (Some(RUN), None));
        assert_eq!(is(None, open, Some(PowerStep::Declined(RUN))), (None, None));
        let earlier = RunNumber(1);
        assert_eq!(
            is(Some(earlier), open, Some(PowerStep::Declined(earlier))),
            (Some(earlier), open)
        );
    }
}
