//! Where a setting comes from.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

use super::file::Entry;
use super::settings;

/// A setting as it was merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Its key in the file.
    pub key: String,
    /// Its values; none when it is not set and has no default.
    pub values: Vec<String>,
    /// Who said so.
    pub origin: Origin,
}

/// Who said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A flag.
    Flag(String),
    /// A variable of the environment.
    Variable(String),
    /// A line of the file.
    File(PathBuf, usize),
    /// Nobody.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(long) => write!(f, "--{long}"),
            Self::Variable(name) => f.write_str(name),
            Self::File(file, line) => write!(f, "{}:{line}", file.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

pub(super) fn list(matches: &ArgMatches, known: &Command, file: Option<&Path>, entries: &[Entry]) -> Vec<Given> {
    let is_here = |id: &str| matches.ids().any(|here| here.as_str() == id);
    let mut given = Vec::new();
    for arg in settings(known) {
        let id = arg.get_id().as_str();
        let raw = is_here(id).then(|| matches.get_raw(id)).flatten();
        let values = raw.map(|values| values.map(|value| value.to_string_lossy().into_owned()).collect());
        let source = is_here(id).then(|| matches.value_source(id)).flatten();
        let origin = match source {
            Some(ValueSource::CommandLine) => Origin::Flag(arg.get_long().unwrap_or_default().to_owned()),
            Some(ValueSource::EnvVariable) => {
                let name = arg.get_env().unwrap_or_default();
                Origin::Variable(name.to_string_lossy().into_owned())
            }
            _ => match (entries.iter().find(|entry| entry.key == id), file) {
                (Some(entry), Some(file)) => Origin::File(file.to_owned(), entry.line),
                _ => Origin::Default,
            },
        };
        given.push(Given {
            key: id.to_owned(),
            values: values.unwrap_or_default(),
            origin,
        });
    }
    given
}
