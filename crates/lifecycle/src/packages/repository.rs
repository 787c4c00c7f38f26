//! A package repository, as dnf and rpm-ostree know it.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::armor::{self, InvalidKey};
use crate::text::checked_text;
use crate::{HostName, InvalidName, Role};

/// A repository and the key that its packages are signed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// Unique.
    pub name: RepositoryName,
    /// Where its packages are: the folder that has `repodata`.
    pub url: RepositoryUrl,
    /// The public key, in ASCII armor.
    pub gpg_key: String,
    /// Whose hosts get it; none means every role's.
    #[serde(default)]
    pub roles: Vec<Role>,
}

impl Repository {
    /// Whether hosts of this role get it.
    #[must_use]
    pub fn serves(&self, role: Role) -> bool {
        self.roles.is_empty() || self.roles.contains(&role)
    }

    /// Whether its key is one, and public.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn check_key(&self) -> Result<(), InvalidKey> {
        armor::check(&self.gpg_key)
    }
}

/// A repository's name: part of file names and a section in one of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepositoryName(Box<str>);

impl FromStr for RepositoryName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        // One rule for all names.
        text.parse::<HostName>()?;
        Ok(Self(text.into()))
    }
}

checked_text!(RepositoryName, InvalidName);

/// Where a repository's packages are. May hold dnf's `$basearch` and `$releasever`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepositoryUrl(Box<str>);

/// Text that is no repository's URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a repository: expected http:// or https://, a host and a path, without credentials or spaces")]
pub struct InvalidRepositoryUrl(String);

impl FromStr for RepositoryUrl {
    type Err = InvalidRepositoryUrl;

    fn from_str(text: &str) -> Result<Self, InvalidRepositoryUrl> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        // Every machine's users can read the file: no name and password stand in it.
        let is_plain = |rest: &str| {
            rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
                && rest
                    .bytes()
                    .all(|c| c.is_ascii_alphanumeric() || b".-_/:[]~%+=&?$,".contains(&c))
        };
        if text.len() <= 1000 && rest.is_some_and(is_plain) {
            Ok(Self(text.into()))
        } else {
            // What stands before an @ may be a password.
            let shown = text.rsplit('@').next().unwrap_or_default();
            Err(InvalidRepositoryUrl(shown.chars().take(200).collect()))
        }
    }
}

checked_text!(RepositoryUrl, InvalidRepositoryUrl);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_http_without_credentials() {
        for good in [
            "https://rpm.rancher.io/k3s/stable/common/coreos/noarch",
            "http://192.0.2.1:8080/repo/$releasever/$basearch/",
            "https://[2001:db8::1]/x",
        ] {
            assert!(good.parse::<RepositoryUrl>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "rpm.rancher.io",
            "ftp://x/y",
            "https://",
            "https://a b",
            "https://x/\ngpgcheck=0",
            "file:///etc",
        ] {
            assert!(bad.parse::<RepositoryUrl>().is_err(), "{bad:?}");
        }
        let error = "https://me:hunter2@x/y"
            .parse::<RepositoryUrl>()
            .unwrap_err()
            .to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn a_name_is_a_label() {
        assert!("k3s-stable".parse::<RepositoryName>().is_ok());
        assert!("../x".parse::<RepositoryName>().is_err());
    }
}
