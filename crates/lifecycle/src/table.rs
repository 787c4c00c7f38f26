//! The one table of transitions. The state diagram is drawn from it, and `transition` obeys it.

use crate::{EventKind, Stage};

/// One legal event in one stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The stage it happens in.
    pub from: Stage,
    /// What happens.
    pub on: EventKind,
    /// Where it leads.
    pub then: Then,
}

/// Where an event leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The stage stays; evidence is kept.
    Stay,
    /// To this stage.
    Go(Stage),
    /// To this stage, and the stages between were never reported: they are marked as inferred.
    Infer(Stage),
    /// Depends on the evidence: one of these.
    Either(&'static [Stage]),
}

impl Then {
    /// Every stage it can lead to from `from`.
    #[must_use]
    pub fn targets(self, from: Stage) -> Vec<Stage> {
        match self {
            Self::Stay => vec![from],
            Self::Go(stage) | Self::Infer(stage) => vec![stage],
            Self::Either(stages) => stages.to_vec(),
        }
    }
}

/// The row for this stage and event; none means refused.
#[must_use]
pub fn row_for(from: Stage, on: EventKind) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.from == from && row.on == on)
}

use EventKind as On;
use Stage::{
    Armed, Cancelled, Failed, FirstBoot, Installed, Installing, Joining, Layered, LayeredBoot, Layering, Live,
    Netbooting, Networked, Ready,
};
use Then::{Either, Go, Infer, Stay};

const fn row(from: Stage, on: EventKind, then: Then) -> Row {
    Row { from, on, then }
}

/// Every legal event in every stage. What is not here is refused, changes nothing and answers 409.
pub const ROWS: &[Row] = &[
    row(Armed, On::InstallScript, Go(Netbooting)),
    row(Armed, On::Fetched, Stay),
    row(Armed, On::Live, Infer(Live)),
    row(Armed, On::Claimed, Infer(Installing)),
    row(Armed, On::InstallFailed, Go(Failed)),
    row(Armed, On::Note, Either(&[Armed, Cancelled])),
    row(Armed, On::Cancel, Go(Cancelled)),
    row(Armed, On::PermitVoided, Go(Failed)),
    row(Armed, On::PermitExpired, Go(Failed)),
    row(Armed, On::Stall, Stay),
    row(Armed, On::GiveUp, Go(Failed)),
    row(Netbooting, On::InstallScript, Stay),
    row(Netbooting, On::Fetched, Stay),
    row(Netbooting, On::Live, Go(Live)),
    row(Netbooting, On::Claimed, Infer(Installing)),
    row(Netbooting, On::InstallFailed, Go(Failed)),
    row(Netbooting, On::Note, Either(&[Netbooting, Cancelled])),
    row(Netbooting, On::Cancel, Go(Cancelled)),
    row(Netbooting, On::PermitVoided, Go(Failed)),
    row(Netbooting, On::PermitExpired, Go(Failed)),
    row(Netbooting, On::Stall, Stay),
    row(Netbooting, On::GiveUp, Go(Failed)),
    row(Live, On::InstallScript, Stay),
    row(Live, On::Fetched, Stay),
    row(Live, On::Live, Stay),
    row(Live, On::ClaimWaits, Stay),
    row(Live, On::Claimed, Go(Installing)),
    row(Live, On::InstallFailed, Go(Failed)),
    row(Live, On::Note, Either(&[Live, Cancelled])),
    row(Live, On::Cancel, Go(Cancelled)),
    row(Live, On::PermitVoided, Go(Failed)),
    row(Live, On::PermitExpired, Go(Failed)),
    row(Live, On::Stall, Stay),
    row(Live, On::GiveUp, Go(Failed)),
    row(Installing, On::InstallScript, Stay),
    row(Installing, On::Fetched, Stay),
    row(Installing, On::Live, Stay),
    row(Installing, On::Claimed, Stay),
    row(Installing, On::Installing, Stay),
    row(Installing, On::Installed, Go(Installed)),
    row(Installing, On::FoundInstalled, Infer(Installed)),
    row(Installing, On::InstallFailed, Go(Failed)),
    row(Installing, On::FirstBoot, Infer(FirstBoot)),
    row(Installing, On::Layering, Infer(Layering)),
    row(Installing, On::Layered, Infer(Layered)),
    row(Installing, On::LayerFailed, Go(Failed)),
    row(Installing, On::LayeredBoot, Infer(LayeredBoot)),
    row(Installing, On::Note, Stay),
    row(Installing, On::Cancel, Go(Cancelled)),
    // The claim was granted: the install may finish, but nothing claims again.
    row(Installing, On::PermitVoided, Stay),
    row(Installing, On::PermitExpired, Stay),
    row(Installing, On::Stall, Stay),
    row(Installing, On::GiveUp, Go(Failed)),
    row(Installed, On::LocalScript, Stay),
    row(Installed, On::Fetched, Stay),
    row(Installed, On::Installed, Stay),
    row(Installed, On::FirstBoot, Go(FirstBoot)),
    row(Installed, On::Layering, Infer(Layering)),
    row(Installed, On::Layered, Infer(Layered)),
    row(Installed, On::LayerFailed, Go(Failed)),
    row(Installed, On::LayeredBoot, Infer(LayeredBoot)),
    row(Installed, On::Note, Stay),
    row(Installed, On::Cancel, Go(Cancelled)),
    row(Installed, On::Stall, Stay),
    row(Installed, On::GiveUp, Go(Failed)),
    row(FirstBoot, On::LocalScript, Stay),
    row(FirstBoot, On::Installed, Stay),
    row(FirstBoot, On::FirstBoot, Stay),
    row(FirstBoot, On::Layering, Go(Layering)),
    row(FirstBoot, On::Layered, Infer(Layered)),
    row(FirstBoot, On::LayerFailed, Go(Failed)),
    row(FirstBoot, On::LayeredBoot, Infer(LayeredBoot)),
    row(FirstBoot, On::Note, Stay),
    row(FirstBoot, On::Cancel, Go(Cancelled)),
    row(FirstBoot, On::Stall, Stay),
    row(FirstBoot, On::GiveUp, Go(Failed)),
    row(Layering, On::LocalScript, Stay),
    row(Layering, On::FirstBoot, Stay),
    row(Layering, On::Layering, Stay),
    row(Layering, On::Layered, Go(Layered)),
    row(Layering, On::LayerFailed, Go(Failed)),
    row(Layering, On::LayeredBoot, Infer(LayeredBoot)),
    row(Layering, On::Note, Stay),
    row(Layering, On::Cancel, Go(Cancelled)),
    row(Layering, On::Stall, Stay),
    row(Layering, On::GiveUp, Go(Failed)),
    row(Layered, On::LocalScript, Stay),
    row(Layered, On::FirstBoot, Either(&[Layered, Layering, Failed])),
    row(Layered, On::Layering, Either(&[Layered, Layering, Failed])),
    row(Layered, On::Layered, Stay),
    row(Layered, On::LayerFailed, Go(Failed)),
    row(Layered, On::LayeredBoot, Either(&[LayeredBoot, Layering, Failed])),
    row(Layered, On::Note, Stay),
    row(Layered, On::Cancel, Go(Cancelled)),
    row(Layered, On::Stall, Stay),
    row(Layered, On::GiveUp, Go(Failed)),
    row(LayeredBoot, On::LocalScript, Stay),
    row(LayeredBoot, On::FirstBoot, Either(&[LayeredBoot, Layering, Failed])),
    row(LayeredBoot, On::Layering, Either(&[LayeredBoot, Layering, Failed])),
    row(LayeredBoot, On::LayeredBoot, Either(&[LayeredBoot, Layering, Failed])),
    row(LayeredBoot, On::Network, Either(&[LayeredBoot, Networked])),
    row(LayeredBoot, On::Note, Stay),
    row(LayeredBoot, On::Cancel, Go(Cancelled)),
    row(LayeredBoot, On::Stall, Stay),
    row(LayeredBoot, On::GiveUp, Go(Failed)),
    row(Networked, On::LocalScript, Stay),
    row(Networked, On::FirstBoot, Either(&[Networked, Layering, Failed])),
    row(Networked, On::Layering, Either(&[Networked, Layering, Failed])),
    row(Networked, On::LayeredBoot, Either(&[Networked, Layering, Failed])),
    row(Networked, On::Network, Stay),
    row(Networked, On::JoinHandedOut, Go(Joining)),
    row(Networked, On::JoinWaits, Stay),
    row(Networked, On::Joining, Go(Joining)),
    row(Networked, On::Ready, Go(Ready)),
    row(Networked, On::JoinFailed, Go(Failed)),
    row(Networked, On::Note, Stay),
    row(Networked, On::Cancel, Go(Cancelled)),
    row(Networked, On::Stall, Stay),
    row(Networked, On::GiveUp, Go(Failed)),
    row(Joining, On::LocalScript, Stay),
    row(Joining, On::FirstBoot, Either(&[Joining, Layering, Failed])),
    row(Joining, On::Layering, Either(&[Joining, Layering, Failed])),
    row(Joining, On::LayeredBoot, Either(&[Joining, Layering, Failed])),
    row(Joining, On::Network, Stay),
    row(Joining, On::JoinHandedOut, Stay),
    row(Joining, On::JoinWaits, Stay),
    row(Joining, On::NodeSeen, Either(&[Joining, Ready])),
    row(Joining, On::Joining, Stay),
    row(Joining, On::Ready, Either(&[Joining, Ready])),
    row(Joining, On::JoinFailed, Go(Failed)),
    row(Joining, On::Note, Stay),
    row(Joining, On::Cancel, Go(Cancelled)),
    row(Joining, On::Stall, Stay),
    row(Joining, On::GiveUp, Go(Failed)),
    row(Ready, On::LocalScript, Stay),
    row(Ready, On::Ready, Stay),
    row(Ready, On::Booted, Stay),
    row(Ready, On::Note, Stay),
    row(Failed, On::LocalScript, Stay),
    row(Failed, On::Booted, Stay),
    row(Cancelled, On::LocalScript, Stay),
    row(Cancelled, On::Booted, Stay),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_row_stands_twice() {
        for (at, row) in ROWS.iter().enumerate() {
            assert!(
                !ROWS[..at]
                    .iter()
                    .any(|other| (other.from, other.on) == (row.from, row.on)),
                "{row:?}"
            );
        }
    }

    #[test]
    fn every_state_can_reach_an_end() {
        for start in Stage::ALL {
            let mut reached = vec![start];
            while let Some(row) = ROWS.iter().find(|row| {
                reached.contains(&row.from) && row.then.targets(row.from).iter().any(|to| !reached.contains(to))
            }) {
                reached.extend(row.then.targets(row.from));
            }
            assert!(reached.iter().any(|stage| stage.is_end()), "{start} reaches no end");
            if !start.is_end() {
                assert!(reached.contains(&Ready), "{start} cannot become ready");
            }
        }
    }

    #[test]
    fn only_a_granted_claim_leads_to_installing() {
        let into: Vec<EventKind> = ROWS
            .iter()
            .filter(|row| row.from != Installing && row.then.targets(row.from).contains(&Installing))
            .map(|row| row.on)
            .collect();
        assert_eq!(into, [On::Claimed; 3]);
    }
}
