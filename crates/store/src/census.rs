//! How many hosts stand where: for people and metrics, never for a decision.

use std::collections::BTreeMap;

use async_trait::async_trait;
use thirdboot_lifecycle::Stage;

use crate::StoreError;

/// How many hosts stand where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// All of them.
    pub hosts: u64,
    /// Hosts by the stage of their last run; a stage without any is left out.
    pub runs: BTreeMap<Stage, u64>,
    /// Runs that have not ended and are past their first deadline.
    pub stalled: u64,
    /// Hosts with the brake on.
    pub held: u64,
    /// Hosts out of service.
    pub retired: u64,
}

/// Counting.
#[async_trait]
pub trait Counts {
    /// How many hosts stand where, at one moment.
    ///
    /// # Errors
    /// Only when the store cannot answer.
    async fn census(&self) -> Result<Census, StoreError>;
}
