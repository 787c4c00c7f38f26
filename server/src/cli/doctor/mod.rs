//! `thirdboot doctor`: looks at a set-up the way hosts and the server see it, changes nothing, and says what to mend.

mod certificate;
mod clock;
mod dnsmasq;
mod finding;
mod folder;
mod mirror;
mod reach;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::failure::FAILED;
use crate::serve::{ServeOptions, Urls};

use finding::{Finding, as_json, as_lines};

/// What is looked at.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 nothing is broken (warnings aside), 1 something is to be mended, 2 wrong usage.")]
pub struct DoctorOptions {
    #[command(flatten)]
    options: Box<ServeOptions>,
    /// dnsmasq's configuration: whether it leads machines to this server.
    #[arg(long, value_name = "FILE", help_heading = "Options")]
    dnsmasq: Option<PathBuf>,
    /// Print the findings as JSON.
    #[arg(long, help_heading = "Options")]
    json: bool,
}

impl DoctorOptions {
    /// Looks, and prints what was found.
    pub async fn run(self) -> ExitCode {
        let findings = self.examine().await;
        let text = if self.json {
            as_json(&findings)
        } else {
            as_lines(&findings)
        };
        // A reader that went away (`| head`) is no failure.
        let _ = io::stdout().write_all(text.as_bytes());
        if findings.iter().any(Finding::is_broken) {
            ExitCode::from(FAILED)
        } else {
            ExitCode::SUCCESS
        }
    }

    async fn examine(&self) -> Vec<Finding> {
        let options = &self.options;
        let urls = match options.nominal_urls() {
            Ok(urls) => urls,
            Err(error) => {
                let mend = "`thirdboot config check` shows every setting and where it comes from";
                return vec![Finding::broken("settings", format!("{error:#}"), mend)];
            }
        };
        let mut findings = vec![Finding::well("settings", "they go together")];
        findings.extend(folder::look(options));
        findings.extend(mirror::look(options).await);
        findings.extend(clock::look(options));
        findings.extend(certificate::look(options, &urls));
        findings.extend(reach::look(options, &urls).await);
        if let Some(file) = &self.dnsmasq {
            findings.extend(dnsmasq::look(file, &urls.boot));
        }
        findings
    }
}

/// What the checks share: settings and the URLs that follow from them.
impl ServeOptions {
    fn nominal_urls(&self) -> anyhow::Result<Urls> {
        self.validate()?;
        self.urls(self.nominal())
    }
}

/// A person's own clock: a doctor has no store.
#[expect(
    clippy::disallowed_methods,
    reason = "the machine's clock is what is examined, and nothing is decided by it"
)]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
