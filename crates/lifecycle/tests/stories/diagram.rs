//! The diagram in the docs is the table.

use std::{fs, path::Path};

/// Rewrite it with `THIRDBOOT_BLESS=1 cargo test -p thirdboot-lifecycle --test stories diagram`.
#[test]
fn the_diagram_in_the_docs_has_not_drifted_from_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/lifecycle.md");
    let page = format!(
        "# The life of a run\n\nDrawn from the one table of transitions (`crates/lifecycle/src/table.rs`); a test fails when it drifts.\n\
         Events in a stage that lead nowhere else (repeats, notes, progress) are left out. What is not drawn is refused with 409.\n\n\
         ```mermaid\n{}```\n",
        thirdboot_lifecycle::state_diagram()
    );
    if std::env::var_os("THIRDBOOT_BLESS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        page,
        "docs/lifecycle.md has drifted: see the comment above this test"
    );
}
