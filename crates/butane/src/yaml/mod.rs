//! YAML as Butane reads it: a tree of nodes that know where they stand.

mod events;
mod reader;
mod resolve;
mod tree;

pub(crate) use resolve::{Scalar, resolve};
pub(crate) use tree::{Content, NodeId, Tree};

/// The prefix that `!!` stands for.
pub(crate) const CORE_PREFIX: &str = "tag:yaml.org,2002:";

/// Why a text is no YAML document, and where. Line and column count from one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct YamlError {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) message: String,
}

impl YamlError {
    fn new(line: usize, column: usize, message: String) -> Self {
        Self { line, column, message }
    }

    fn at(place: Place, message: &str) -> Self {
        Self::new(place.line + 1, place.column + 1, message.to_owned())
    }
}

/// A place in the text. Lines and columns count from zero, columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    line: usize,
    column: usize,
}

impl Place {
    /// One character further on the line.
    fn right(self) -> Self {
        Self {
            column: self.column + 1,
            ..self
        }
    }
}
