//! YAML as Butane reads it: a tree of nodes that know where they stand.

mod cursor;
mod parser;
mod properties;
mod reader;
mod resolve;
mod scalars;
mod scanner;
mod token;
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

    fn at(mark: token::Mark, message: &str) -> Self {
        Self::new(mark.line + 1, mark.column + 1, message.to_owned())
    }
}
