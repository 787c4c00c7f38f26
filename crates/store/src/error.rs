//! What can go wrong at a store.

use thirdboot_lifecycle::{ClaimRefused, Refused};

/// A store could not answer, or was asked for something impossible.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Locked, full, lost: ask again. Hosts get 503.
    #[error("the store cannot answer: {0}")]
    Unavailable(String),
    /// A row that cannot be: names table and row.
    #[error("{table} row {row} is not what this version writes: {why}")]
    Corrupt {
        /// Table.
        table: &'static str,
        /// Row.
        row: String,
        /// Why.
        why: String,
    },
    /// Another host has this name, MAC, serial or UUID already.
    #[error("{field} {value} belongs to {owner} already")]
    Taken {
        /// The field, as on the wire.
        field: &'static str,
        /// The value.
        value: String,
        /// Whose it is.
        owner: String,
    },
    /// Whoever is to lose the right is the last admin who can sign in.
    #[error("{name} is the last admin: somebody else must be one first")]
    LastAdmin {
        /// Who.
        name: String,
    },
    /// A VLAN's pool has no address left.
    #[error("{range} has no free address left")]
    Exhausted {
        /// The host's field.
        field: String,
        /// The pool's prefix.
        range: String,
    },
}

/// Why a submission was not carried out. Nothing was changed but the log.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The store itself.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No host of that number.
    #[error("no such host")]
    NoSuchHost,
    /// The host changed since the version that the caller saw.
    #[error("the host changed meanwhile: its version is {current}, the request was made for {expected}")]
    Outdated {
        /// The row's version.
        current: u64,
        /// What the caller saw.
        expected: u64,
    },
    /// Not legal in the run's stage.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The claim was refused: do not write.
    #[error(transparent)]
    ClaimRefused(#[from] ClaimRefused),
    /// Not legal for this host now.
    #[error("{0}")]
    NotNow(String),
}
