//! The binary `thirdboot`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use thirdboot::cli;
use thirdboot::serve::{self, ServeOptions, logging};

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
    Serve(ServeOptions),
    #[command(flatten)]
    Client(cli::Command),
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().command {
        Command::Serve(options) => {
            logging::start();
            serve::run(options).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Client(command) => Ok(cli::run(command).await),
    }
}
