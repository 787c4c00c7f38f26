//! Being asked to stop: Terraform's `StopProvider`, or Ctrl-C in the terminal, which reaches the provider, too.

use tokio::sync::watch;

/// Tells whoever waits that Terraform's user wants to stop. Once set it stays.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

/// Sets a [`Stop`].
#[derive(Debug)]
pub(crate) struct Stopper(watch::Sender<bool>);

impl Stopper {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    pub(crate) fn stop(&self) {
        self.0.send_replace(true);
    }

    pub(crate) fn watched(&self) -> Stop {
        Stop(self.0.subscribe())
    }
}

impl Stop {
    /// Waits until it is set; for ever, if it never is.
    pub async fn wait(&mut self) {
        if self.0.wait_for(|is_set| *is_set).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
