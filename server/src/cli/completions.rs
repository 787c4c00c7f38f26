//! `thirdboot completions`: what a shell completes.

use clap::Args;
use clap_complete::{Shell, generate};

use super::Failure;
use super::output::say;

/// A shell's completions.
#[derive(Debug, Args)]
#[command(after_help = "For bash: thirdboot completions bash > /etc/bash_completion.d/thirdboot")]
pub struct CompletionsCommand {
    /// Which shell.
    shell: Shell,
}

impl CompletionsCommand {
    pub(super) fn run(self, mut binary: clap::Command) -> Result<(), Failure> {
        let name = binary.get_name().to_owned();
        let mut script = Vec::new();
        generate(self.shell, &mut binary, name, &mut script);
        say(&String::from_utf8_lossy(&script))
    }
}
