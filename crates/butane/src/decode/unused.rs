//! Keys that no field stands for: each is worth a warning, since most are typing errors.

use std::collections::HashSet;

use super::Record;
use crate::path::{Path, Segment};
use crate::report::{Entry, Kind, Report};
use crate::yaml::{Content, NodeId, Tree};

/// Walks what was read side by side with the document it was read from.
pub(crate) struct Unused<'t> {
    pub(super) tree: &'t Tree,
    pub(super) path: Path,
    minor: u8,
    report: Report,
}

impl<'t> Unused<'t> {
    /// Looks through all of `value`, read from the document `tree` of version 1.`minor`.
    pub(crate) fn find<R: Record>(value: &R, tree: &'t Tree, minor: u8) -> Report {
        let mut unused = Self {
            tree,
            path: Path::root(),
            minor,
            report: Report::new(),
        };
        value.unused(&mut unused, tree.root());
        unused.report
    }

    pub(crate) fn record<R: Record>(&mut self, record: &R, node: Option<NodeId>) {
        let mut known = HashSet::new();
        record.fields(self.minor, &mut |key, field| {
            known.insert(key);
            let child = node.and_then(|node| self.tree.entry(node, key)).map(|(_, value)| value);
            self.path.push(key);
            field.unused(self, child);
            self.path.pop();
        });
        let Some(node) = node else { return };
        match &self.tree.node(node).content {
            Content::Mapping(entries) => {
                for (key, _) in entries {
                    let name = self.tree.key_text(*key);
                    if !known.contains(name) {
                        let mut path = self.path.clone();
                        path.push(Segment::Name(name.to_owned()));
                        let mut entry = Entry::new(Kind::Warning, path, format!("nothing uses the key {name:?}"));
                        let key = self.tree.node(*key);
                        (entry.line, entry.column) = (key.line, key.column);
                        self.report.entries.push(entry);
                    }
                }
            }
            _ => self.report.push(
                Kind::Warning,
                self.path.clone(),
                "this stands for a mapping written elsewhere; lines and columns may be inexact, unused keys may go unnoticed",
            ),
        }
    }
}
