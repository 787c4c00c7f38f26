//! Files, directories, links and trees.

use super::{Resource, record};

record! {
    /// Who owns a node.
    NodeUser, "a mapping with a user's id or name" {
        id: Option<i64>,
        name: Option<String>,
    }
}

record! {
    /// The group of a node.
    NodeGroup, "a mapping with a group's id or name" {
        id: Option<i64>,
        name: Option<String>,
    }
}

record! {
    /// A file.
    File, "a mapping for a file" {
        group: NodeGroup,
        overwrite: Option<bool>,
        path: String,
        user: NodeUser,
        append: Vec<Resource>,
        contents: Resource,
        mode: Option<i64>,
    }
}

record! {
    /// A directory.
    Directory, "a mapping for a directory" {
        group: NodeGroup,
        overwrite: Option<bool>,
        path: String,
        user: NodeUser,
        mode: Option<i64>,
    }
}

record! {
    /// A link, symbolic unless `hard`.
    Link, "a mapping for a link" {
        group: NodeGroup,
        overwrite: Option<bool>,
        path: String,
        user: NodeUser,
        hard: Option<bool>,
        target: Option<String>,
    }
}

record! {
    /// A local directory that is copied with all it holds.
    Tree, "a mapping for a tree of local files" {
        group: NodeGroup = since 7,
        local: String,
        path: Option<String>,
        user: NodeUser = since 7,
        file_mode: Option<i64> = since 7,
        dir_mode: Option<i64> = since 7,
    }
}
