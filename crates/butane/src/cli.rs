//! The command line, for the program of its own and for larger ones that take it in.

use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::report::{Report, Stage};
use crate::{Options, excerpt};

/// Translates a Butane document to an Ignition config.
#[derive(Clone, Debug, Default, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct CliArgs {
    /// Take local files from this directory, and from nowhere else
    #[arg(short = 'd', long, value_name = "DIR")]
    pub files_dir: Option<PathBuf>,
    /// Fail on warnings too
    #[arg(short, long)]
    pub strict: bool,
    /// Check the document and print nothing
    #[arg(short, long)]
    pub check: bool,
    /// Indent the JSON
    #[arg(short, long)]
    pub pretty: bool,
    /// Report one finding a line, without excerpts
    #[arg(short, long)]
    pub raw_errors: bool,
    /// Write the config to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The document; standard input if there is none or it is `-`
    pub file: Option<PathBuf>,
}

/// Runs the command line. The config goes to `stdout`, all findings to `stderr`.
pub fn run_cli(args: &CliArgs, stdin: &mut dyn Read, stdout: &mut dyn Write, stderr: &mut dyn Write) -> ExitCode {
    match run(args, stdin, stdout, stderr) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // If even that cannot be written there is nobody left to tell.
            let _ = writeln!(stderr, "Error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &CliArgs, stdin: &mut dyn Read, stdout: &mut dyn Write, stderr: &mut dyn Write) -> io::Result<bool> {
    let file = args.file.as_deref().filter(|file| *file != Path::new("-"));
    let input = read(file, stdin)?;
    let name = file.map_or_else(|| "<stdin>".to_owned(), |file| file.display().to_string());
    let options = Options {
        files_dir: args.files_dir.clone(),
        link_targets: file.map(Path::to_owned).into_iter().collect(),
        // Warnings must be told before they fail, so that is done here.
        strict: false,
        pretty: args.pretty,
    };
    let (output, report) = match crate::translate(&input, &options) {
        Ok((output, report)) => (Some(output), report),
        Err(report) => (None, report),
    };
    tell(&report, args.raw_errors, &name, &input, stderr)?;
    let Some(mut output) = output else {
        if report.entries.iter().all(|entry| entry.stage != Stage::Read) {
            writeln!(stderr, "Error translating config: the document has errors")?;
        }
        return Ok(false);
    };
    if args.strict && !report.is_empty() {
        writeln!(stderr, "Config produced warnings and --strict was specified")?;
        return Ok(false);
    }
    if args.check {
        return Ok(true);
    }
    output.push(b'\n');
    match &args.output {
        Some(path) => std::fs::write(path, &output)?,
        None => stdout.write_all(&output).and_then(|()| stdout.flush())?,
    }
    Ok(true)
}

fn read(file: Option<&Path>, stdin: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut input = Vec::new();
    match file {
        Some(file) => {
            let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", file.display()));
            std::fs::File::open(file)
                .and_then(|mut file| file.read_to_end(&mut input))
                .map_err(named)?;
        }
        None => {
            stdin.read_to_end(&mut input)?;
        }
    }
    Ok(input)
}

fn tell(report: &Report, raw: bool, name: &str, input: &[u8], stderr: &mut dyn Write) -> io::Result<()> {
    if raw || !io::stderr().is_terminal() {
        stderr.write_all(report.to_string().as_bytes())
    } else {
        stderr.write_all(excerpt(report, name, input, true).as_bytes())
    }
}
