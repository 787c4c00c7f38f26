//! Valid documents to change at random.

/// Documents that between them use every key.
pub(crate) const VALID: [&str; 4] = [
    include_str!("inputs/everything.bu"),
    include_str!("inputs/mirror.bu"),
    include_str!("inputs/old.bu"),
    include_str!("inputs/styles.bu"),
];

#[test]
fn they_are_valid() {
    for document in VALID {
        if let Err(report) = thirdboot_butane::translate(document.as_bytes(), &thirdboot_butane::Options::default()) {
            panic!("{document}\n{report}");
        }
    }
}
