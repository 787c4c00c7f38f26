//! `thirdboot host preview` and `diff`: what a host would be served, and how that differs from what it has.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value};
use thirdboot_api::control::{HostDiffView, PartView, PreviewView, TryTemplate};

use crate::cli::input::input;
use crate::cli::template::Selected;
use crate::cli::{Connection, Failure};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Document {
    Script,
    Pointer,
    Live,
    Installed,
}

/// What to look at.
#[derive(Debug, Args)]
pub(super) struct PreviewOptions {
    /// The host's name.
    name: String,
    /// The install script, a config of the first boot, or that of the installed system.
    #[arg(value_enum, default_value = "installed")]
    document: Document,
    /// Print only this part's content: a file's path, or a unit's name.
    #[arg(long, value_name = "NAME")]
    part: Option<String>,
    /// With the real secrets: for admins only, and noted in the audit.
    #[arg(long)]
    secrets: bool,
    /// With this Butane document as a template that is not saved.
    #[arg(long, value_name = "FILE", conflicts_with = "secrets")]
    template: Option<PathBuf>,
    /// The name it would be saved under.
    #[arg(
        long = "as",
        value_name = "TEMPLATE",
        default_value = "preview",
        requires = "template"
    )]
    template_name: String,
    /// Its place among the others; 100 if left out.
    #[arg(long, value_name = "NUMBER", requires = "template", allow_negative_numbers = true)]
    order: Option<i32>,
}

impl PreviewOptions {
    pub(super) async fn run(self, connection: &Connection) -> Result<(), Failure> {
        let client = connection.client()?;
        let mut preview = match &self.template {
            Some(_) if self.document != Document::Installed => {
                return Err(Failure::Usage(
                    "--template: only the installed config has templates".to_owned(),
                ));
            }
            Some(file) => {
                let body = TryTemplate {
                    name: self.template_name.clone(),
                    template: Selected::of_every_host(self.order).spec(input("--template", file)?, None, None),
                };
                client.preview_template(&self.name, &body).await?
            }
            None => {
                let document = match self.document {
                    Document::Script => "script",
                    Document::Pointer => "pointer",
                    Document::Live => "live",
                    Document::Installed => "installed",
                };
                client
                    .preview(&self.name, document, self.part.as_deref(), self.secrets)
                    .await?
            }
        };
        if let Some(part) = &self.part {
            preview.parts.retain(|one| one.name == *part);
            if preview.parts.is_empty() {
                return Err(Failure::Usage(format!(
                    "--part {part}: the config has no part of this name"
                )));
            }
        }
        connection
            .output
            .print(&preview, || whole(&preview, self.part.is_some()))
    }
}

/// A script as it is; a config part by part.
fn whole(preview: &PreviewView, is_one_part: bool) -> String {
    if let Some(text) = &preview.text {
        return ended(text);
    }
    if is_one_part {
        return preview.parts.iter().map(content).collect();
    }
    let mut said = String::new();
    for part in &preview.parts {
        let _ = writeln!(said, "--- {} {}{}", part.kind, part.name, settings(&part.settings));
        said += &content(part);
    }
    said
}

fn content(part: &PartView) -> String {
    match (&part.text, part.size_bytes) {
        (Some(text), _) => ended(text),
        (None, Some(size)) => format!("({size} bytes that are not shown)\n"),
        (None, None) => String::new(),
    }
}

/// With a line end: what follows is a line of its own.
fn ended(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') {
        return text.to_owned();
    }
    format!("{text}\n")
}

fn settings(settings: &Map<String, Value>) -> String {
    settings.iter().fold(String::new(), |said, (key, value)| match value {
        Value::String(text) => format!("{said} {key}={text}"),
        value => format!("{said} {key}={value}"),
    })
}

/// What to compare.
#[derive(Debug, Args)]
pub(super) struct DiffOptions {
    /// The host's name.
    name: String,
    /// With the real secrets: for admins only, and noted in the audit.
    #[arg(long)]
    secrets: bool,
}

impl DiffOptions {
    pub(super) async fn run(self, connection: &Connection) -> Result<(), Failure> {
        let diff = connection.client()?.host_diff(&self.name, self.secrets).await?;
        connection.output.print(&diff, || difference(&diff))
    }
}

fn difference(diff: &HostDiffView) -> String {
    if diff.same {
        return format!(
            "{}: run {} was installed with what it would get today\n",
            diff.host, diff.run
        );
    }
    let mut said = format!(
        "{}: what run {} was installed with, and what it would get today\n",
        diff.host, diff.run
    );
    for change in &diff.changes {
        let _ = writeln!(said, "{} {} {}", change.change, change.kind, change.name);
        for (sign, part) in [("-", &change.settings_before), ("+", &change.settings_after)] {
            if let Some(part) = part.as_ref().filter(|part| !part.is_empty()) {
                let _ = writeln!(said, "  {sign}{}", settings(part));
            }
        }
        if change.secrets_only {
            said += "  only secrets differ\n";
        }
        for line in change.text.iter().flat_map(|text| text.lines()) {
            let _ = writeln!(said, "  {line}");
        }
    }
    said
}
