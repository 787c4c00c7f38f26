//! Servers and tokens that `thirdboot login` keeps, in a file that only its owner reads.

use std::collections::BTreeMap;
use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::connection::{connect, token_of, variable};
use super::table;
use super::{Connection, EXIT_CODES, Failure};
use crate::secrets::is_private;

/// The name of a profile when none is given.
const DEFAULT: &str = "default";

/// What the file holds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Profiles {
    /// The profile that counts when none is named.
    default: Option<String>,
    profiles: BTreeMap<String, Profile>,
}

/// A server, and a token for it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Profile {
    pub(super) endpoint: String,
    pub(super) token: String,
    /// File with the CA that vouches for the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ca: Option<PathBuf>,
}

impl std::fmt::Debug for Profile {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Profile")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// Where profiles are kept: `THIRDBOOT_PROFILES`, else below the user's configuration (XDG).
pub(super) fn file() -> Result<PathBuf, Failure> {
    if let Some(file) = variable("THIRDBOOT_PROFILES") {
        return Ok(file.into());
    }
    let folder = variable("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| variable("HOME").map(|home| Path::new(&home).join(".config")));
    let folder = folder.ok_or_else(|| Failure::Usage("neither HOME nor THIRDBOOT_PROFILES is set".to_owned()))?;
    Ok(folder.join("thirdboot/profiles.toml"))
}

impl Profiles {
    /// None at all when there is no file. A file that others can read is refused: what it holds is no secret any more.
    pub(super) fn load(file: &Path) -> Result<Self, Failure> {
        let refuse = |why: String| Failure::Usage(format!("{}: {why}", file.display()));
        let metadata = match std::fs::metadata(file) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(refuse(error.to_string())),
        };
        let mode = metadata.permissions().mode() & 0o777;
        if !is_private(mode) {
            return Err(refuse(format!(
                "others can read it (mode {mode:o}): chmod 600 it, and take its tokens back if others could"
            )));
        }
        let text = std::fs::read_to_string(file).map_err(|error| refuse(error.to_string()))?;
        // The excerpt that such an error shows could hold a token.
        toml::from_str(&text).map_err(|error| refuse(error.message().to_owned()))
    }

    pub(super) fn named(&self, name: &str) -> Result<&Profile, Failure> {
        self.profiles.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.profiles.keys().map(String::as_str).collect();
            let expected = if known.is_empty() {
                "`thirdboot login` first".to_owned()
            } else {
                known.join(", ")
            };
            Failure::Usage(format!("there is no profile {name:?}: expected {expected}"))
        })
    }

    pub(super) fn chosen(&self) -> Option<&Profile> {
        self.profiles.get(self.default.as_deref().unwrap_or(DEFAULT))
    }

    /// Written whole or not at all, for its owner's eyes.
    fn store(&self, file: &Path) -> anyhow::Result<()> {
        let at = || file.display().to_string();
        let folder = file.parent().with_context(at)?;
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(at)?;
        // Made with mode 0600, and renamed over what is there.
        let mut draft = tempfile::NamedTempFile::new_in(folder).with_context(at)?;
        let text = format!(
            "# Written by `thirdboot login`; holds tokens.\n{}",
            toml::to_string(self)?
        );
        draft.write_all(text.as_bytes()).with_context(at)?;
        draft.as_file().sync_all().with_context(at)?;
        draft.persist(file).with_context(at)?;
        Ok(())
    }
}

/// Keep a server and a token for it.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct LoginCommand {
    #[command(flatten)]
    connection: Connection,
    /// Do not make it the default profile.
    #[arg(long)]
    keep_default: bool,
}

impl LoginCommand {
    /// The token comes from --token-file, else from standard input: typed unseen on a terminal.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let name = self.connection.profile.as_deref().unwrap_or(DEFAULT);
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(Failure::Usage(format!(
                "{name:?} is no name of a profile: expected A-Z a-z 0-9 _ -"
            )));
        }
        let endpoint = self.connection.named_endpoint();
        let token = match self.connection.named_token()? {
            Some(token) => token,
            None => token_of(&asked(&endpoint)?)?,
        };
        // Kept is what the server knows.
        let ca = self.connection.named_ca()?;
        connect(&endpoint, token.clone(), ca.as_deref())?.whoami().await?;
        let file = file()?;
        let mut profiles = Profiles::load(&file)?;
        let profile = Profile {
            endpoint: endpoint.clone(),
            token: token.reveal().to_owned(),
            ca,
        };
        profiles.profiles.insert(name.to_owned(), profile);
        if !self.keep_default || profiles.profiles.len() == 1 {
            profiles.default = Some(name.to_owned());
        }
        profiles.store(&file)?;
        let answer = json!({"profile": name, "endpoint": endpoint, "file": file});
        self.connection.output.print(&answer, || {
            format!("{endpoint} is kept as profile {name} in {}\n", file.display())
        })
    }
}

fn asked(endpoint: &str) -> Result<String, Failure> {
    let read = if std::io::stdin().is_terminal() {
        rpassword::prompt_password(format!("Token for {endpoint}: "))
    } else {
        std::io::read_to_string(std::io::stdin())
    };
    read.map_err(|error| Failure::Usage(format!("the token cannot be read from standard input: {error}")))
}

/// Servers that were logged in to.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct ProfileCommand {
    #[command(flatten)]
    output: super::output::Output,
    #[command(subcommand)]
    action: ProfileAction,
}

#[derive(Debug, Subcommand)]
enum ProfileAction {
    /// List them, without their tokens.
    List,
    /// Make one the default.
    Use {
        /// Its name.
        name: String,
    },
    /// Forget one, and its token. The token itself stays valid until it is revoked.
    Remove {
        /// Its name.
        name: String,
    },
}

impl ProfileCommand {
    pub(super) fn run(self) -> Result<(), Failure> {
        let file = file()?;
        let mut profiles = Profiles::load(&file)?;
        match self.action {
            ProfileAction::List => return list(&self.output, &profiles),
            ProfileAction::Use { name } => {
                profiles.named(&name)?;
                profiles.default = Some(name);
            }
            ProfileAction::Remove { name } => {
                profiles.named(&name)?;
                profiles.profiles.remove(&name);
                profiles.default = profiles.default.filter(|default| *default != name);
            }
        }
        profiles.store(&file)?;
        list(&self.output, &profiles)
    }
}

fn list(output: &super::output::Output, profiles: &Profiles) -> Result<(), Failure> {
    let default = profiles.default.as_deref().unwrap_or(DEFAULT);
    let rows: Vec<_> = profiles
        .profiles
        .iter()
        .map(|(name, profile)| json!({"profile": name, "endpoint": profile.endpoint, "is_default": name == default}))
        .collect();
    output.print(&rows, || {
        if profiles.profiles.is_empty() {
            return "no profiles\n".to_owned();
        }
        let mut shown = table::table(&["PROFILE", "ENDPOINT", "DEFAULT"], output.columns());
        for (name, profile) in &profiles.profiles {
            let mark = if name == default { "yes" } else { "" };
            shown.add_row([name.as_str(), &profile.endpoint, mark]);
        }
        table::text(&shown)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Profiles {
        toml::from_str("[profiles.default]\nendpoint = \"http://a\"\ntoken = \"tb_api_sesame\"\n").unwrap()
    }

    #[test]
    fn what_is_kept_is_read_again_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("thirdboot/profiles.toml");
        sample().store(&file).unwrap();
        sample().store(&file).unwrap();
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Profiles::load(&file).unwrap().chosen().unwrap().token, "tb_api_sesame");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("profiles.toml");
        sample().store(&file).unwrap();
        for mode in [0o640, 0o604, 0o666] {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            let error = Profiles::load(&file).unwrap_err().to_string();
            assert!(error.contains("chmod 600"), "{error}");
        }
    }

    #[test]
    fn a_mistake_is_named_without_the_token() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("profiles.toml");
        std::fs::write(
            &file,
            "[profiles.a]\nendpoint = \"http://a\"\ntoken = \"tb_api_sesame\" x\n",
        )
        .unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let error = Profiles::load(&file).unwrap_err().to_string();
        assert!(!error.contains("sesame"), "{error}");
        assert!(!format!("{:?}", sample()).contains("sesame"));
    }
}
