//! Passwords: Argon2id with the crate's parameters (OWASP's first choice: 19 MiB, two passes), in PHC strings.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use tokio::sync::Semaphore;

use crate::problem::Failure;

/// Characters of a password at least.
const MIN_CHARS: usize = 12;
/// Bytes of a password at most: what is longer is no password.
const MAX_BYTES: usize = 1024;
/// Names are at most this long.
const MAX_NAME_CHARS: usize = 64;
/// Hashes that are made at once. Each takes a core and 19 MiB for a moment; who signs in must not slow down who boots.
const AT_ONCE: usize = 1;

/// The hash of a password that nobody has: a name that is not there costs as much as one that is.
static NOBODYS: LazyLock<Option<String>> = LazyLock::new(|| hash("nobody has this password").ok());

/// Makes and checks hashes, few at once.
#[derive(Debug)]
pub(crate) struct Passwords(Semaphore);

impl Default for Passwords {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

impl Passwords {
    /// The hash to be kept of a password.
    pub(crate) async fn hash(&self, password: &str) -> Result<String, Failure> {
        let password = password.to_owned();
        self.slowly(move || hash(&password)).await?.map_err(Failure::internal)
    }

    /// Whether it is the password of this hash; none means that there is no such user.
    pub(super) async fn fits(&self, password: &str, kept: Option<&str>) -> Result<bool, Failure> {
        let (password, kept) = (password.to_owned(), kept.map(ToOwned::to_owned));
        let checked = self.slowly(move || match (&kept, &*NOBODYS) {
            (Some(kept), _) => verify(&password, kept),
            (None, Some(nobodys)) => verify(&password, nobodys).map(|_| false),
            (None, None) => Ok(false),
        });
        checked.await?.map_err(Failure::internal)
    }

    async fn slowly<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
        let _place = self.0.acquire().await.map_err(Failure::internal)?;
        tokio::task::spawn_blocking(work).await.map_err(Failure::internal)
    }
}

fn hash(password: &str) -> anyhow::Result<String> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt)?;
    let salt = SaltString::encode_b64(&salt).map_err(|error| anyhow::anyhow!("a salt: {error}"))?;
    let hash = Argon2::default().hash_password(password.as_bytes(), &salt);
    Ok(hash
        .map_err(|error| anyhow::anyhow!("a password's hash: {error}"))?
        .to_string())
}

fn verify(password: &str, kept: &str) -> anyhow::Result<bool> {
    let kept = PasswordHash::new(kept).map_err(|error| anyhow::anyhow!("a kept hash: {error}"))?;
    Ok(Argon2::default().verify_password(password.as_bytes(), &kept).is_ok())
}

/// Refuses what is too short to be safe. Nothing else is asked of a password.
pub(crate) fn check_password(password: &str) -> Result<(), Failure> {
    if password.chars().count() < MIN_CHARS {
        return Err(Failure::field(
            "password",
            format!("expected at least {MIN_CHARS} characters"),
        ));
    }
    if password.len() > MAX_BYTES {
        return Err(Failure::field(
            "password",
            format!("expected at most {MAX_BYTES} bytes"),
        ));
    }
    Ok(())
}

/// Refuses what could not stand in a URL, or be told from something else in the log.
pub(crate) fn check_name(name: &str) -> Result<(), Failure> {
    let is_fit = |c: u8| c.is_ascii_alphanumeric() || b"._@-".contains(&c);
    let begins_well = name.bytes().next().is_some_and(|c| c.is_ascii_alphanumeric());
    if begins_well && name.len() <= MAX_NAME_CHARS && name.bytes().all(is_fit) {
        return Ok(());
    }
    let expected = "expected 1 to 64 characters of A-Z a-z 0-9 . _ @ -, the first a letter or digit";
    Err(Failure::field("name", expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_is_argon2id_salted_and_fits_its_password_alone() {
        let passwords = Passwords::default();
        let (one, other) = (
            passwords.hash("correct horse").await.unwrap(),
            passwords.hash("correct horse").await.unwrap(),
        );
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, other);
        assert!(passwords.fits("correct horse", Some(&one)).await.unwrap());
        assert!(!passwords.fits("Correct horse", Some(&one)).await.unwrap());
        assert!(!passwords.fits("nobody has this password", None).await.unwrap());
    }

    #[test]
    fn a_short_password_and_an_odd_name_are_refused() {
        assert!(check_password("twelve chars").is_ok());
        assert!(check_password("eleven char").is_err());
        assert!(check_password(&"x".repeat(1025)).is_err());
        assert!(check_name("ann.b@c-d").is_ok());
        for name in ["", "-a", "a b", "user:a", &"x".repeat(65)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
