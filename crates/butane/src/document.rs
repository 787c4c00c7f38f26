//! A document between reading and translating.

use std::collections::HashMap;

use crate::Options;
use crate::check;
use crate::decode::{self, Unused, yaml_report};
use crate::ignition::{self, Version};
use crate::path::{Path, Segment};
use crate::report::{Entry, Kind, Report, Stage};
use crate::schema::{Config, Header};
use crate::translate;
use crate::yaml::{Content, NodeId, Scalar, Tree, resolve};

/// The newest minor version of Butane's variant `fcos` that is known here.
const NEWEST_MINOR: u8 = 7;

/// A document that is YAML, and maybe more than that.
///
/// Its texts can be changed with [`map_strings`](Self::map_strings) before it is translated: what a text is changed
/// into stays a text, whatever it looks like, so that it can never change the structure of the document.
#[derive(Clone, Debug)]
pub struct Document {
    tree: Tree,
}

/// Where a text stands in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The way to it.
    pub path: Path,
    /// The line, counted from one.
    pub line: usize,
    /// The column in characters, counted from one.
    pub column: usize,
}

impl Document {
    /// Reads the first document of some YAML: UTF-8 or, with a byte order mark, UTF-16.
    ///
    /// # Errors
    /// The bytes are no YAML.
    pub fn parse(bytes: &[u8]) -> Result<Self, Report> {
        Tree::parse(bytes).map(|tree| Self { tree }).map_err(yaml_report)
    }

    /// Changes the document's texts.
    ///
    /// `change` is called for every scalar that is a text and is a value or an item of a list, not for keys, numbers,
    /// truth values and nulls, and for a text with an anchor only once. What it gives back is a text for good: `"5"`
    /// and `"yes"` will not be read as a number or a truth value.
    ///
    /// # Errors
    /// All the errors that `change` gave back, each with its place.
    pub fn map_strings(
        &mut self,
        mut change: impl FnMut(&str, Position) -> Result<String, String>,
    ) -> Result<(), Report> {
        let mut report = Report::new();
        let mut left: Vec<(NodeId, Path)> = self.tree.root().map(|root| (root, Path::root())).into_iter().collect();
        while let Some((id, path)) = left.pop() {
            let node = self.tree.node(id);
            let position = |path| Position {
                path,
                line: node.line,
                column: node.column,
            };
            let changed = match &node.content {
                Content::Alias { .. } => continue,
                Content::Sequence(items) => {
                    left.extend(
                        items
                            .iter()
                            .enumerate()
                            .rev()
                            .map(|(index, item)| (*item, path.join(index))),
                    );
                    continue;
                }
                Content::Mapping(entries) => {
                    left.extend(entries.iter().rev().map(|(key, value)| {
                        let key = self.tree.key_text(*key).to_owned();
                        (*value, path.join(Segment::Key(key.into())))
                    }));
                    continue;
                }
                Content::Scalar { value, plain, tag } => match resolve(value, *plain, tag.as_deref()) {
                    Ok(Scalar::Text | Scalar::Quoted) => match change(value, position(path.clone())) {
                        Ok(text) if text == *value => continue,
                        Ok(text) => text,
                        Err(message) => {
                            let mut entry = Entry::new(Kind::Error, path, message);
                            (entry.line, entry.column) = (node.line, node.column);
                            report.entries.push(entry);
                            continue;
                        }
                    },
                    _ => continue,
                },
            };
            if let Some(node) = self.tree.node_mut(id) {
                node.content = Content::Scalar {
                    value: changed,
                    plain: false,
                    tag: Some("!!str".to_owned()),
                };
            }
        }
        if report.is_empty() { Ok(()) } else { Err(report) }
    }

    /// Translates the document to Ignition's JSON.
    ///
    /// # Errors
    /// The document has errors or, with [`Options::strict`], anything to say about it.
    pub fn translate(&self, options: &Options) -> Result<(Vec<u8>, Report), Report> {
        let (config, report) = self.translate_config(options)?;
        match ignition::to_vec(&config, options.pretty) {
            Ok(json) => Ok((json, report)),
            Err(error) => Err(Report::error(Path::root(), error.to_string())),
        }
    }

    /// Translates the document to an Ignition config.
    ///
    /// # Errors
    /// The document has errors or, with [`Options::strict`], anything to say about it.
    pub fn translate_config(&self, options: &Options) -> Result<(ignition::Config, Report), Report> {
        self.translate_config_by(options, |_| Report::new())
    }

    /// Translates the document, and holds the result against rules of the caller's own. Their findings have paths in
    /// the result; they come out with the places in the document that those parts come from.
    ///
    /// # Errors
    /// The document or the rules have errors or, with [`Options::strict`], anything to say about it.
    pub fn translate_config_by(
        &self,
        options: &Options,
        rules: impl FnOnce(&ignition::Config) -> Report,
    ) -> Result<(ignition::Config, Report), Report> {
        let (minor, target) = self.version()?;
        let config: Config = decode::decode(&self.tree, minor)?;
        let mut report = Unused::find(&config, &self.tree, minor);
        report.merge(check::check(&config, minor, target));
        if report.is_fatal() {
            return Err(self.locate(report));
        }
        let translated = translate::translate(&config, minor, target, options);
        report.merge(translated.report);
        if report.is_fatal() {
            return Err(self.locate(report));
        }
        report.merge(
            translated
                .origins
                .trace_back(ignition::validate(&translated.config, target)),
        );
        report.merge(translated.origins.trace_back(rules(&translated.config)));
        let report = self.locate(report);
        if report.is_fatal() || (options.strict && !report.is_empty()) {
            return Err(report);
        }
        Ok((translated.config, report))
    }

    /// The document's minor version, and the version of Ignition it translates to.
    fn version(&self) -> Result<(u8, Version), Report> {
        let fail = |message: String| Err(Report::error(Path::root(), message).at_stage(Stage::Read));
        let header: Header = decode::decode(&self.tree, 0)?;
        if header.variant.is_empty() {
            return fail("the document does not say its variant, such as `variant: fcos`".to_owned());
        }
        if header.variant != "fcos" {
            return fail(format!("the variant {:?} is not known here, only fcos", header.variant));
        }
        let parts: Vec<Option<i64>> = header.version.split('.').map(|part| part.parse().ok()).collect();
        let minor = match parts[..] {
            [Some(1), Some(minor), Some(0)] => u8::try_from(minor).ok().filter(|minor| *minor <= NEWEST_MINOR),
            _ => None,
        };
        match minor.and_then(|minor| Some((minor, Version::v3(target_minor(minor))?))) {
            Some(versions) => Ok(versions),
            None => fail(format!(
                "the version {:?} is none of 1.0.0 to 1.{NEWEST_MINOR}.0",
                header.version
            )),
        }
    }

    /// Gives every finding its line and column: those of the deepest node on its path.
    fn locate(&self, mut report: Report) -> Report {
        let mut places = Places {
            tree: &self.tree,
            mappings: HashMap::new(),
        };
        for entry in report.entries.iter_mut().filter(|entry| entry.line == 0) {
            if let Some(node) = places.deepest(&entry.path).map(|id| self.tree.node(id)) {
                (entry.line, entry.column) = (node.line, node.column);
            }
        }
        report
    }
}

/// Finds nodes by path, with an index of every mapping it passes: there can be many keys and many findings.
struct Places<'t> {
    tree: &'t Tree,
    mappings: HashMap<NodeId, HashMap<&'t str, (NodeId, NodeId)>>,
}

impl Places<'_> {
    fn deepest(&mut self, path: &Path) -> Option<NodeId> {
        let mut at = self.tree.root()?;
        for segment in path.segments() {
            let next = match segment {
                Segment::Key(key) => self.entry(at, key).map(|(_, value)| value),
                Segment::Name(key) => self.entry(at, key).map(|(key, _)| key),
                Segment::Index(index) => self.tree.item(at, *index),
            };
            match next {
                Some(next) => at = next,
                None => break,
            }
        }
        Some(at)
    }

    fn entry(&mut self, id: NodeId, key: &str) -> Option<(NodeId, NodeId)> {
        let Content::Mapping(entries) = &self.tree.node(id).content else {
            return None;
        };
        let tree = self.tree;
        let index = self.mappings.entry(id).or_insert_with(|| {
            entries
                .iter()
                .map(|(key, value)| (tree.key_text(*key), (*key, *value)))
                .collect()
        });
        index.get(key).copied()
    }
}

/// Which minor version of Ignition's specification a document of version 1.`minor` becomes.
fn target_minor(minor: u8) -> u8 {
    match minor {
        0..=2 => minor,
        _ => minor - 1,
    }
}
