//! People: their passwords, how often somebody may guess at one, and how a session begins.

mod attempts;
mod password;
mod set_up;
mod sign_in;

pub(crate) use password::{check_name, check_password};
pub(crate) use sign_in::{NotSignedIn, SESSION, did, sign_in, with_password};

pub(crate) use set_up::SetUp;

use attempts::Attempts;
use password::Passwords;

/// What is known of people beside the store.
#[derive(Debug, Default)]
pub struct People {
    pub(crate) passwords: Passwords,
    attempts: Attempts,
    pub(crate) set_up: SetUp,
}

impl People {
    /// With the set-up link as it was opened.
    pub(crate) fn with(set_up: SetUp) -> Self {
        Self {
            set_up,
            ..Self::default()
        }
    }
}
