//! `thirdboot host …`.

mod act;
mod add;
mod changed;
mod edit;
mod import;
mod lifetime;
mod list;
mod live;
mod preview;
mod seen;
mod update;
mod wait;

pub(super) use add::label;
use clap::{Args, Subcommand};

use super::{Connection, EXIT_CODES, Failure, now, table};

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
    /// List hosts: all of them, or those that are searched for.
    List(Box<list::ListOptions>),
    /// Count hosts by where they stand.
    Counts,
    /// Change parts of a host's description.
    Update(Box<update::UpdateOptions>),
    /// Open a host's description in an editor ($VISUAL, $EDITOR, vi).
    Edit {
        /// The host's name.
        name: String,
    },
    /// Add and update hosts from an inventory: all of them, or none.
    Import(import::ImportOptions),
    /// Wait until a host's run is where it should be, and watch its three boots.
    Wait(wait::WaitOptions),
    /// List a host's runs.
    Runs {
        /// The host's name.
        name: String,
    },
    /// Show a run with its boots and what proves them.
    Run {
        /// The host's name.
        name: String,
        /// The run's number.
        number: u32,
    },
    /// List the boots of a run with what proves them.
    Boots {
        /// The host's name.
        name: String,
        /// The run; without it the last one.
        #[arg(long, value_name = "NUMBER")]
        run: Option<u32>,
    },
    /// Show what a machine last was: its system, its deployments, its network.
    Observed {
        /// The host's name.
        name: String,
    },
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
    /// Print the URL that a host known by its key boots from. A secret, and noted in the audit.
    BootUrl {
        /// The host's name.
        name: String,
    },
    /// Make a host's boot and lock secrets new: its former boot URL is unknown from then on.
    RotateKey {
        /// The host's name.
        name: String,
    },
    /// Take a host out of service: it boots its disk, and cannot be armed.
    Retire {
        /// The host's name.
        name: String,
    },
    /// Take a retired host into service again.
    Unretire {
        /// The host's name.
        name: String,
    },
    /// Remove a retired host, with its runs and its log.
    Delete(lifetime::DeleteOptions),
}

impl HostCommand {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let (connection, output) = (&self.connection, &self.connection.output);
        match self.action {
            Action::Add(options) => options.run(connection).await,
            Action::Show { name } => {
                let host = connection.client()?.host(&name).await?;
                output.print(&host, || table::host(&host, now(), output.columns()))
            }
            Action::List(options) => options.run(connection).await,
            Action::Counts => list::counts(connection).await,
            Action::Update(options) => options.run(connection).await,
            Action::Edit { name } => edit::edit(connection, &name).await,
            Action::Import(options) => options.run(connection).await,
            Action::Wait(options) => options.run(connection).await,
            Action::Runs { name } => seen::runs(connection, &name).await,
            Action::Run { name, number } => seen::run(connection, &name, number).await,
            Action::Boots { name, run } => seen::boots(connection, &name, run).await,
            Action::Observed { name } => seen::observed(connection, &name).await,
            Action::Arm(options) => options.run(connection).await,
            Action::Cancel { name } => {
                let host = connection.client()?.cancel(&name).await?;
                output.print(&host, || format!("{name}: its run is cancelled\n"))
            }
            Action::Hold { name, reason } => {
                let host = connection.client()?.hold(&name, &reason).await?;
                output.print(&host, || format!("{name}: held: {reason}\n"))
            }
            Action::Preview(options) => options.run(connection).await,
            Action::Diff(options) => options.run(connection).await,
            Action::Release { name } => {
                let host = connection.client()?.release(&name).await?;
                output.print(&host, || format!("{name}: released\n"))
            }
            Action::BootUrl { name } => lifetime::boot_url(connection, &name).await,
            Action::RotateKey { name } => lifetime::rotate_key(connection, &name).await,
            Action::Retire { name } => lifetime::retire(connection, &name).await,
            Action::Unretire { name } => lifetime::unretire(connection, &name).await,
            Action::Delete(options) => options.run(connection).await,
        }
    }
}
