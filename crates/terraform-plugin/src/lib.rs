//! Terraform's plugin protocol, version 6: what a provider in Rust needs, and no business logic.
//!
//! A [`Provider`] names its [`Resource`]s and [`DataSource`]s and their [`Schema`]s; [`serve`] does the rest:
//!
//! - go-plugin's handshake: the magic cookie, the line on standard output, TLS in both directions. The one client that is
//!   let in is the Terraform that started the process, known by its certificate.
//! - values in msgpack and JSON, read by their types: nulls, unknowns, sets, numbers of any size;
//! - planning from the schema alone: defaults, what is known only after the apply, what is kept, what forces another one;
//! - checks of single values with the path of whatever is wrong;
//! - a panic becomes an error with the state kept; `StopProvider` and Ctrl-C reach whoever waits, by [`Stop`].
//!
//! Field numbers of the messages are those of Terraform's published `tfplugin6` protocol; messages have what is used here.

mod diagnostics;
mod dispatch;
mod guard;
mod handshake;
mod path;
mod plan;
mod reconcile;
mod resource;
mod schema;
mod serve;
mod service;
mod stop;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tls;
mod value;
mod wire;

pub use async_trait::async_trait;
pub use diagnostics::{Diagnostic, Diagnostics, Severity};
pub use path::{Path, Step};
pub use reconcile::{reconcile, settle};
pub use resource::{Call, Change, DataSource, Provider, Resource};
pub use schema::{Attribute, Check, Presence, Schema, Type, between};
pub use serve::{ServeError, serve};
pub use stop::Stop;
pub use value::{Malformed, Number, Object, Value};
