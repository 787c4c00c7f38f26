//! The commented sample, made from what the command line says of itself.

use std::fmt::Write as _;

use clap::Arg;

use super::{is_list, known, settings};

/// Stands before an example in an option's help.
const EXAMPLE: &str = "For example ";
/// Columns of a comment.
const WIDTH: usize = 100;

const HEAD: &str = "\
# Thirdboot's settings: `thirdboot serve --config FILE`, or THIRDBOOT_CONFIG=FILE.
# Each key is also a flag and a variable of the environment. A flag goes over a variable, that over this file.
# `thirdboot config check --config FILE` says what is wrong with it, and what every setting comes to.
# Secrets have no place here: the master key, the CA's key and the first token are files in the data folder.
# This sample is made by `thirdboot config sample`; a line that begins with # and a key shows the default or an example.
";

/// The sample as text.
#[must_use]
pub fn sample() -> String {
    let mut text = HEAD.to_owned();
    let mut heading = None;
    let known = known();
    for arg in settings(&known) {
        if arg.get_help_heading() != heading {
            heading = arg.get_help_heading();
            let _ = write!(text, "\n## {}\n", heading.unwrap_or_default());
        }
        text.push('\n');
        describe(&mut text, arg);
    }
    text
}

fn describe(text: &mut String, arg: &Arg) {
    let long = arg.get_long().unwrap_or_default();
    let variable = arg.get_env().unwrap_or_default().to_string_lossy();
    let (help, example) = help(arg);
    // Clap takes the full stop off a help of one paragraph.
    comment(text, &format!("{}.", help.trim_end_matches('.')));
    let possible: Vec<String> = arg
        .get_possible_values()
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect();
    if !possible.is_empty() {
        comment(text, &format!("One of {}.", possible.join(", ")));
    }
    let _ = writeln!(text, "# --{long}, {variable}");
    let defaults: Vec<String> = arg
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy().into_owned())
        .collect();
    let values = if defaults.is_empty() { example } else { defaults };
    let values: Vec<String> = values.iter().map(|value| literal(value)).collect();
    let value = if is_list(arg) {
        format!("[{}]", values.join(", "))
    } else {
        values.join(" ")
    };
    let mark = if arg.is_required_set() { "" } else { "#" };
    let _ = writeln!(text, "{mark}{} = {value}", arg.get_id());
}

/// An option's help and the examples in it.
fn help(arg: &Arg) -> (String, Vec<String>) {
    let help = arg.get_long_help().or_else(|| arg.get_help());
    let help = help.map(ToString::to_string).unwrap_or_default();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((before, example)) = help.split_once(EXAMPLE) else {
        return (help, Vec::new());
    };
    // Rustdoc wants URLs between angle brackets.
    let bare = |example: &str| example.trim_matches(['<', '>']).to_owned();
    let examples = example.trim_end_matches('.').split(", ").map(bare).collect();
    (before.trim_end().to_owned(), examples)
}

fn comment(text: &mut String, help: &str) {
    let mut column = 0;
    for word in help.split(' ') {
        if column == 0 || column + 1 + word.len() > WIDTH {
            text.push_str(if column == 0 { "#" } else { "\n#" });
            column = 1;
        }
        let _ = write!(text, " {word}");
        column += 1 + word.len();
    }
    text.push('\n');
}

fn literal(value: &str) -> String {
    if value.parse::<u64>().is_ok() || value == "true" || value == "false" {
        value.to_owned()
    } else {
        format!("{value:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::check;

    #[test]
    fn the_sample_in_the_repository_is_the_one_that_the_code_makes() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/thirdboot.toml");
        let kept = std::fs::read_to_string(file).unwrap_or_default();
        assert!(
            kept == sample(),
            "make it anew: cargo run -- config sample > deploy/thirdboot.toml\n{}",
            sample()
        );
    }

    #[test]
    fn every_line_of_the_sample_can_be_used() {
        let is_setting = |line: &&str| {
            line.trim_start_matches('#')
                .starts_with(|c: char| c.is_ascii_lowercase())
        };
        let text = sample();
        let lines: Vec<&str> = text.lines().filter(is_setting).collect();
        assert_eq!(lines.len(), settings(&known()).count());
        let used = lines
            .iter()
            .map(|line| line.trim_start_matches('#'))
            .collect::<Vec<_>>();
        check(&used.join("\n")).unwrap();
    }
}
