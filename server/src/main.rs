//! The binary `thirdboot`.

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use thirdboot::cli::{self, ConfigCommand};
use thirdboot::serve::{self, ServeOptions, logging};
use thirdboot::settings::{self, ReadError};

/// Bare-metal provisioning: serves each boot, proves each boot, and never wipes a disk that nobody armed.
#[derive(Debug, Parser)]
#[command(name = "thirdboot", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve hosts, and the people and programs that drive them.
    Serve(Box<ServeOptions>),
    /// Check settings, and show a sample of the file that holds them.
    Config(Box<ConfigCommand>),
    #[command(flatten)]
    Client(Box<cli::Command>),
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let read = match settings::read::<Arguments>(std::env::args_os()) {
        Ok(read) => read,
        Err(ReadError::CommandLine(error)) => error.exit(),
        Err(ReadError::File(errors)) => return Ok(cli::wrong_settings(&errors)),
    };
    match read.arguments.command {
        Command::Serve(options) => {
            logging::start();
            settings::warn_of_near_misses(&Arguments::command());
            serve::run(*options).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Config(command) => Ok(command.run(&read.given, &Arguments::command())),
        Command::Client(command) => Ok(Box::pin(cli::run(*command)).await),
    }
}
