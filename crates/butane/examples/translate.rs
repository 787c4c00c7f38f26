//! Translates a Butane document and prints what was found in it.
//!
//! `cargo run -p thirdboot-butane --example translate -- host.bu`

use std::process::ExitCode;

use thirdboot_butane::{Options, excerpt, translate};

fn main() -> ExitCode {
    let Some(name) = std::env::args().nth(1) else {
        eprintln!("usage: translate FILE");
        return ExitCode::FAILURE;
    };
    let source = match std::fs::read(&name) {
        Ok(source) => source,
        Err(error) => {
            eprintln!("{name}: {error}");
            return ExitCode::FAILURE;
        }
    };
    let (json, report) = match translate(
        &source,
        &Options {
            pretty: true,
            ..Options::default()
        },
    ) {
        Ok((json, report)) => (Some(json), report),
        Err(report) => (None, report),
    };
    eprint!("{}", excerpt(&report, &name, &source, false));
    match json {
        Some(json) => {
            println!("{}", String::from_utf8_lossy(&json));
            ExitCode::SUCCESS
        }
        None => ExitCode::FAILURE,
    }
}
