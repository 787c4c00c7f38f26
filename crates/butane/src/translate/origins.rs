//! Where in the document each part of the result comes from.
//!
//! Most parts come from the place of the same name: `storage.files.0.path`, or `home_dir` for `homeDir`. Only the
//! others are kept.

use std::collections::HashMap;

use crate::ignition::{self, Side};
use crate::path::{Path, Segment};
use crate::report::Report;

#[derive(Clone, Debug, Default)]
pub(crate) struct Origins {
    /// One place in the result, one in the document.
    exact: HashMap<Path, Path>,
    /// A place in the result and all below it, one place in the document.
    below: HashMap<Path, Path>,
}

impl Origins {
    /// `json` comes from `yaml`.
    pub(crate) fn add(&mut self, json: Path, yaml: Path) {
        self.exact.insert(json, yaml);
    }

    /// `json` and all below it comes from `yaml`.
    pub(crate) fn add_all(&mut self, json: Path, yaml: Path) {
        self.below.insert(json, yaml);
    }

    /// Where `json` comes from, if not from the place of the same name.
    fn known(&self, json: &Path) -> Option<&Path> {
        self.exact.get(json).or_else(|| {
            if self.below.is_empty() {
                return None;
            }
            let segments = json.segments();
            (0..=segments.len())
                .rev()
                .find_map(|len| self.below.get(&Path::from_segments(segments.get(..len)?)))
        })
    }

    /// Where `json` comes from.
    pub(crate) fn of(&self, json: &Path) -> Path {
        self.known(json).cloned().unwrap_or_else(|| same_name(json))
    }

    /// Gives every finding in the result its place in the document.
    pub(crate) fn trace_back(&self, mut report: Report) -> Report {
        for entry in &mut report.entries {
            entry.path = self.of(&entry.path);
        }
        report
    }

    /// The origins of a merge's result.
    pub(super) fn merged(parent: &Self, child: &Self, transcript: Vec<ignition::Origin>) -> Self {
        let mut merged = Self::default();
        for origin in transcript {
            let source = match origin.side {
                Side::Parent => match parent.known(&origin.from) {
                    Some(path) => path.clone(),
                    None => continue,
                },
                Side::Child => child.of(&origin.from),
            };
            // What both sides have a part in counts as the child's: the document says it in so many words.
            if origin.side == Side::Child || !merged.exact.contains_key(&origin.to) {
                merged.exact.insert(origin.to, source);
            }
        }
        merged.exact.retain(|json, yaml| same_name(json) != *yaml);
        merged
    }
}

/// The place of the same name in the document.
fn same_name(json: &Path) -> Path {
    let mut yaml = Path::root();
    for segment in json.segments() {
        yaml.push(match segment {
            Segment::Key(key) if key.contains(|c: char| c.is_ascii_uppercase()) => Segment::Key(snake(key).into()),
            other => other.clone(),
        });
    }
    yaml
}

/// `homeDir` is `home_dir`, `sizeMiB` is `size_mib`.
fn snake(camel: &str) -> String {
    let mut snake = String::with_capacity(camel.len() + 4);
    for c in camel.replace("MiB", "Mib").chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}
