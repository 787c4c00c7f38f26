//! Users' own Butane templates, on top of the installed config.
//!
//! The YAML is parsed first; then each *string scalar* is rendered with the host's [`FACTS`]: a value can so never
//! change the structure of a document. What comes out may not touch what Thirdboot needs to install a machine, to prove
//! it and to keep its promises ([`RESERVED`]), fetches nothing, and wipes nothing that no permit named.

mod base;
mod facts;
mod fault;
mod merge;
mod reserved;
mod rules;
mod scalar;
#[cfg(test)]
mod tests;
mod wiping;

use std::collections::BTreeSet;

use minijinja::Value;
use thirdboot_butane::{Document, Options, Position, ignition::Config};
use thirdboot_lifecycle::Host;

pub use base::CheckBase;
pub use facts::{FACTS, Fact, facts_table};
pub use fault::Fault;
pub use merge::Overlay;
pub(crate) use merge::on_top;
pub use reserved::{RESERVED, Reserved, reserved_table};

/// A template's text has at most this many bytes.
pub const MAX_TEMPLATE_BYTES: usize = 128 * 1024;
/// What rendering one document may cost: a step of the engine, or 64 bytes that it makes or moves.
const FUEL: u64 = 50_000;
/// So many faults of one document are told; the first is what matters.
const MAX_FAULTS: usize = 20;

/// A user's template, read and not yet rendered.
#[derive(Debug, Clone)]
pub struct Template {
    name: String,
    text: String,
    document: Document,
    used: Vec<String>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// Text that is no YAML, or too long.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<Fault>> {
        if text.len() > MAX_TEMPLATE_BYTES {
            let what = format!("{} bytes, expected at most {MAX_TEMPLATE_BYTES}", text.len());
            return Err(vec![Fault::whole(name, what)]);
        }
        let refuse = |report| fault::faults(name, &report);
        let mut document = Document::parse(text.as_bytes()).map_err(refuse)?;
        let mut used = BTreeSet::new();
        document
            .map_strings(|text, _| {
                if scalar::is_template(text) {
                    facts::used(text, &mut used);
                }
                Ok(text.to_owned())
            })
            .map_err(refuse)?;
        Ok(Self {
            name: name.to_owned(),
            text: text.to_owned(),
            document,
            used: used.into_iter().collect(),
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of labels that it uses.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        let labels = self.used.iter().filter_map(|name| name.strip_prefix("host.labels."));
        labels.map(|label| label.split('.').next().unwrap_or(label))
    }

    /// Renders it for a host, translates it, and holds it against every rule.
    ///
    /// # Errors
    /// Each with its line and column where known, twenty at most.
    pub fn render(&self, host: &Host) -> Result<Config, Vec<Fault>> {
        self.render_with(&facts::of(host))
    }

    fn render_with(&self, facts: &serde_json::Value) -> Result<Config, Vec<Fault>> {
        let refuse = |report| {
            let mut faults = fault::faults(&self.name, &report);
            faults.truncate(MAX_FAULTS);
            faults
        };
        let facts = Value::from(minijinja::value::Serde(facts));
        let mut environment =
            crate::engine::environment().map_err(|error| vec![Fault::whole(&self.name, error.to_string())])?;
        let source: Vec<&str> = self.text.lines().collect();
        let mut fuel = FUEL;
        let mut misplaced = Vec::new();
        let mut document = self.document.clone();
        let rendered = document.map_strings(|text, Position { path, line, column }| {
            if !scalar::is_template(text) {
                return Ok(text.to_owned());
            }
            match scalar::render(&mut environment, text, &facts, fuel) {
                Ok((rendered, left)) => {
                    fuel = left;
                    Ok(rendered)
                }
                Err(error) => {
                    // Nothing is left for the others either.
                    if error.kind() == minijinja::ErrorKind::OutOfFuel {
                        fuel = 0;
                    }
                    misplaced.push((path, scalar::place(&source, text, line, column, &error)));
                    Err(scalar::says(&error))
                }
            }
        });
        if let Err(mut report) = rendered {
            for (entry, (_, (line, column))) in report.entries.iter_mut().zip(&misplaced) {
                (entry.line, entry.column) = (*line, *column);
            }
            return Err(refuse(report));
        }
        let options = Options {
            strict: true,
            ..Options::default()
        };
        let translated = document.translate_config_by(&options, rules::broken);
        translated.map(|(config, _)| config).map_err(refuse)
    }
}
