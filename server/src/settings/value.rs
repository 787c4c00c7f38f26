//! A value of the file, read the way the command line reads it.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command};

/// Whether an option takes these values; says what was expected when not.
pub(super) fn check(arg: &Arg, values: &[String]) -> Result<(), String> {
    if matches!(arg.get_action(), ArgAction::SetTrue | ArgAction::SetFalse) {
        let is_boolean = values.iter().all(|value| value == "true" || value == "false");
        return is_boolean
            .then_some(())
            .ok_or_else(|| "expected true or false".to_owned());
    }
    let long = arg.get_long().unwrap_or_default();
    let words = values.iter().map(|value| format!("--{long}={value}"));
    let probe = Command::new("file")
        .no_binary_name(true)
        .disable_help_flag(true)
        .arg(arg.clone().required(false));
    probe
        .try_get_matches_from(words)
        .map(|_| ())
        .map_err(|error| why(&error))
}

fn why(error: &clap::Error) -> String {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(", "),
        _ => String::new(),
    };
    let value = text(ContextKind::InvalidValue);
    match (error.kind(), error.source()) {
        (ErrorKind::InvalidValue, _) => format!("{value:?} is none of {}", text(ContextKind::ValidValue)),
        (ErrorKind::ValueValidation, Some(source)) => {
            let source = source.to_string();
            if source.contains(&value) {
                source
            } else {
                format!("{value:?}: {source}")
            }
        }
        _ => error.to_string().lines().next().unwrap_or_default().to_owned(),
    }
}
