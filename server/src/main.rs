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
            let exporting = match logging::start(&options) {
                Ok(exporting) => exporting,
                Err(error) => return Ok(cli::failed(&error)),
            };
            settings::warn_of_near_misses(&Arguments::command());
            let served = Box::pin(serve::run(*options)).await;
            exporting.end().await;
            Ok(served.map_or_else(|error| cli::failed(&error), |()| ExitCode::SUCCESS))
        }
        Command::Config(command) => Ok(command.run(&read.given, &Arguments::command())),
        Command::Client(command) => Ok(Box::pin(cli::run(*command, Arguments::command())).await),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kept_reference_of_commands_is_what_the_binary_knows() {
        let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli.md");
        let (before, _) = std::fs::read_to_string(kept)
            .map(|text| {
                text.split_once(MARK)
                    .map(|(before, after)| (before.to_owned(), after.to_owned()))
            })
            .ok()
            .flatten()
            .unwrap_or_default();
        let options = clap_markdown::MarkdownOptions::new()
            .show_footer(false)
            .title("Reference".to_owned());
        let reference = clap_markdown::help_markdown_command_custom(&Arguments::command(), &options);
        // Titles are below the page's own, and lines have no blanks at their ends.
        let lines = reference.lines().map(|line| {
            if line.starts_with('#') {
                format!("#{line}")
            } else {
                line.trim_end().to_owned()
            }
        });
        let text = format!("{before}{MARK}\n{}\n", lines.collect::<Vec<_>>().join("\n"));
        if std::env::var_os("THIRDBOOT_WRITE_CLI").is_some() {
            std::fs::write(kept, &text).unwrap();
        }
        let is_same = std::fs::read_to_string(kept).unwrap_or_default() == text;
        assert!(
            is_same,
            "write it anew: THIRDBOOT_WRITE_CLI=1 cargo test -p thirdboot --bin thirdboot"
        );
    }

    /// Commands that print no answer, and why.
    const WITHOUT_JSON: [(&str, &str); 4] = [
        ("thirdboot butane", "prints an Ignition config, which is JSON"),
        ("thirdboot completions", "prints a shell's script"),
        ("thirdboot config sample", "prints a settings file"),
        ("thirdboot serve", "logs; --log-format json is for programs"),
    ];

    #[test]
    fn every_command_answers_programs_in_json() {
        let mut binary = Arguments::command();
        binary.build();
        let mut without = Vec::new();
        let mut ahead = vec![("thirdboot".to_owned(), &binary)];
        let mut count = 0;
        while let Some((line, command)) = ahead.pop() {
            let further: Vec<_> = command
                .get_subcommands()
                .filter(|one| one.get_name() != "help")
                .collect();
            ahead.extend(further.iter().map(|one| (format!("{line} {}", one.get_name()), *one)));
            if further.is_empty() {
                count += 1;
                let has_json = command.get_arguments().any(|one| one.get_long() == Some("json"));
                without.extend((!has_json).then_some(line));
            }
        }
        assert!(count > 80, "{count} commands were found");
        without.sort();
        assert_eq!(without, WITHOUT_JSON.map(|(line, _)| line));
    }

    /// What stands above is written by hand.
    const MARK: &str = "<!-- generated from here on by a test in server/src/main.rs -->";
}
