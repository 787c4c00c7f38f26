//! The API's token: in a file that nobody else can read, or in a variable. Never in the database, never in a log.

use std::env::{self, VarError};
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
/// Of its text.
const EXPECTED: &str = "expected one token and nothing else";

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
    #[error("{place} cannot be used: {why}")]
    Unusable { place: String, why: String },
}

impl Token {
    /// Where the options and the environment say.
    ///
    /// # Errors
    /// When the variable counts and holds no token: to go on without it would hide that.
    pub(super) fn find(file: Option<&PathBuf>) -> Result<Self, NoToken> {
        Self::found(file, env::var(VARIABLE).map(Zeroizing::new))
    }

    fn found(file: Option<&PathBuf>, given: Result<Zeroizing<String>, VarError>) -> Result<Self, NoToken> {
        let unusable = || NoToken::Unusable {
            place: format!("the variable {VARIABLE}"),
            why: EXPECTED.to_owned(),
        };
        match (file, given) {
            (Some(file), _) => Ok(Self::File(file.clone())),
            (None, Err(VarError::NotPresent)) => Ok(Self::None),
            (None, Err(VarError::NotUnicode(_))) => Err(unusable()),
            (None, Ok(text)) if text.trim().is_empty() => Ok(Self::None),
            (None, Ok(text)) => one(&text).map(Self::Given).ok_or_else(unusable),
        }
    }

    /// The token as it is now.
    pub(super) fn read(&self) -> Result<SecretString, NoToken> {
        match self {
            Self::None => Err(NoToken::NotSet),
            Self::Given(token) => Ok(token.clone()),
            Self::File(file) => {
                let unusable = |why: String| NoToken::Unusable {
                    place: format!("equinix_token_file {}", file.display()),
                    why,
                };
                let about = fs::metadata(file).map_err(|error| unusable(error.to_string()))?;
                let mode = about.permissions().mode() & 0o777;
                if !is_private(mode) {
                    return Err(unusable(format!("others can read it (mode {mode:o}): chmod 600 it")));
                }
                let text = fs::read_to_string(file).map_err(|error| unusable(error.to_string()))?;
                one(&Zeroizing::new(text)).ok_or_else(|| unusable(EXPECTED.to_owned()))
            }
        }
    }
}

/// The token that this text is.
fn one(text: &str) -> Option<SecretString> {
    let token = text.trim();
    let is_one = (1..=MAX_CHARS).contains(&token.len()) && token.bytes().all(|c| c.is_ascii_graphic());
    is_one.then(|| SecretString::from(token))
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    #[test]
    fn a_variable_that_holds_no_token_is_told_and_not_passed_over() {
        let text = |text: &str| Ok(Zeroizing::new(text.to_owned()));
        let broken = std::ffi::OsString::from_vec(vec![b't', 0xff]);
        for given in [text("two words"), text("t\u{e4}"), Err(VarError::NotUnicode(broken))] {
            let why = Token::found(None, given).unwrap_err().to_string();
            assert_eq!(
                why,
                "the variable THIRDBOOT_EQUINIX_TOKEN cannot be used: expected one token and nothing else"
            );
        }
        for nothing in [text(" \n"), Err(VarError::NotPresent)] {
            assert!(matches!(Token::found(None, nothing), Ok(Token::None)));
        }
        assert!(matches!(Token::found(None, text(" equinix-1\n")), Ok(Token::Given(_))));
        // A file that is named counts, whatever the variable says.
        let file = PathBuf::from("/nowhere");
        let found = Token::found(Some(&file), text("two words")).unwrap();
        assert!(found.read().unwrap_err().to_string().contains("/nowhere"));
    }
}
