//! How an answer is shown: a table for people, JSON for programs.

use std::io::{ErrorKind, IsTerminal as _, Write as _};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{Failure, terminal_columns};

/// A form of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Form {
    /// As wide as the terminal.
    #[default]
    Table,
    /// With more columns, cut nowhere.
    Wide,
    /// What the API answers.
    Json,
}

/// How answers are shown.
#[derive(Debug, Clone, Args)]
pub struct Output {
    /// Form of the output.
    #[arg(long, value_name = "FORM", default_value = "table", global = true)]
    output: Form,
    /// Print what the API answers, as JSON: short for --output json.
    #[arg(long, global = true)]
    json: bool,
}

impl Output {
    pub(super) fn is_json(&self) -> bool {
        self.json || self.output == Form::Json
    }

    pub(super) fn is_wide(&self) -> bool {
        !self.is_json() && self.output == Form::Wide
    }

    /// How wide a table may be; unlimited when it is asked for wide, or goes elsewhere than to a terminal.
    pub(super) fn columns(&self) -> Option<u16> {
        if self.is_wide() { None } else { terminal_columns() }
    }

    /// The API's answer as JSON, or what a person reads.
    pub(super) fn print<T: Serialize>(&self, answer: &T, text: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.is_json() {
            let json = serde_json::to_string_pretty(answer).map_err(anyhow::Error::from)?;
            say(&(json + "\n"))
        } else {
            say(&text())
        }
    }

    /// One of many: JSON in a line of its own, or what a person reads.
    pub(super) fn line<T: Serialize>(&self, answer: &T, text: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.is_json() {
            let json = serde_json::to_string(answer).map_err(anyhow::Error::from)?;
            say(&(json + "\n"))
        } else {
            say(&text())
        }
    }
}

/// Writes to standard output, at once.
pub(super) fn say(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // `thirdboot events --follow | head` closes the pipe: nobody is left to tell.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::Quiet(0)),
        done => Ok(done.map_err(anyhow::Error::from)?),
    }
}

/// Asks a person. Nobody is there to answer unless both ends are a terminal.
pub(super) fn confirmed(question: &str) -> Result<bool, Failure> {
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Err(Failure::Usage(format!(
            "{question} Nobody is here to answer: give --yes"
        )));
    }
    eprint!("{question} [y/N] ");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(anyhow::Error::from)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
