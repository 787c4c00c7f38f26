//! `thirdboot repository …`: where packages come from.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use thirdboot_api::control::{RepositorySpec, RepositoryView, Role};

use super::table::{table, text};
use super::{Connection, EXIT_CODES, Failure};

/// A key file is at most this long, in bytes.
const MAX_KEY_BYTES: u64 = 64 * 1024;

/// Package repositories, over the API.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct RepositoryCommand {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add a repository, or replace the one of that name. Hosts get it when they are armed the next time.
    Add {
        /// Its name: an RFC 1123 label.
        name: String,
        /// Where its packages are: the folder that has repodata.
        #[arg(long)]
        url: String,
        /// The public key that its packages are signed with, in ASCII armor.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Only for hosts of this role (repeat it).
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<Role>,
    },
    /// Show a repository with its key.
    Show {
        /// Its name.
        name: String,
    },
    /// List every repository.
    List,
    /// Forget a repository. Hosts that have it keep it until they are installed anew.
    Remove {
        /// Its name.
        name: String,
    },
}

impl RepositoryCommand {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let connection = &self.connection;
        match self.action {
            Action::Add { name, url, key, roles } => {
                let spec = RepositorySpec {
                    url,
                    gpg_key: read(&key)?,
                    roles,
                };
                let repository = connection.client()?.put_repository(&name, &spec).await?;
                connection.output.print(&repository, || {
                    format!("{name}: kept, hosts get it when they are armed the next time\n")
                })
            }
            Action::Show { name } => {
                let repository = connection.client()?.repository(&name).await?;
                connection.output.print(&repository, || {
                    format!(
                        "{}\n\n{}\n",
                        list(std::slice::from_ref(&repository), connection.output.columns()).trim_end(),
                        repository.gpg_key.trim()
                    )
                })
            }
            Action::List => {
                let all = connection.client()?.repositories().await?.items;
                connection
                    .output
                    .print(&all, || list(&all, connection.output.columns()))
            }
            Action::Remove { name } => {
                let repository = connection.client()?.remove_repository(&name).await?;
                connection.output.print(&repository, || format!("{name}: forgotten\n"))
            }
        }
    }
}

fn read(key: &PathBuf) -> Result<String, Failure> {
    let refuse = |why: String| Failure::Usage(format!("--key {}: {why}", key.display()));
    let length = std::fs::metadata(key).map_err(|error| refuse(error.to_string()))?.len();
    if length > MAX_KEY_BYTES {
        return Err(refuse(format!(
            "{length} bytes, expected a key of at most {MAX_KEY_BYTES}"
        )));
    }
    let bytes = std::fs::read(key).map_err(|error| refuse(error.to_string()))?;
    String::from_utf8(bytes).map_err(|_| refuse("not text: export it with gpg --armor".to_owned()))
}

fn list(repositories: &[RepositoryView], columns: Option<u16>) -> String {
    let mut table = table(&["NAME", "ROLES", "URL"], columns);
    for repository in repositories {
        let roles: Vec<&str> = repository.roles.iter().map(|role| role.as_str()).collect();
        let roles = if roles.is_empty() {
            "all".to_owned()
        } else {
            roles.join(" ")
        };
        table.add_row([repository.name.clone(), roles, repository.url.clone()]);
    }
    text(&table)
}
