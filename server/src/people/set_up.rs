//! The set-up link: with it the first person who follows it becomes an admin. It is there while nobody can sign in, in a
//! file that only the owner of the server's data reads, who could read the first admin's token as well.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, ensure};
use subtle::ConstantTimeEq as _;
use thirdboot_store::Store;

use crate::api::token_sha256;
use crate::secrets::{is_private, random_text, write_private};

/// The link's file in the data folder.
const FILE: &str = "set-up-link";
/// Where the link leads.
const PATH: &str = "/set-up/";

/// The link, while there is one.
#[derive(Debug, Default)]
pub(crate) struct SetUp {
    sha256: Mutex<Option<String>>,
    file: PathBuf,
}

impl SetUp {
    /// Makes the link if nobody can sign in, and takes an old one away if somebody can. Also returns the whole link.
    pub(crate) async fn open(store: &dyn Store, folder: &Path, base: &str) -> anyhow::Result<(Self, Option<String>)> {
        let file = folder.join(FILE);
        let kept = read(&file)?;
        if store.users().await?.iter().any(|user| user.password_hash.is_some()) {
            if kept.is_some() {
                remove(&file)?;
            }
            return Ok((Self::default(), None));
        }
        let secret = match kept {
            Some(secret) => secret,
            None => format!("tb_setup_{}", random_text()?),
        };
        let link = format!("{base}{PATH}{secret}");
        // Anew at every start: the address may be another.
        remove(&file)?;
        write_private(&file, format!("{link}\n").as_bytes())?;
        tracing::info!(file = %file.display(), "nobody can sign in yet: the link to set up the first admin was written");
        let set_up = Self {
            sha256: Mutex::new(Some(token_sha256(&secret))),
            file,
        };
        Ok((set_up, Some(link)))
    }

    /// Whether this is the link's secret, and nobody followed it so far.
    pub(crate) fn is_open_to(&self, secret: &str) -> bool {
        let kept = self.sha256.lock().unwrap_or_else(PoisonError::into_inner);
        let presented = token_sha256(secret);
        kept.as_ref()
            .is_some_and(|kept| kept.as_bytes().ct_eq(presented.as_bytes()).into())
    }

    /// Somebody can sign in: the link leads nowhere from now on.
    pub(crate) fn close(&self) {
        let was_open = self.sha256.lock().unwrap_or_else(PoisonError::into_inner).take();
        if was_open.is_some()
            && let Err(error) = remove(&self.file)
        {
            // It opens nothing any more; the next start takes it away.
            tracing::warn!(%error, "the set-up link's file stays");
        }
    }
}

fn read(file: &Path) -> anyhow::Result<Option<String>> {
    let at = || file.display().to_string();
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(at),
    };
    let mode = fs::metadata(file).with_context(at)?.permissions().mode() & 0o777;
    ensure!(
        is_private(mode),
        "{} can be read by others (mode {mode:o}): remove it, and a new link is made",
        at()
    );
    let secret = text.trim().rsplit_once(PATH).map(|(_, secret)| secret.to_owned());
    Ok(secret.filter(|secret| secret.starts_with("tb_setup_")))
}

fn remove(file: &Path) -> anyhow::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error).with_context(|| file.display().to_string()),
        _ => Ok(()),
    }
}
