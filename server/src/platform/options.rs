//! How providers are reached.

use std::path::PathBuf;

use clap::Args;

/// Where the API was when it was there; others of its kind have their own.
const DEFAULT_EQUINIX_URL: &str = "https://api.equinix.com/metal/v1";

/// How providers are reached. A token is never a setting: it stands in a file of its own, or in a variable.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Providers")]
pub struct PlatformOptions {
    /// Base URL of the API for hosts of platform equinix-metal.
    #[arg(long, env = "THIRDBOOT_EQUINIX_URL", value_name = "URL", default_value = DEFAULT_EQUINIX_URL)]
    pub equinix_url: String,
    /// File with that API's token, which others must not be able to read; read again at every look. None means the
    /// variable `THIRDBOOT_EQUINIX_TOKEN`, and without that too nothing is asked of the provider. For example
    /// /etc/thirdboot/equinix-token
    #[arg(long, env = "THIRDBOOT_EQUINIX_TOKEN_FILE", value_name = "FILE")]
    pub equinix_token_file: Option<PathBuf>,
}

impl Default for PlatformOptions {
    fn default() -> Self {
        Self {
            equinix_url: DEFAULT_EQUINIX_URL.to_owned(),
            equinix_token_file: None,
        }
    }
}
