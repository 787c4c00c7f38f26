//! `thirdboot token` and `whoami`: who may do what.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use thirdboot_api::control::{AccessRole, TokenCreated, TokenSpec, TokenView};

use super::{Connection, EXIT_CODES, Failure, now, table};

/// Tokens, over the API. Needs the role admin.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct TokenCommand {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a token. It is shown this once, or written to a file that only you can read.
    Create {
        /// Its name, unique: what the log and the audit call whoever uses it.
        name: String,
        /// What it may do: viewer, operator or admin.
        #[arg(long, default_value_t)]
        role: AccessRole,
        /// Write it to this new file, mode 0600, and print it nowhere.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// List every token: what it may do, who made it, when it was last used.
    List,
    /// Take a token away: whoever has it is a stranger from now on.
    Revoke {
        /// Its name.
        name: String,
    },
}

impl TokenCommand {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let (client, output) = (self.connection.client()?, &self.connection.output);
        match self.action {
            Action::Create { name, role, out: None } => {
                let made = client.create_token(&TokenSpec { name, role }).await?;
                output.print(&made, || format!("{}\n", made.token))
            }
            Action::Create {
                name,
                role,
                out: Some(file),
            } => {
                // The file is there before the token is: one that cannot be written down would be lost.
                let mut kept = new_file(&file)?;
                let made = client.create_token(&TokenSpec { name, role }).await;
                let written = made.map_err(Failure::from).and_then(|made| {
                    let wrote = writeln!(kept, "{}", made.token).and_then(|()| kept.sync_all());
                    wrote.map_err(|error| lost(&file, &made, &error))?;
                    Ok(made)
                });
                let made = written.inspect_err(|_| {
                    // It holds no token; whether it can be removed changes nothing about why there is none.
                    let _ = std::fs::remove_file(&file);
                })?;
                let answer = json!({"name": made.name, "role": made.role, "created_at": made.created_at, "file": file});
                output.print(&answer, || {
                    format!("{}: {}, its token is in {}\n", made.name, made.role, file.display())
                })
            }
            Action::List => {
                let tokens = client.tokens().await?.items;
                output.print(&tokens, || shown(&tokens, output.columns()))
            }
            Action::Revoke { name } => {
                client.revoke_token(&name).await?;
                output.print(&json!({"revoked": name}), || format!("{name}: revoked\n"))
            }
        }
    }
}

fn new_file(path: &PathBuf) -> Result<std::fs::File, Failure> {
    let mut options = std::fs::OpenOptions::new();
    let opened = options.write(true).create_new(true).mode(0o600).open(path);
    opened.map_err(|error| Failure::Usage(format!("--out {}: {error}", path.display())))
}

fn lost(file: &std::path::Path, made: &TokenCreated, error: &std::io::Error) -> Failure {
    let (file, name) = (file.display(), &made.name);
    Failure::Other(anyhow::anyhow!(
        "{file}: {error}; the token is lost: `thirdboot token revoke {name}` and make another one"
    ))
}

fn shown(tokens: &[TokenView], columns: Option<u16>) -> String {
    let mut shown = table::table(&["NAME", "ROLE", "MADE", "BY", "LAST USED"], columns);
    for token in tokens {
        let ago = |at| format!("{} ago", table::age(at, now()));
        shown.add_row([
            token.name.clone(),
            token.role.to_string(),
            ago(token.created_at),
            token.created_by.clone().unwrap_or_else(|| "first start".to_owned()),
            token.last_used_at.map_or_else(|| "never".to_owned(), ago),
        ]);
    }
    table::text(&shown)
}

/// Show as whom the server sees you.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct WhoamiCommand {
    #[command(flatten)]
    connection: Connection,
}

impl WhoamiCommand {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let caller = self.connection.client()?.whoami().await?;
        let output = &self.connection.output;
        output.print(&caller, || format!("{}, {}\n", caller.name, caller.role))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_for_a_token_is_new_and_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let mode = new_file(&path).unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = new_file(&path).unwrap_err();
        assert!(matches!(again, Failure::Usage(why) if why.starts_with("--out ")));
    }
}
