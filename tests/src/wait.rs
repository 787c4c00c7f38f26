//! Waiting for something to become true, with an outer bound.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep};

/// How often a condition is looked at. Short against everything that is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Asks until there is an answer; fails, naming `what`, when `limit` has passed.
///
/// # Errors
/// When `limit` passed, or when asking failed.
pub async fn until<T>(what: &str, limit: Duration, mut ask: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = ask().await? {
            return Ok(found);
        }
        if Instant::now() > end {
            bail!("{what}: not within {} s", limit.as_secs());
        }
        sleep(LOOK_EVERY).await;
    }
}
