//! The `<<` key: what it refers to fills in the keys that are missing.

use std::collections::HashSet;

use super::{Abort, Decoder, MAX_MERGE_DEPTH, Record};
use crate::yaml::{Content, NodeId};

impl<'t> Decoder<'t> {
    pub(super) fn is_merge(&self, key: NodeId) -> bool {
        matches!(&self.tree.node(key).content,
        Content::Scalar { value, plain, tag } if value == "<<" && match tag {
            None => *plain,
            Some(tag) => tag == "!!merge",
        })
    }

    pub(super) fn merge<R: Record>(
        &mut self,
        record: &mut R,
        parent: &'t [(NodeId, NodeId)],
        merge: NodeId,
    ) -> Result<(), Abort> {
        if self.merge_depth >= MAX_MERGE_DEPTH {
            return self.abort(merge, "merges nest too deeply");
        }
        let outermost = self.merged.is_none();
        if outermost {
            let keys: HashSet<String> = parent
                .iter()
                .map(|(key, _)| self.tree.key_text(self.target(*key)).to_owned())
                .collect();
            self.merged = Some(keys);
        }
        self.merge_depth += 1;
        let outcome = self.merge_each(record, merge);
        self.merge_depth -= 1;
        if outermost {
            self.merged = None;
        }
        outcome
    }

    fn merge_each<R: Record>(&mut self, record: &mut R, merge: NodeId) -> Result<(), Abort> {
        let tree = self.tree;
        match &tree.node(merge).content {
            Content::Sequence(items) => {
                for item in items {
                    self.merge_one(record, *item)?;
                }
                Ok(())
            }
            _ => self.merge_one(record, merge),
        }
    }

    fn merge_one<R: Record>(&mut self, record: &mut R, node: NodeId) -> Result<(), Abort> {
        if !matches!(self.tree.node(self.target(node)).content, Content::Mapping(_)) {
            return self.abort(node, "`<<` takes a mapping or a list of mappings");
        }
        self.read(record, node)?;
        Ok(())
    }

    /// What an alias refers to; any other node is its own target.
    fn target(&self, node: NodeId) -> NodeId {
        match &self.tree.node(node).content {
            Content::Alias { target, .. } => *target,
            _ => node,
        }
    }
}
