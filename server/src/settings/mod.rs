//! Settings from flags, environment and one TOML file.
//!
//! One struct ([`ServeOptions`](crate::serve::ServeOptions)) is the command line and the file: what clap knows of an
//! option (name, environment variable, help, default, how a value is read) is all there is to know. What a file says
//! becomes the options' defaults, so that flags go over the environment, that over the file, and that over defaults.

mod environment;
mod file;
mod origin;
mod sample;
mod suggest;
mod value;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::OsStr;
use clap::{ArgAction, ArgMatches, Args as _, Command, Parser};

pub use environment::{near_misses_here, warn_of_near_misses};
pub use file::FileErrors;
pub use origin::{Given, Origin};
pub use sample::sample;

use crate::serve::ServeOptions;
use file::Entry;

/// Id of the option that names the file.
const CONFIG: &str = "config";

/// A command line, merged with its file and the environment.
#[derive(Debug)]
pub struct Read<T> {
    /// The command.
    pub arguments: T,
    /// Where its settings come from.
    pub given: Vec<Given>,
}

/// Why there is no command to run.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The command line is wrong, or asks for help.
    #[error(transparent)]
    CommandLine(#[from] clap::Error),
    /// The file is wrong.
    #[error(transparent)]
    File(#[from] FileErrors),
}

/// Reads a command line. A subcommand that has the option `--config` takes its other options from that file, too.
///
/// # Errors
/// When the command line or the file is wrong; nothing was done then.
pub fn read<T: Parser>(words: impl IntoIterator<Item = OsString>) -> Result<Read<T>, ReadError> {
    let words: Vec<OsString> = words.into_iter().collect();
    // Once without what the file may bring, to learn which file.
    let first = nothing_required(T::command()).try_get_matches_from(&words)?;
    let (path, matches) = leaf(&first);
    let file = matches.try_get_one::<PathBuf>(CONFIG).ok().flatten().cloned();
    let entries = file.as_deref().map(|file| file::read(file, &known())).transpose()?;
    let entries = entries.unwrap_or_default();
    let command = with_defaults(T::command(), &path, &entries);
    let merged = command.try_get_matches_from(&words)?;
    let arguments = T::from_arg_matches(&merged)?;
    let given = origin::list(leaf(&merged).1, &known(), file.as_deref(), &entries);
    Ok(Read { arguments, given })
}

/// Checks a file by itself.
///
/// # Errors
/// As [`read`].
#[cfg(test)]
fn check(text: &str) -> Result<Vec<Entry>, FileErrors> {
    file::parse(std::path::Path::new("thirdboot.toml"), text, &known())
}

/// Everything that can be set.
fn known() -> Command {
    ServeOptions::augment_args(Command::new("thirdboot"))
}

/// What a file can say: everything but which file.
fn settings(known: &Command) -> impl Iterator<Item = &clap::Arg> {
    known
        .get_arguments()
        .filter(|arg| arg.get_id() != CONFIG && arg.get_long().is_some())
}

fn nothing_required(command: Command) -> Command {
    command
        .mut_args(|arg| arg.required(false))
        .mut_subcommands(nothing_required)
}

/// The innermost subcommand, and the way there.
fn leaf(matches: &ArgMatches) -> (Vec<String>, &ArgMatches) {
    let (mut path, mut matches) = (Vec::new(), matches);
    while let Some((name, inner)) = matches.subcommand() {
        path.push(name.to_owned());
        matches = inner;
    }
    (path, matches)
}

fn with_defaults(command: Command, path: &[String], entries: &[Entry]) -> Command {
    if let [name, rest @ ..] = path {
        return command.mut_subcommand(name, |inner| with_defaults(inner, rest, entries));
    }
    command.mut_args(|arg| match entries.iter().find(|entry| *arg.get_id() == *entry.key) {
        Some(entry) => arg
            .default_values(entry.values.iter().cloned().map(OsStr::from))
            .required(false),
        None => arg,
    })
}

/// Whether an option takes a list.
fn is_list(arg: &clap::Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(subcommand)]
        command: Sub,
    }

    #[derive(Debug, clap::Subcommand)]
    enum Sub {
        Serve(Box<ServeOptions>),
    }

    fn read_with(text: &str, flags: &str) -> Result<Read<Line>, ReadError> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("thirdboot.toml");
        std::fs::write(&file, text).unwrap();
        let line = format!("thirdboot serve --config {} {flags}", file.display());
        read(line.split_whitespace().map(OsString::from))
    }

    fn options(text: &str, flags: &str) -> ServeOptions {
        let Sub::Serve(options) = read_with(text, flags).unwrap().arguments.command;
        *options
    }

    #[test]
    fn a_file_says_what_a_command_line_says() {
        let text = "data_dir = '/var/lib/tb'\nboot_retries = 7\naddress_sources = ['10.0.0.0/8', '192.0.2.0/24']\n\
                    unknown = 'local'\n";
        let options = options(text, "");
        assert_eq!(options.data_dir, Path::new("/var/lib/tb"));
        assert_eq!((options.boot_retries, options.address_sources.len()), (7, 2));
        assert_eq!(options.unknown, crate::serve::UnknownPolicy::Local);
    }

    #[test]
    fn a_flag_goes_over_the_file_and_the_file_over_the_default() {
        let text = "data_dir = '/a'\nboot_retries = 7\naddress_sources = ['10.0.0.0/8', '192.0.2.0/24']\n";
        let options = options(text, "--data-dir /b --address-source 127.0.0.0/8");
        assert_eq!((options.data_dir.as_path(), options.boot_retries), (Path::new("/b"), 7));
        assert_eq!(options.address_sources.len(), 1, "a list is replaced, not added to");
        assert_eq!(options.boot_retry_pause, thirdboot_render::Retry::default().pause_s);
    }

    #[test]
    fn every_setting_knows_where_it_comes_from() {
        let read = read_with("\n\ndata_dir = '/a'\nboot_retries = 7\n", "--boot-retries 8").unwrap();
        let origin = |key: &str| {
            let given = read.given.iter().find(|given| given.key == key).unwrap();
            (given.values.join(" "), given.origin.to_string())
        };
        let (data_dir, from) = origin("data_dir");
        assert!(data_dir == "/a" && from.ends_with("thirdboot.toml:3"), "{from}");
        assert_eq!(origin("boot_retries"), ("8".into(), "--boot-retries".into()));
        assert_eq!(origin("unknown"), ("hold".into(), "default".into()));
    }

    #[test]
    fn what_is_required_may_stand_in_the_file_and_nowhere_else_is_an_error() {
        assert!(read_with("data_dir = '/a'\n", "").is_ok());
        let error = read_with("", "").unwrap_err().to_string();
        assert!(error.contains("--data-dir"), "{error}");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let line = ["thirdboot", "serve", "--config", "/nowhere/tb.toml"];
        let error = read::<Line>(line.map(OsString::from)).unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/tb.toml: "), "{error}");
    }

    #[test]
    fn every_setting_has_a_flag_a_variable_and_a_key_of_the_same_name() {
        for arg in settings(&known()) {
            let key = arg.get_id().as_str();
            let variable = arg.get_env().map(|name| name.to_string_lossy().into_owned());
            assert_eq!(variable, Some(format!("THIRDBOOT_{}", key.to_uppercase())), "{key}");
            let long = arg.get_long().unwrap().replace('-', "_");
            assert!(
                long == key || (is_list(arg) && key.starts_with(long.trim_end_matches('y'))),
                "{key}"
            );
        }
    }
}
