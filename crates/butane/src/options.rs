//! How to translate.

use std::path::PathBuf;

/// How to translate. The default reads no files and lets warnings pass.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The directory local files come from. Without one a document that wants any is refused. Nothing outside is
    /// read, whatever `..` and links say.
    pub files_dir: Option<PathBuf>,
    /// Files outside [`files_dir`](Self::files_dir) that a link inside may lead to all the same. The command line
    /// names its input here: that has been read already.
    pub link_targets: Vec<PathBuf>,
    /// Whether anything at all in the report is an error.
    pub strict: bool,
    /// Whether the JSON is indented.
    pub pretty: bool,
}
