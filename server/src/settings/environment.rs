//! Variables that were meant for Thirdboot and reach nobody.

use clap::Command;

use super::suggest::{best, likeness};
use crate::platform::EQUINIX_TOKEN_VARIABLE;
use crate::secrets::MASTER_KEY_VARIABLE;

const PREFIX: &str = "THIRDBOOT_";

/// A line for each variable of this process that is all but a setting's.
#[must_use]
pub fn near_misses_here(command: &Command) -> Vec<String> {
    let names: Vec<String> = std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .collect();
    let told = near_misses(command, names.iter().map(String::as_str));
    told.into_iter()
        .map(|(name, meant)| format!("the variable {name} is no setting: did you mean {meant}?"))
        .collect()
}

/// Logs them.
pub fn warn_of_near_misses(command: &Command) {
    for line in near_misses_here(command) {
        tracing::warn!("{line}");
    }
}

/// Variables of the environment that are all but a setting's, with what was probably meant.
///
/// Others that begin alike are left alone: an orchestrator sets `THIRDBOOT_SERVICE_HOST` and such for a service of this
/// name.
fn near_misses<'a>(command: &Command, variables: impl IntoIterator<Item = &'a str>) -> Vec<(String, String)> {
    let mut known = vec![MASTER_KEY_VARIABLE.to_owned(), EQUINIX_TOKEN_VARIABLE.to_owned()];
    known.extend(crate::cli::VARIABLES.map(str::to_owned));
    collect(command, &mut known);
    let mut found = Vec::new();
    for variable in variables {
        let Some(name) = variable.strip_prefix(PREFIX) else {
            continue;
        };
        if known.iter().any(|known| known == variable) {
            continue;
        }
        let names = known
            .iter()
            .filter_map(|known| Some((known, known.strip_prefix(PREFIX)?)));
        if let Some(meant) = best(names.map(|(known, bare)| (likeness(name, bare), known.as_str()))) {
            found.push((variable.to_owned(), meant.to_owned()));
        }
    }
    found.sort();
    found
}

fn collect(command: &Command, known: &mut Vec<String>) {
    let variables = command.get_arguments().filter_map(|arg| arg.get_env());
    known.extend(variables.map(|name| name.to_string_lossy().into_owned()));
    for inner in command.get_subcommands() {
        collect(inner, known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_mistake_is_told_and_a_strangers_variable_is_not() {
        let known = crate::settings::known();
        let variables = [
            "THIRDBOOT_BOOT_URI",
            "THIRDBOOT_BOOT_URL",
            "THIRDBOOT_MASTERKEY",
            "THIRDBOOT_SERVICE_HOST",
            "THIRDBOOT_PORT_8080_TCP",
            "PATH",
        ];
        let told = near_misses(&known, variables);
        let told: Vec<(&str, &str)> = told.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(
            told,
            [
                ("THIRDBOOT_BOOT_URI", "THIRDBOOT_BOOT_URL"),
                ("THIRDBOOT_MASTERKEY", "THIRDBOOT_MASTER_KEY")
            ]
        );
    }
}
