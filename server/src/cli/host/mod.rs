//! `thirdboot host …`.

mod act;
mod add;
mod preview;

pub(super) use add::label;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::{Connection, Failure, now, table, terminal_columns};

/// What scripts can count on.
pub(super) const EXIT_CODES: &str =
    "Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 the server cannot be reached.";

/// Hosts, over the API.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct HostCommand {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Describe a machine, so that it is no stranger any more. Nothing is installed before it is armed.
    Add(Box<add::AddOptions>),
    /// Show a host with its run, its three boots, and why it is stuck.
    Show {
        /// Its name.
        name: String,
    },
    /// List every host.
    List,
    /// Allow a host's disk to be wiped and installed at its next network boot.
    Arm(act::ArmOptions),
    /// End a host's run. A disk that was claimed and not finished stays in pieces: the host is held.
    Cancel {
        /// The host's name.
        name: String,
    },
    /// Put the brake on: the host's script polls and boots nothing until released.
    Hold {
        /// The host's name.
        name: String,
        /// Why, for whoever meets the held machine.
        #[arg(long)]
        reason: String,
    },
    /// Show what arming the host now would have it served. Nothing is changed by looking.
    Preview(Box<preview::PreviewOptions>),
    /// Show how what a machine was installed with differs from what it would get today.
    Diff(preview::DiffOptions),
    /// Take the brake off.
    Release {
        /// The host's name.
        name: String,
    },
}

impl HostCommand {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let connection = &self.connection;
        match self.action {
            Action::Add(options) => options.run(connection).await,
            Action::Show { name } => {
                let host = connection.client()?.host(&name).await?;
                print(connection, &host, || table::host(&host, now(), terminal_columns()))
            }
            Action::List => {
                let hosts = connection.client()?.all_hosts().await?;
                print(connection, &hosts, || table::hosts(&hosts, now(), terminal_columns()))
            }
            Action::Arm(options) => options.run(connection).await,
            Action::Cancel { name } => {
                let host = connection.client()?.cancel(&name).await?;
                print(connection, &host, || format!("{name}: its run is cancelled\n"))
            }
            Action::Hold { name, reason } => {
                let host = connection.client()?.hold(&name, &reason).await?;
                print(connection, &host, || format!("{name}: held: {reason}\n"))
            }
            Action::Preview(options) => options.run(connection).await,
            Action::Diff(options) => options.run(connection).await,
            Action::Release { name } => {
                let host = connection.client()?.release(&name).await?;
                print(connection, &host, || format!("{name}: released\n"))
            }
        }
    }
}

/// The API's answer as JSON, or what a person reads.
pub(super) fn print<T: Serialize>(
    connection: &Connection,
    answer: &T,
    text: impl FnOnce() -> String,
) -> Result<(), Failure> {
    use std::io::Write as _;
    let text = if connection.json {
        let json = serde_json::to_string_pretty(answer).map_err(anyhow::Error::from)?;
        json + "\n"
    } else {
        text()
    };
    match std::io::stdout().write_all(text.as_bytes()) {
        // `thirdboot host list | head` closes the pipe: fine.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        done => Ok(done.map_err(anyhow::Error::from)?),
    }
}
