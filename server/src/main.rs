//! The binary `thirdboot`.
fn main() {}
