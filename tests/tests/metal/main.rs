//! Whole machines against the real server: `tests/run metal`, and `tests/run metal --full` for
//! all of it. docs/metal.md says what is real in here and what stands in.

mod faults;
mod images;
mod installed;
mod never;
mod pair;
mod permits;
mod short;
mod strangers;
