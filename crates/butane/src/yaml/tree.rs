//! The first document of a text, as an arena of nodes.

use std::collections::HashMap;

use super::events::{Event, EventKind, Events};
use super::{CORE_PREFIX, Place, YamlError, reader};

/// How deep collections may nest; Butane draws the line at the same place.
const MAX_DEPTH: usize = 10_000;

/// A node's place in its [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct NodeId(u32);

#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Counts from one.
    pub(crate) line: usize,
    /// Counts from one, in characters.
    pub(crate) column: usize,
    pub(crate) content: Content,
}

#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// `tag` in its short form (`!!int`), `None` if the text does not name one.
    Scalar {
        value: String,
        plain: bool,
        tag: Option<String>,
    },
    Sequence(Vec<NodeId>),
    Mapping(Vec<(NodeId, NodeId)>),
    Alias {
        name: String,
        target: NodeId,
    },
}

/// A parsed document. Without content it has no root.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    root: Option<NodeId>,
}

/// What stands in for a node that does not exist; no tree hands out such an id.
static NOWHERE: Node = Node {
    line: 1,
    column: 1,
    content: Content::Sequence(Vec::new()),
};

impl Tree {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, YamlError> {
        let text = reader::decode(bytes)?;
        let mut tree = Self::default();
        let Some(mut events) = Events::first_document(&text)? else {
            return Ok(tree);
        };
        let mut builder = Builder {
            tree: &mut tree,
            anchors: HashMap::new(),
            open: Vec::new(),
        };
        while let Some(event) = events.next()? {
            builder.step(event)?;
        }
        Ok(tree)
    }

    pub(crate) fn root(&self) -> Option<NodeId> {
        self.root
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        self.nodes.get(id.0 as usize).unwrap_or(&NOWHERE)
    }

    pub(crate) fn node_mut(&mut self, id: NodeId) -> Option<&mut Node> {
        self.nodes.get_mut(id.0 as usize)
    }

    /// The text of a key; aliases go by their name, collections by nothing.
    pub(crate) fn key_text(&self, id: NodeId) -> &str {
        match &self.node(id).content {
            Content::Scalar { value, .. } => value,
            Content::Alias { name, .. } => name,
            Content::Sequence(_) | Content::Mapping(_) => "",
        }
    }

    /// Key and value of `key` in the mapping `id`, written right there (no merges, no aliases).
    pub(crate) fn entry(&self, id: NodeId, key: &str) -> Option<(NodeId, NodeId)> {
        match &self.node(id).content {
            Content::Mapping(entries) => entries.iter().rev().find(|(k, _)| self.key_text(*k) == key).copied(),
            _ => None,
        }
    }

    /// The item at `index` of the list `id`.
    pub(crate) fn item(&self, id: NodeId, index: usize) -> Option<NodeId> {
        match &self.node(id).content {
            Content::Sequence(items) => items.get(index).copied(),
            _ => None,
        }
    }
}

/// A collection whose end has not been seen.
struct Open {
    id: NodeId,
    /// The key that waits for its value.
    key: Option<NodeId>,
}

struct Builder<'t> {
    tree: &'t mut Tree,
    anchors: HashMap<usize, NodeId>,
    open: Vec<Open>,
}

impl Builder<'_> {
    fn step(&mut self, event: Event) -> Result<(), YamlError> {
        let error = |message: &str| YamlError::at(event.start, message);
        let (content, opens) = match event.kind {
            EventKind::End => {
                self.open.pop();
                return Ok(());
            }
            EventKind::Alias(name) => {
                let target = *self
                    .anchors
                    .get(&event.anchor)
                    .ok_or_else(|| error(&format!("*{name} refers to an anchor that does not stand before it")))?;
                self.add(event.start, Content::Alias { name, target })?;
                return Ok(());
            }
            EventKind::Scalar { value, plain, tag } => {
                let tag = tag.map(|tag| match tag.strip_prefix(CORE_PREFIX) {
                    Some(short) => format!("!!{short}"),
                    None => tag,
                });
                (Content::Scalar { value, plain, tag }, false)
            }
            EventKind::SequenceStart => (Content::Sequence(Vec::new()), true),
            EventKind::MappingStart => (Content::Mapping(Vec::new()), true),
        };
        let id = self.add(event.start, content)?;
        if event.anchor > 0 {
            self.anchors.insert(event.anchor, id);
        }
        if opens {
            self.open.push(Open { id, key: None });
            if self.open.len() > MAX_DEPTH + 2 {
                return Err(error("nested too deeply"));
            }
        }
        Ok(())
    }

    fn add(&mut self, start: Place, content: Content) -> Result<NodeId, YamlError> {
        let id = u32::try_from(self.tree.nodes.len())
            .map(NodeId)
            .map_err(|_| YamlError::at(start, "the document is too large"))?;
        self.tree.nodes.push(Node {
            line: start.line + 1,
            column: start.column + 1,
            content,
        });
        self.attach(id);
        Ok(id)
    }

    fn attach(&mut self, id: NodeId) {
        let Some(open) = self.open.last_mut() else {
            self.tree.root.get_or_insert(id);
            return;
        };
        let parent = open.id;
        match self.tree.node_mut(parent).map(|node| &mut node.content) {
            Some(Content::Sequence(items)) => items.push(id),
            Some(Content::Mapping(entries)) => match open.key.take() {
                Some(key) => entries.push((key, id)),
                None => open.key = Some(id),
            },
            _ => {}
        }
    }
}
