//! Which server, and with which token.

use std::path::PathBuf;

use clap::Args;
use thirdboot_api::{Client, ClientError, Token};

use super::Failure;

/// Which server, with which token, and how it is shown.
#[derive(Debug, Clone, Args)]
pub struct Connection {
    /// Base URL of the server's control plane.
    #[arg(
        long,
        env = "THIRDBOOT_ENDPOINT",
        value_name = "URL",
        default_value = "http://127.0.0.1:8081",
        global = true
    )]
    endpoint: String,
    /// File with the API token; the server's first start writes one to `admin-token` in its data folder. The environment
    /// variable `THIRDBOOT_TOKEN` can hold the token itself.
    #[arg(long, env = "THIRDBOOT_TOKEN_FILE", value_name = "FILE", global = true)]
    token_file: Option<PathBuf>,
    /// The token itself. Everyone on the machine can read a command line: use the file or the environment.
    #[arg(
        long,
        env = "THIRDBOOT_TOKEN",
        value_name = "TOKEN",
        hide = true,
        hide_env_values = true,
        global = true
    )]
    token: Option<String>,
    /// File with the CA (PEM) that vouches for an https endpoint, and no other; a server's own is `tls/ca.pem` in its
    /// data folder. None means what the operating system trusts.
    #[arg(long, env = "THIRDBOOT_CA", value_name = "FILE", global = true)]
    ca: Option<PathBuf>,
    /// Print what the API answers, as JSON.
    #[arg(long, global = true)]
    pub(super) json: bool,
}

impl Connection {
    /// A client of that server.
    pub(super) fn client(&self) -> Result<Client, Failure> {
        let Some(file) = &self.ca else {
            return Ok(Client::new(&self.endpoint, self.token()?)?);
        };
        let named = |why: &dyn std::fmt::Display| Failure::Usage(format!("--ca {}: {why}", file.display()));
        let pem = std::fs::read(file).map_err(|error| named(&error))?;
        Client::trusting(&self.endpoint, self.token()?, &pem).map_err(|error| match error {
            ClientError::BadCa | ClientError::Setup(_) => named(&error),
            error => error.into(),
        })
    }

    fn token(&self) -> Result<Token, Failure> {
        let text = match (&self.token, &self.token_file) {
            (Some(token), _) => token.clone(),
            (None, Some(file)) => std::fs::read_to_string(file)
                .map_err(|error| Failure::Usage(format!("--token-file {}: {error}", file.display())))?,
            (None, None) => {
                let why = "no token: expected THIRDBOOT_TOKEN, THIRDBOOT_TOKEN_FILE or --token-file FILE \
                           (the server's first start writes one to admin-token in its data folder)";
                return Err(Failure::Usage(why.to_owned()));
            }
        };
        if text.trim().is_empty() {
            return Err(Failure::Usage("the token is empty".to_owned()));
        }
        Ok(Token::new(&text))
    }
}
