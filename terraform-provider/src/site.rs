//! The server that this provider's block names, shared by all resources.

use std::sync::{Arc, OnceLock};

use thirdboot_api::{Client, ClientError, ProblemType};
use thirdboot_terraform_plugin::{Diagnostics, Path};

use crate::told::told;

/// The server, once the provider's block is known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Site(Arc<OnceLock<Client>>);

impl Site {
    /// From now on this is the server. Terraform configures a provider once a process.
    pub(crate) fn is(&self, client: Client) {
        // A second block in one process would be a fault of Terraform's: the first one counts.
        let _ = self.0.set(client);
    }

    /// A client, if the provider's block is known yet.
    pub(crate) fn client_if_known(&self) -> Option<&Client> {
        self.0.get()
    }

    /// A client.
    pub(crate) fn client(&self) -> Result<&Client, Diagnostics> {
        self.client_if_known().ok_or_else(|| {
            Diagnostics::error(
                Path::root(),
                "The server is not known yet",
                "The provider's endpoint, token or ca_file is only known after the apply. Apply what it comes from first, \
                 with -target.",
            )
        })
    }

    /// What an API answered: none when it is certain that there is no such thing.
    ///
    /// A wrong endpoint answers 404 to everything, and must not empty a state: only a server that knows the token, and
    /// says itself that there is none, is believed.
    pub(crate) async fn found<T>(
        &self,
        answer: Result<T, ClientError>,
        summary: &str,
    ) -> Result<Option<T>, Diagnostics> {
        match answer {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.is(ProblemType::NotFound) => match self.client()?.whoami().await {
                Ok(_) => Ok(None),
                Err(error) => Err(told(&error, None, summary)),
            },
            Err(error) => Err(told(&error, None, summary)),
        }
    }
}
