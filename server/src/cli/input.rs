//! What a command reads: a file, or standard input.

use std::path::Path;

use super::Failure;

/// The text of this file, `-` being standard input; the error names what named it.
pub(super) fn input(named_by: &str, file: &Path) -> Result<String, Failure> {
    let read = if file == Path::new("-") {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(file)
    };
    read.map_err(|error| Failure::Usage(format!("{named_by} {}: {error}", file.display())))
}
