//! The domain, told in stories.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

mod alerts;
mod claims;
mod cluster;
mod deadlines;
mod decisions;
mod diagnosis;
mod diagram;
mod ready;
mod story;
mod transitions;
