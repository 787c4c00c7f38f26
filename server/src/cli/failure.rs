//! What goes wrong on the command line, and how the shell hears of it.

use std::process::ExitCode;

use thirdboot_api::ClientError;

/// Refused or failed.
pub(super) const FAILED: u8 = 1;
/// Wrong usage; clap uses the same.
pub(super) const USAGE: u8 = 2;
/// No server, or none that answers.
const UNREACHABLE: u8 = 3;

/// Why a command was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The command makes no sense as given.
    #[error("{0}")]
    Usage(String),
    /// The server refused it, or cannot be reached.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Anything else.
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
    /// It was said already.
    #[error("failed")]
    Told,
    /// There is nothing to say; the shell hears this.
    #[error("ended with exit code {0}")]
    Quiet(u8),
}

impl Failure {
    /// Says it on standard error.
    pub(super) fn report(&self) -> ExitCode {
        if !matches!(self, Self::Told | Self::Quiet(_)) {
            eprintln!("thirdboot: {self}");
        }
        ExitCode::from(self.code())
    }

    fn code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Client(ClientError::BadUrl { .. }) => USAGE,
            Self::Client(ClientError::Unreachable { .. }) => UNREACHABLE,
            Self::Quiet(code) => *code,
            Self::Client(_) | Self::Other(_) | Self::Told => FAILED,
        }
    }
}

#[cfg(test)]
mod tests {
    use thirdboot_api::{Problem, ProblemType};

    use super::*;

    #[test]
    fn scripts_can_tell_failures_apart() {
        let refused = ClientError::Problem(Box::new(Problem::new(ProblemType::Refused, "no")));
        let unreachable = ClientError::Unreachable {
            url: "u".into(),
            why: "w".into(),
        };
        let bad_url = ClientError::BadUrl {
            url: "u".into(),
            why: "w".into(),
        };
        assert_eq!(Failure::from(refused).code(), 1);
        assert_eq!(Failure::from(bad_url).code(), 2);
        assert_eq!(Failure::Usage("?".into()).code(), 2);
        assert_eq!(Failure::from(unreachable).code(), 3);
    }
}
