//! What the store tells of its work.

use thirdboot_store::{Commit, Watch};

use super::{Metrics, StageLabels};

impl Watch for Metrics {
    fn committed(&self, commit: &Commit<'_>) {
        // Far below 2^52.
        let changes = u32::try_from(commit.changes).unwrap_or(u32::MAX);
        self.commit_changes.observe(f64::from(changes));
        self.commit_seconds.observe(commit.took.as_secs_f64());
        for moved in commit.moves {
            let stage = |stage: thirdboot_lifecycle::Stage| StageLabels { stage: stage.as_str() };
            self.stage_seconds
                .get_or_create(&stage(moved.from))
                .observe(moved.after.as_secs_f64());
            self.stages_entered.get_or_create(&stage(moved.to)).inc();
        }
    }

    fn failed(&self) {
        self.commits_failed.inc();
    }
}
