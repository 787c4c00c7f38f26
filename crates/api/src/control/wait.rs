//! Waiting for a run: `GET /api/v1/hosts/{name}/wait`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AlertView, DiagnosisView, RunView};
use crate::StageName;
use crate::names::words;

words! {
    /// How a wait ended.
    WaitOutcome, "outcome" {
        /// The run is where it was waited for, or beyond.
        Reached = "reached",
        /// The run failed: it will not get there.
        Failed = "failed",
        /// The run was cancelled: it will not get there.
        Cancelled = "cancelled",
        /// Another run began meanwhile: the one that was waited for is over.
        Superseded = "superseded",
        /// The time is over and the run is under way, or the host has none: ask again.
        Timeout = "timeout",
    }
}

/// How a wait ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"host": "node-1", "outcome": "failed", "waited_for": "ready", "stage": "installing", "cause": "host-failed", "says": "failed while installing: the disk is busy", "advice": "look at the journal of coreos-installer.service on the console"})))]
pub struct WaitAnswer {
    /// The host's name.
    pub host: String,
    /// How.
    pub outcome: WaitOutcome,
    /// What was waited for.
    pub waited_for: StageName,
    /// Where the run stands, or stood when it ended; none when the host was never armed.
    #[serde(default)]
    pub stage: Option<StageName>,
    /// A word for the cause of a failure or a stall, such as `kernel-not-fetched`.
    #[serde(default)]
    pub cause: Option<String>,
    /// What is seen, when it failed, was cancelled or is stalled.
    #[serde(default)]
    pub says: Option<String>,
    /// What to look at or do.
    #[serde(default)]
    pub advice: Option<String>,
    /// Past its stage's deadline: it may still get there.
    #[serde(default)]
    pub stalled: bool,
    /// The run.
    #[serde(default)]
    pub run: Option<RunView>,
    /// Why the run is stalled or failed, as the host's own view has it.
    #[serde(default)]
    pub diagnosis: Option<DiagnosisView>,
    /// What is wrong with the machine beside its run.
    #[serde(default)]
    pub alerts: Vec<AlertView>,
    /// Every event up to this number is in this answer: the `after` of whoever goes on watching.
    #[serde(default)]
    pub seen: u64,
}
