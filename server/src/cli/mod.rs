//! The client side of the binary: `host …` drives a running server over its API, `demo` shows one at work, `db` and
//! `rotate-key` work on a data folder, `butane` needs no server at all.
//!
//! Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 the server cannot be reached.

mod config;
mod connection;
mod data_dir;
mod db;
mod demo;
mod failure;
mod host;
mod repository;
mod role;
mod rotate;
mod table;
mod template;
mod ttl;

use std::io;
use std::process::ExitCode;

use clap::Subcommand;
use thirdboot_butane::cli::{CliArgs, run_cli};

pub use config::{ConfigCommand, wrong_settings};
pub use connection::Connection;
pub use db::DbCommand;
pub use demo::DemoOptions;
pub use host::HostCommand;
pub use repository::RepositoryCommand;
pub use role::RoleCommand;
pub use rotate::RotateOptions;
pub use template::TemplateCommand;

use failure::Failure;

/// What the binary does as a client.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add, show, arm and hold hosts.
    Host(HostCommand),
    /// Back up, restore, migrate and check the database.
    Db(DbCommand),
    /// Make another master key; what the former one made stays good until it is forgotten.
    RotateKey(RotateOptions),
    /// Add, show and remove package repositories.
    Repository(RepositoryCommand),
    /// Show and set what every host of a role has.
    Role(RoleCommand),
    /// Save, check and compare templates: your own Butane documents on top of the installed config.
    Template(Box<TemplateCommand>),
    /// Show a server at work: a real one on loopback, and a fleet of simulated hosts, some of which fail.
    Demo(DemoOptions),
    /// Translate a Butane document (variant fcos) to an Ignition config, as the server does.
    #[command(after_help = "Exit codes: 0 translated, 1 the document has errors, 2 wrong usage.")]
    Butane(CliArgs),
}

/// Does it, and says on standard error what went wrong.
pub async fn run(command: Command) -> ExitCode {
    let done = match command {
        Command::Host(command) => command.run().await,
        Command::Db(command) => command.run().await,
        Command::RotateKey(options) => options.run().await,
        Command::Repository(command) => command.run().await,
        Command::Role(command) => command.run().await,
        Command::Demo(options) => Box::pin(demo::run(options)).await,
        Command::Template(command) => command.run().await,
        Command::Butane(options) => return butane(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn butane(options: &CliArgs) -> ExitCode {
    let (mut stdin, mut stdout, mut stderr) = (io::stdin().lock(), io::stdout().lock(), io::stderr().lock());
    run_cli(options, &mut stdin, &mut stdout, &mut stderr)
}

/// A person's own clock, for "3 min ago"; nothing is decided by it.
#[expect(
    clippy::disallowed_methods,
    reason = "what a person sees is told by the person's clock"
)]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// As many columns as the terminal has; unlimited where output goes elsewhere.
fn terminal_columns() -> Option<u16> {
    use std::io::IsTerminal as _;
    let is_terminal = io::stdout().is_terminal();
    is_terminal
        .then(|| crossterm::terminal::size().ok())
        .flatten()
        .map(|(columns, _)| columns)
}
