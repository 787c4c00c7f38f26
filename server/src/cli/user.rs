//! `thirdboot user …`: who may sign in to the pages.

use std::io::{IsTerminal as _, Read as _};

use clap::{Args, Subcommand};
use serde_json::json;
use thirdboot_api::Client;
use thirdboot_api::control::{AccessRole, PasswordBody, UserLink, UserSpec, UserView};

use super::table::{table, text};
use super::{Connection, EXIT_CODES, Failure, terminal_columns};

/// A password is at most this long, in bytes.
const MAX_PASSWORD_BYTES: u64 = 1024;

/// People who sign in to the pages, over the API.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct UserCommand {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add somebody who may sign in. Asks for the password, or reads it from standard input where that is no terminal.
    Add {
        /// Their name: 1 to 64 characters of A-Z a-z 0-9 . _ @ -.
        name: String,
        /// What they may do: viewer, operator or admin.
        #[arg(long, default_value_t)]
        role: AccessRole,
        /// Ask for no password: print a link with which they choose one themselves.
        #[arg(long)]
        link: bool,
    },
    /// List everybody who may sign in.
    List,
    /// Take a user away. Their sessions end at once.
    Remove {
        /// Their name.
        name: String,
    },
    /// Set what a user may do, also where they are signed in.
    Role {
        /// Their name.
        name: String,
        /// viewer, operator or admin.
        role: AccessRole,
    },
    /// Print a link with which a user chooses their password: once, within three days. An earlier one leads nowhere then.
    Link {
        /// Their name.
        name: String,
    },
    /// Set a user's password. Their sessions end at once. Asks for it, or reads it from standard input.
    Password {
        /// Their name.
        name: String,
    },
}

impl UserCommand {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let connection = &self.connection;
        let client = connection.client()?;
        match self.action {
            Action::Add { name, role, link: true } => {
                let password = None;
                let user = UserSpec {
                    name: name.clone(),
                    role,
                    password,
                };
                client.add_user(&user).await?;
                let link = client.user_link(&name).await.inspect_err(|_| {
                    eprintln!("{name} was added, the link was not made: `thirdboot user link {name}` makes one");
                })?;
                print_link(connection, &client, &name, &link)
            }
            Action::Link { name } => {
                let link = client.user_link(&name).await?;
                print_link(connection, &client, &name, &link)
            }
            Action::Role { name, role } => {
                let user = client.set_role(&name, role).await?;
                connection
                    .output
                    .print(&user, || format!("{}: is {} now\n", user.name, user.role))
            }
            Action::Add {
                name,
                role,
                link: false,
            } => {
                let password = Some(password(&name)?);
                let user = client.add_user(&UserSpec { name, role, password }).await?;
                connection
                    .output
                    .print(&user, || format!("{}: may sign in as {}\n", user.name, user.role))
            }
            Action::List => {
                let users = client.users().await?.items;
                connection.output.print(&users, || list(&users))
            }
            Action::Remove { name } => {
                let user = client.remove_user(&name).await?;
                connection.output.print(&user, || format!("{name}: removed\n"))
            }
            Action::Password { name } => {
                let password = password(&name)?;
                let user = client.set_password(&name, &PasswordBody { password }).await?;
                connection.output.print(&user, || {
                    format!("{name}: the password is set, and every session ended\n")
                })
            }
        }
    }
}

/// Prints a link whole.
fn print_link(connection: &Connection, client: &Client, name: &str, link: &UserLink) -> Result<(), Failure> {
    let url = format!("{}{}", client.address(), link.path);
    let answer = json!({"path": link.path, "expires_at": link.expires_at, "url": url});
    connection.output.print(&answer, || {
        format!(
            "{name} chooses a password here, once, until {}:\n{url}\n",
            link.expires_at
        )
    })
}

/// Typed twice, or a line of standard input.
fn password(name: &str) -> Result<String, Failure> {
    let mut stdin = std::io::stdin();
    if stdin.is_terminal() {
        let ask = |prompt: String| rpassword::prompt_password(prompt).map_err(anyhow::Error::from);
        let password = ask(format!("Password of {name} (at least 12 characters): "))?;
        if ask("Once more: ".to_owned())? != password {
            return Err(Failure::Usage("the two are not the same".to_owned()));
        }
        return Ok(password);
    }
    let mut text = String::new();
    let read = stdin.by_ref().take(MAX_PASSWORD_BYTES + 2).read_to_string(&mut text);
    read.map_err(anyhow::Error::from)?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

fn list(users: &[UserView]) -> String {
    if users.is_empty() {
        return "nobody can sign in yet: thirdboot user add NAME, or the set-up link that the server's start wrote\n"
            .to_owned();
    }
    let mut table = table(&["NAME", "ROLE", "PASSWORD", "ADDED", "BY"], terminal_columns());
    for user in users {
        table.add_row([
            user.name.clone(),
            user.role.to_string(),
            match (user.password_set_at, user.link_expires_at) {
                (Some(at), Some(over)) => format!("set {at}, a link until {over}"),
                (None, Some(over)) => format!("by a link until {over}"),
                (Some(at), None) => format!("set {at}"),
                (None, None) => "none: thirdboot user link".to_owned(),
            },
            user.created_at.to_string(),
            user.created_by.clone().unwrap_or_else(|| "the set-up link".to_owned()),
        ]);
    }
    text(&table)
}
