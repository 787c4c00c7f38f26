//! Butane on the command line.

use std::io;
use std::process::ExitCode;

use clap::Parser;
use thirdboot_butane::cli::{CliArgs, run_cli};

/// Translates a Butane document to an Ignition config.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    cli: CliArgs,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    run_cli(
        &arguments.cli,
        &mut io::stdin().lock(),
        &mut io::stdout().lock(),
        &mut io::stderr().lock(),
    )
}
