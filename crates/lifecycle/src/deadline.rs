//! When a stage is late, and when it is given up.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Run, Stage};

/// A stage's two deadlines, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// Without a sign of life for this long, the run is marked as stalled.
    pub stall_s: u32,
    /// After this long in the stage a stalled run fails; none means never.
    pub give_up_s: Option<u32>,
}

/// The deadlines of every stage that has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Deadlines(BTreeMap<Stage, Deadline>);

const MINUTE_S: u32 = 60;

impl Default for Deadlines {
    /// Set for slow real machines: POST alone takes some of them five minutes.
    fn default() -> Self {
        let minutes = |stall: u32, give_up: Option<u32>| Deadline {
            stall_s: stall * MINUTE_S,
            give_up_s: give_up.map(|m| m * MINUTE_S),
        };
        Self(BTreeMap::from([
            // The permit's own time ends it.
            (Stage::Armed, minutes(30, None)),
            (Stage::Netbooting, minutes(10, Some(60))),
            (Stage::Live, minutes(10, Some(60))),
            (Stage::Installing, minutes(15, Some(180))),
            (Stage::Installed, minutes(15, Some(90))),
            (Stage::FirstBoot, minutes(10, Some(60))),
            (Stage::Layering, minutes(20, Some(120))),
            (Stage::Layered, minutes(15, Some(90))),
            (Stage::LayeredBoot, minutes(10, Some(60))),
            // Waits for its turn to join: the whole cluster may be before it.
            (Stage::Networked, minutes(30, Some(24 * 60))),
            (Stage::Joining, minutes(15, Some(120))),
        ]))
    }
}

impl Deadlines {
    /// The stage's deadlines, if it has any.
    #[must_use]
    pub fn of(&self, stage: Stage) -> Option<Deadline> {
        self.0.get(&stage).copied()
    }

    /// With another deadline for one stage.
    #[must_use]
    pub fn with(mut self, stage: Stage, deadline: Deadline) -> Self {
        self.0.insert(stage, deadline);
        self
    }
}

/// What is due for a run at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing yet.
    Nothing,
    /// The permit's time is over.
    Expire,
    /// The first deadline passed: mark it.
    Stall,
    /// The second deadline passed: fail it.
    GiveUp,
}

fn after(start: Timestamp, seconds: u32) -> Timestamp {
    start
        .saturating_add(SignedDuration::from_secs(i64::from(seconds)))
        .unwrap_or(Timestamp::MAX)
}

/// The last time the run moved on: entered its stage, said something new, or fetched something for the first time. A
/// file fetched again and again is a machine that boots in circles, a word repeated one that waits.
fn last_sign(run: &Run) -> Timestamp {
    let fetched = run.evidence.fetched.values().map(|seen| seen.first).max();
    let signs = [Some(run.entered_at), run.evidence.moved_at, fetched];
    signs.into_iter().flatten().max().unwrap_or(run.entered_at)
}

fn expires_at(run: &Run) -> Option<Timestamp> {
    let is_open = matches!(
        run.stage,
        Stage::Armed | Stage::Netbooting | Stage::Live | Stage::Installing
    ) && run.permit.voided.is_none();
    is_open.then_some(run.permit.expires_at)
}

fn stalls_at(run: &Run, deadlines: &Deadlines) -> Option<Timestamp> {
    deadlines
        .of(run.stage)
        .map(|deadline| after(last_sign(run), deadline.stall_s))
}

fn gives_up_at(run: &Run, deadlines: &Deadlines) -> Option<Timestamp> {
    let give_up_s = deadlines.of(run.stage)?.give_up_s?;
    // A host that asks for its turn is alive, however long the others take.
    let wait = match run.stage {
        Stage::Networked => run.evidence.join_wait.as_ref(),
        Stage::Live => run.evidence.claim_wait.as_ref(),
        _ => None,
    };
    let asked = wait.map_or(run.entered_at, |wait| wait.asked_at);
    Some(after(asked.max(run.entered_at), give_up_s).max(stalls_at(run, deadlines)?))
}

/// When the reconciler has to look at this run again; none means never.
#[must_use]
pub fn due_at(run: &Run, deadlines: &Deadlines) -> Option<Timestamp> {
    let stall = if run.stalled_since.is_none() {
        stalls_at(run, deadlines)
    } else {
        None
    };
    [expires_at(run), stall, gives_up_at(run, deadlines)]
        .into_iter()
        .flatten()
        .min()
}

/// What is due for this run at `now`. The most final first.
#[must_use]
pub fn verdict_at(run: &Run, deadlines: &Deadlines, now: Timestamp) -> Verdict {
    let passed = |at: Option<Timestamp>| at.is_some_and(|at| now >= at);
    if passed(expires_at(run)) {
        Verdict::Expire
    } else if passed(gives_up_at(run, deadlines)) {
        Verdict::GiveUp
    } else if run.stalled_since.is_none() && passed(stalls_at(run, deadlines)) {
        Verdict::Stall
    } else {
        Verdict::Nothing
    }
}
