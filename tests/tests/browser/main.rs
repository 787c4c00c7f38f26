//! People at the pages, in a real browser, against the real server and simulated machines.
//!
//! `tests/run browser` installs what is needed and runs these one after another. Each story is told with JavaScript and
//! without; only liveness needs it.

mod deeds;
mod driver;
mod rack;
mod reach;
mod shots;
mod stories;
