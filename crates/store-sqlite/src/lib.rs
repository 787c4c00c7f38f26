//! The embedded store: SQLite in WAL mode, group commit, one door.
//!
//! One task writes. It takes what is queued, gives each change a savepoint of its own in one transaction, and answers
//! after the commit. Readers have connections of their own and see everything that was answered.

mod access;
mod addresses;
mod answers;
mod audit;
mod batch;
mod census;
mod clusters;
mod deadlines;
mod epoch;
mod error;
#[cfg(test)]
mod faults;
mod hosts;
mod job;
mod leasing;
mod lock;
mod lock_groups;
mod locks;
pub mod maintenance;
mod meta;
mod open;
mod packages;
mod pending;
mod place;
mod prune;
mod put;
mod read;
mod reports;
mod restore;
mod rows;
mod save;
mod schema;
mod script;
mod search;
mod store;
mod submit;
mod templates;
mod tokens;
mod unknown;
mod users;
mod watching;
mod writer;

pub use open::{OpenOptions, Opened};
pub use schema::Schema;
pub use store::{SqliteStore, Stored};
