//! A cluster's tokens. They are k3s' own: random, and with a prefix by which they are redacted wherever a host's
//! secrets are.

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use crate::secrets::random_text;

/// What nodes join with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize)]
#[zeroize(drop)]
pub(crate) struct Tokens {
    /// Makes whoever has it the cluster's admin: for servers only.
    pub(crate) server: String,
    /// Lets a node join as an agent.
    pub(crate) agent: String,
    /// What the servers are about to take instead. Wipes itself.
    #[zeroize(skip)]
    pub(crate) next: Option<Box<Tokens>>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(…)")
    }
}

impl Tokens {
    /// New ones.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub(crate) fn generate() -> anyhow::Result<Self> {
        Ok(Self {
            server: format!("tb_server_{}", random_text()?),
            agent: format!("tb_agent_{}", random_text()?),
            next: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::redact;

    #[test]
    fn tokens_differ_and_are_redacted_as_every_secret_is() {
        let (one, other) = (Tokens::generate().unwrap(), Tokens::generate().unwrap());
        assert!(one.server != other.server && one.agent != other.agent && one.server[10..] != one.agent[9..]);
        let log = format!("token K10abcd::server:{} refused", one.server);
        assert_eq!(redact(&log), "token K10abcd::server:tb_server_[redacted] refused");
        assert!(!format!("{one:?}").contains(&one.server));
    }
}
