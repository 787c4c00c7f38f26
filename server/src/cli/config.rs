//! `thirdboot config`: what a server would be started with, before it is.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;

use super::failure::{FAILED, USAGE};
use crate::serve::ServeOptions;
use crate::settings::{self, FileErrors, Given};

/// The settings.
#[derive(Debug, Args)]
pub struct ConfigCommand {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Check file, environment and flags as `serve` would take them; print every setting and where it comes from.
    #[command(after_help = "Exit codes: 0 a server can be started with it, 1 it cannot, 2 something cannot be read.")]
    Check {
        #[command(flatten)]
        options: Box<ServeOptions>,
        /// Print it as JSON.
        #[arg(long, help_heading = "Options")]
        json: bool,
    },
    /// Print a commented settings file.
    Sample,
}

impl ConfigCommand {
    /// Does it. `given` is what was merged for this command line, `binary` all that the binary knows.
    #[must_use]
    pub fn run(self, given: &[Given], binary: &clap::Command) -> ExitCode {
        let text = match self.what {
            What::Sample => settings::sample(),
            What::Check { options, json } => {
                if let Err(error) = options.validate() {
                    return failed(&error);
                }
                for line in settings::near_misses_here(binary) {
                    eprintln!("thirdboot: warning: {line}");
                }
                if json { as_json(given) } else { as_lines(given) }
            }
        };
        // A reader that went away (`| head`) is no failure.
        let _ = io::stdout().write_all(text.as_bytes());
        ExitCode::SUCCESS
    }
}

/// Says what is wrong with a settings file.
#[must_use]
pub fn wrong_settings(errors: &FileErrors) -> ExitCode {
    for line in errors.to_string().lines() {
        eprintln!("thirdboot: {line}");
    }
    ExitCode::from(USAGE)
}

/// Says why a server could not be started or ended.
#[must_use]
pub fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("thirdboot: {error:#}");
    ExitCode::from(FAILED)
}

fn as_lines(given: &[Given]) -> String {
    let value = |given: &Given| match given.values.as_slice() {
        [] => "-".to_owned(),
        values => values.join(", "),
    };
    let width = |text: &dyn Fn(&Given) -> usize| given.iter().map(text).max().unwrap_or_default();
    let (keys, values) = (width(&|given| given.key.len()), width(&|given| value(given).len()));
    let line = |given: &Given| format!("{:keys$}  {:values$}  {}\n", given.key, value(given), given.origin);
    given.iter().map(line).collect()
}

fn as_json(given: &[Given]) -> String {
    let setting = |given: &Given| {
        let told = json!({"values": given.values, "from": given.origin.to_string()});
        (given.key.clone(), told)
    };
    let settings: serde_json::Map<String, serde_json::Value> = given.iter().map(setting).collect();
    format!("{:#}\n", json!(settings))
}
