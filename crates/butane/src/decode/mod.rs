//! From YAML nodes to the typed structs of [`crate::schema`], as forgiving and as strict as Butane.

mod merge_keys;
mod scalars;
mod unused;

use std::collections::HashSet;

pub(crate) use unused::Unused;

use crate::path::{Path, Segment};
use crate::report::{Kind, Report, Stage};
use crate::yaml::{Content, NodeId, Tree, YamlError};

/// How many merges (`<<`) may nest.
const MAX_MERGE_DEPTH: usize = 64;
/// How many nodes may be read through aliases.
const MAX_ALIASED_NODES: u64 = 200_000;
/// How many bytes of text may be read through aliases, on top of a multiple of the document's own size.
const MAX_ALIASED_BYTES: usize = 16 << 20;

/// Why reading stopped for good.
pub(crate) struct Abort;

/// Something that can be read from a node and looked through for keys nobody read.
pub(crate) trait Decode {
    /// Reads `node` into `self`. `Ok(false)`: nothing was read (null, or an error that has been noted).
    fn decode(&mut self, decoder: &mut Decoder<'_>, node: NodeId) -> Result<bool, Abort>;

    /// Warns of keys in `node` that no field of `self` stands for.
    fn unused(&self, _unused: &mut Unused<'_>, _node: Option<NodeId>) {}
}

/// A struct whose fields are the keys of a mapping.
pub(crate) trait Record: Decode {
    /// What people call it, for messages.
    const WHAT: &'static str;

    /// The field for `key` in documents of version 1.`minor`.
    fn field(&mut self, key: &str, minor: u8) -> Option<&mut dyn Decode>;

    /// Calls `each` with every field of documents of version 1.`minor`.
    fn fields(&self, minor: u8, each: &mut dyn FnMut(&'static str, &dyn Decode));
}

/// Where reading stands.
pub(crate) struct Decoder<'t> {
    tree: &'t Tree,
    minor: u8,
    path: Path,
    report: Report,
    /// Aliases being followed.
    following: HashSet<NodeId>,
    reads: u64,
    aliased_reads: u64,
    aliased_bytes: usize,
    merge_depth: usize,
    /// While reading what a `<<` brings in: keys that are already taken.
    merged: Option<HashSet<String>>,
}

/// Reads the whole document. `Err` holds what is wrong with it.
pub(crate) fn decode<T: Decode + Default>(tree: &Tree, minor: u8) -> Result<T, Report> {
    let mut decoder = Decoder {
        tree,
        minor,
        path: Path::root(),
        report: Report::new(),
        following: HashSet::new(),
        reads: 0,
        aliased_reads: 0,
        aliased_bytes: 0,
        merge_depth: 0,
        merged: None,
    };
    let mut value = T::default();
    let outcome = match tree.root() {
        Some(root) => decoder.read(&mut value, root),
        None => Ok(false),
    };
    if outcome.is_err() || decoder.report.is_fatal() {
        return Err(decoder.report.at_stage(Stage::Read));
    }
    Ok(value)
}

pub(crate) fn yaml_report(error: YamlError) -> Report {
    let mut report = Report::error(Path::root(), error.message).at_stage(Stage::Read);
    for entry in &mut report.entries {
        (entry.line, entry.column) = (error.line, error.column);
    }
    report
}

impl<'t> Decoder<'t> {
    fn error(&mut self, node: NodeId, message: impl Into<String>) {
        self.report.push(Kind::Error, self.path.clone(), message);
        let node = self.tree.node(node);
        if let Some(entry) = self.report.entries.last_mut() {
            (entry.line, entry.column) = (node.line, node.column);
        }
    }

    fn abort<T>(&mut self, node: NodeId, message: impl Into<String>) -> Result<T, Abort> {
        self.error(node, message);
        Err(Abort)
    }

    fn mismatch(&mut self, node: NodeId, wanted: &str) -> Result<bool, Abort> {
        let found = match &self.tree.node(node).content {
            Content::Sequence(_) => "a list".to_owned(),
            Content::Mapping(_) => "a mapping".to_owned(),
            Content::Alias { .. } => "an alias".to_owned(),
            Content::Scalar { value, .. } => match self.resolve(node)? {
                Some(scalar) => format!("{} ({})", scalar.describe(), shorten(value)),
                None => "a text".to_owned(),
            },
        };
        self.error(node, format!("expected {wanted}, found {found}"));
        Ok(false)
    }

    /// Reads `node`, following an alias, into `value`.
    pub(crate) fn read(&mut self, value: &mut dyn Decode, node: NodeId) -> Result<bool, Abort> {
        self.count(node)?;
        if let Content::Alias { name, target } = &self.tree.node(node).content {
            let target = *target;
            if !self.following.insert(node) {
                return self.abort(node, format!("*{name} contains itself"));
            }
            let outcome = self.read(value, target);
            self.following.remove(&node);
            return outcome;
        }
        value.decode(self, node)
    }

    /// Keeps aliases from blowing a small document up.
    fn count(&mut self, node: NodeId) -> Result<(), Abort> {
        self.reads += 1;
        if self.following.is_empty() {
            return Ok(());
        }
        self.aliased_reads += 1;
        if let Content::Scalar { value, .. } = &self.tree.node(node).content {
            self.aliased_bytes += value.len();
        }
        // Of the first 400,000 reads nearly all may come by aliases, of four million and more a tenth.
        let share = match self.reads {
            0..=400_000 => 99,
            4_000_000.. => 10,
            reads => 99 - 89 * (reads - 400_000) / 3_600_000,
        };
        let greedy = self.aliased_reads > 100 && self.reads > 1000 && self.aliased_reads * 100 > self.reads * share;
        if greedy || self.aliased_reads > MAX_ALIASED_NODES || self.aliased_bytes > MAX_ALIASED_BYTES {
            return self.abort(node, "the document's aliases expand to too much");
        }
        Ok(())
    }

    /// Reads a mapping into the fields of a record.
    pub(crate) fn record<R: Record>(&mut self, record: &mut R, node: NodeId) -> Result<bool, Abort> {
        let tree: &'t Tree = self.tree;
        let Content::Mapping(entries) = &tree.node(node).content else {
            if self.is_null(node)? {
                return Ok(false);
            }
            return self.mismatch(node, R::WHAT);
        };
        if !self.keys_are_unique(entries) {
            return Ok(false);
        }
        let taken = self.merged.take();
        let (outcome, taken) = self.entries(record, entries, taken);
        self.merged = taken;
        if let Some(merge) = outcome? {
            self.merge(record, entries, merge)?;
        }
        Ok(true)
    }

    /// Reads a mapping's own entries; gives back what `<<` refers to.
    fn entries<R: Record>(
        &mut self,
        record: &mut R,
        entries: &'t [(NodeId, NodeId)],
        mut taken: Option<HashSet<String>>,
    ) -> (Result<Option<NodeId>, Abort>, Option<HashSet<String>>) {
        let mut merge = None;
        for &(key, value) in entries {
            if self.is_merge(key) {
                merge = Some(value);
                continue;
            }
            let mut name = String::new();
            match self.read(&mut name, key) {
                Ok(true) => {}
                Ok(false) => continue,
                Err(abort) => return (Err(abort), taken),
            }
            if let Some(taken) = &mut taken
                && !taken.insert(name.clone())
            {
                continue;
            }
            if let Some(field) = record.field(&name, self.minor) {
                self.path.push(Segment::Key(name.into()));
                let outcome = self.read(field, value);
                self.path.pop();
                if let Err(abort) = outcome {
                    return (Err(abort), taken);
                }
            }
        }
        (Ok(merge), taken)
    }

    fn keys_are_unique(&mut self, entries: &[(NodeId, NodeId)]) -> bool {
        let mut seen = HashSet::with_capacity(entries.len());
        let mut unique = true;
        for (key, _) in entries {
            let kind = std::mem::discriminant(&self.tree.node(*key).content);
            if !seen.insert((kind, self.tree.key_text(*key))) {
                let text = format!("the key {} stands here twice", shorten(self.tree.key_text(*key)));
                self.error(*key, text);
                unique = false;
            }
        }
        unique
    }
}

fn shorten(text: &str) -> String {
    let line: String = text.chars().take(40).collect();
    if line.len() < text.len() {
        format!("{line:?} …")
    } else {
        format!("{line:?}")
    }
}

impl<T: Decode + Default> Decode for Vec<T> {
    fn decode(&mut self, decoder: &mut Decoder<'_>, node: NodeId) -> Result<bool, Abort> {
        let tree = decoder.tree;
        let Content::Sequence(items) = &tree.node(node).content else {
            if decoder.is_null(node)? {
                self.clear();
                return Ok(true);
            }
            return decoder.mismatch(node, "a list");
        };
        self.clear();
        for (index, item) in items.iter().enumerate() {
            let mut value = T::default();
            decoder.path.push(index);
            let outcome = decoder.read(&mut value, *item);
            decoder.path.pop();
            if outcome? {
                self.push(value);
            }
        }
        Ok(true)
    }

    fn unused(&self, unused: &mut Unused<'_>, node: Option<NodeId>) {
        for (index, item) in self.iter().enumerate() {
            let node = node.and_then(|node| unused.tree.item(node, index));
            unused.path.push(index);
            item.unused(unused, node);
            unused.path.pop();
        }
    }
}

impl<T: Decode + Default> Decode for Option<T> {
    fn decode(&mut self, decoder: &mut Decoder<'_>, node: NodeId) -> Result<bool, Abort> {
        if decoder.is_null(node)? {
            *self = None;
            return Ok(true);
        }
        self.get_or_insert_default().decode(decoder, node)
    }

    fn unused(&self, unused: &mut Unused<'_>, node: Option<NodeId>) {
        if let Some(value) = self {
            value.unused(unused, node);
        }
    }
}
