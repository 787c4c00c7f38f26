//! Making things once: asked again when the answer was lost, and answered as the first time.

use std::time::Duration;

use serde::{Serialize, de::DeserializeOwned};

use super::{Client, ClientError, decode};
use crate::control::{HostSpec, HostView, TokenCreated, TokenSpec};

/// The header that makes a request one that can be sent again.
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// Pauses before it is sent again, in milliseconds: long enough for a server that restarts.
const PAUSES_BEFORE_REPEAT_MS: [u64; 3] = [200, 1000, 3000];

impl Client {
    /// Adds a host. `key` is new for each host, such as a UUID: with it the request is sent again when nothing answers.
    ///
    /// # Errors
    /// As [`Self::add_host`].
    pub async fn add_host_once(&self, host: &HostSpec, key: &str) -> Result<HostView, ClientError> {
        self.make_once(&["hosts"], host, key).await
    }

    /// Makes a token. `key` is new for each token, such as a UUID: with it the request is sent again when nothing answers.
    ///
    /// # Errors
    /// When its name cannot be or is taken, the token that asks is no admin's, or nothing answers.
    pub async fn create_token_once(&self, token: &TokenSpec, key: &str) -> Result<TokenCreated, ClientError> {
        self.make_once(&["tokens"], token, key).await
    }

    async fn make_once<B: Serialize, T: DeserializeOwned>(
        &self,
        segments: &[&str],
        body: &B,
        key: &str,
    ) -> Result<T, ClientError> {
        let url = self.url(segments, &[])?;
        let mut pauses = PAUSES_BEFORE_REPEAT_MS.into_iter();
        loop {
            let request = self.request(reqwest::Method::POST, &url);
            let answer = request.header(IDEMPOTENCY_KEY, key).json(body).send().await;
            let made = match answer {
                Ok(answer) => decode(answer).await,
                Err(error) => Err(ClientError::unreachable(&url, error)),
            };
            let error = match made {
                Err(error) if error.is_passing() => error,
                other => return other,
            };
            let Some(pause) = pauses.next() else {
                return Err(error);
            };
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }
}
