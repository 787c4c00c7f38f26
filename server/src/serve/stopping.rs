//! The server is about to stop: whoever keeps an answer open for long ends it now, and whoever asks whether it is ready is
//! told that it is not.

use tokio::sync::watch;

/// Told when the server is about to stop.
#[derive(Debug, Clone)]
pub struct Stopping(watch::Sender<bool>);

impl Default for Stopping {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Stopping {
    /// It stops.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Whether it does.
    pub fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it does.
    pub async fn begun(&self) {
        // The sender is here: an error cannot be.
        let _ = self.0.subscribe().wait_for(|has_begun| *has_begun).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_waits_is_told_and_whoever_comes_late_too() {
        let stopping = Stopping::default();
        assert!(!stopping.has_begun());
        let waiting = tokio::spawn({
            let stopping = stopping.clone();
            async move { stopping.begun().await }
        });
        stopping.begin();
        waiting.await.unwrap();
        stopping.begun().await;
        assert!(stopping.has_begun());
    }
}
