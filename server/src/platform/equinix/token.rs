//! The API's token: in a file that nobody else can read, or in a variable. Never in the database, never in a log.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::secrets::is_private;

/// The variable that holds the token where no file is named.
pub const VARIABLE: &str = "THIRDBOOT_EQUINIX_TOKEN";
/// Longer ones are no tokens.
const MAX_CHARS: usize = 512;

/// Where the token is.
#[derive(Debug)]
pub(super) enum Token {
    /// In this file, read at every look: a new token needs no restart.
    File(PathBuf),
    /// From the environment.
    Given(SecretString),
    /// Nowhere.
    None,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoToken {
    #[error("this server has no token for the provider: equinix_token_file is not set, nor is {VARIABLE}")]
    NotSet,
    #[error("equinix_token_file {file} cannot be used: {why}")]
    Unusable { file: String, why: String },
}

impl Token {
    /// Where the options and the environment say.
    pub(super) fn find(file: Option<&PathBuf>) -> Self {
        let given = std::env::var(VARIABLE).map(Zeroizing::new);
        match (file, given) {
            (Some(file), _) => Self::File(file.clone()),
            (None, Ok(text)) if !text.trim().is_empty() => Self::Given(SecretString::from(text.trim())),
            (None, _) => Self::None,
        }
    }

    /// The token as it is now.
    pub(super) fn read(&self) -> Result<SecretString, NoToken> {
        match self {
            Self::None => Err(NoToken::NotSet),
            Self::Given(token) => Ok(token.clone()),
            Self::File(file) => {
                let unusable = |why: String| NoToken::Unusable {
                    file: file.display().to_string(),
                    why,
                };
                let about = fs::metadata(file).map_err(|error| unusable(error.to_string()))?;
                let mode = about.permissions().mode() & 0o777;
                if !is_private(mode) {
                    return Err(unusable(format!("others can read it (mode {mode:o}): chmod 600 it")));
                }
                let text = fs::read_to_string(file).map_err(|error| unusable(error.to_string()))?;
                let text = Zeroizing::new(text);
                let token = text.trim();
                let is_one = (1..=MAX_CHARS).contains(&token.len()) && token.bytes().all(|c| c.is_ascii_graphic());
                if !is_one {
                    return Err(unusable("expected one token and nothing else".to_owned()));
                }
                Ok(SecretString::from(token))
            }
        }
    }
}
