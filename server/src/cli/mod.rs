//! The client side of the binary: `host …` drives a running server over its API, `demo` shows one at work, `db` and
//! `rotate-key` work on a data folder, `butane` needs no server at all.
//!
//! Exit codes stand in [`EXIT_CODES`]; docs/cli.md is generated from the commands themselves.

mod alerts;
mod assets;
mod audit;
mod cluster;
mod completions;
mod config;
mod connection;
#[cfg(test)]
mod coverage;
mod data_dir;
mod db;
mod deadlines;
mod demo;
mod doctor;
mod events;
mod failure;
mod host;
mod input;
mod lock;
mod output;
mod profile;
mod repository;
mod role;
mod rotate;
mod since;
mod table;
mod template;
mod token;
mod ttl;
mod unknown;
mod user;

use std::io;
use std::process::ExitCode;

use clap::Subcommand;
use thirdboot_butane::cli::{CliArgs, run_cli};

pub use alerts::AlertsCommand;
pub use assets::AssetsCommand;
pub use audit::AuditCommand;
pub use cluster::ClusterCommand;
pub use completions::CompletionsCommand;
pub use config::{ConfigCommand, failed, wrong_settings};
pub use connection::{Connection, VARIABLES};
pub use db::DbCommand;
pub use deadlines::SettingsCommand;
pub use demo::DemoOptions;
pub use doctor::DoctorOptions;
pub use events::EventsCommand;
pub use host::HostCommand;
pub use lock::LockCommand;
pub use output::Output;
pub use profile::{LoginCommand, ProfileCommand};
pub use repository::RepositoryCommand;
pub use role::RoleCommand;
pub use rotate::RotateOptions;
pub use template::TemplateCommand;
pub use token::{TokenCommand, WhoamiCommand};
pub use unknown::UnknownCommand;
pub use user::UserCommand;

use failure::Failure;

/// What scripts can count on.
pub(crate) const EXIT_CODES: &str = "Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 the server cannot be reached, \
    4 the time of a wait is over, 5 there are alerts (alerts --exit-code).";

/// What the binary does as a client.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Fill, show and prune the server's mirror.
    Assets(AssetsCommand),
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
    /// Add, show, arm, hold, import and watch hosts.
    Host(Box<HostCommand>),
    /// Describe clusters, and see who joins when.
    Cluster(ClusterCommand),
    /// Show what happened in the fleet, and follow what happens.
    Events(Box<EventsCommand>),
    /// List machines with something wrong beside their runs.
    Alerts(AlertsCommand),
    /// Show reboot locks, release one, and set how groups of hosts update.
    Lock(Box<LockCommand>),
    /// List, adopt and dismiss machines that nobody has described.
    Unknown(Box<UnknownCommand>),
    /// Make, list and revoke tokens.
    Token(TokenCommand),
    /// Show as whom the server sees you.
    Whoami(WhoamiCommand),
    /// Show who did what, and who read which secret.
    Audit(AuditCommand),
    /// Add, list and remove who may sign in to the pages.
    User(UserCommand),
    /// Show and change what holds for every host.
    Settings(SettingsCommand),
    /// Keep a server and a token for it in a file that only you can read.
    Login(LoginCommand),
    /// List, choose and forget what was kept.
    Profile(ProfileCommand),
    /// Print a shell's completions.
    Completions(CompletionsCommand),
    /// Show a server at work: a real one on loopback, and a fleet of simulated hosts, some of which fail.
    Demo(DemoOptions),
    /// Look at a set-up, running or not: ports, URLs as hosts see them, certificates, clock, assets, room, permissions.
    Doctor(DoctorOptions),
    /// Translate a Butane document (variant fcos) to an Ignition config, as the server does.
    #[command(after_help = "Exit codes: 0 translated, 1 the document has errors, 2 wrong usage.")]
    Butane(CliArgs),
}

/// Does it, and says on standard error what went wrong. `binary` is all that the binary knows.
pub async fn run(command: Command, binary: clap::Command) -> ExitCode {
    let done = match command {
        Command::Assets(command) => command.run().await,
        Command::Db(command) => Box::pin(command.run()).await,
        Command::RotateKey(options) => options.run().await,
        Command::Repository(command) => command.run().await,
        Command::Role(command) => command.run().await,
        Command::Host(command) => Box::pin(command.run()).await,
        Command::Cluster(command) => command.run().await,
        Command::Events(command) => command.run().await,
        Command::Alerts(command) => command.run().await,
        Command::Lock(command) => command.run().await,
        Command::Unknown(command) => command.run().await,
        Command::Token(command) => command.run().await,
        Command::Whoami(command) => command.run().await,
        Command::Audit(command) => command.run().await,
        Command::User(command) => command.run().await,
        Command::Settings(command) => command.run().await,
        Command::Login(command) => command.run().await,
        Command::Profile(command) => command.run(),
        Command::Completions(command) => command.run(binary),
        Command::Demo(options) => Box::pin(demo::run(options)).await,
        Command::Template(command) => command.run().await,
        Command::Doctor(options) => return Box::pin(options.run()).await,
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
