//! What goes over the wire, and a client that speaks it.
//!
//! - [`boot`]: what hosts say and hear on the boot plane (docs/boot-protocol.md binds).
//! - [`control`]: what people and programs say and hear on the control plane, under `/api/v1`.
//! - [`Problem`]: every error answer of both planes but those of scripts (RFC 9457).
//! - [`Client`] and [`BootClient`]: both planes over HTTP, with deadlines and typed errors.
//!
//! This crate knows no rules: a name that is well-formed JSON may still be refused by the server.

pub mod boot;
mod client;
pub mod control;
mod names;
mod problem;
mod stage;

pub use client::{AuditQuery, BootClient, Client, ClientError, EventQuery, Fetched, HostQuery, Token, innermost};
pub use names::UnknownName;
pub use problem::{Expected, FieldError, PROBLEM_MEDIA_TYPE, Problem, ProblemType};
pub use stage::StageName;
