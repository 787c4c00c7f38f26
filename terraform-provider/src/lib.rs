//! Thirdboot for Terraform: hosts, clusters, templates and tokens as resources, and a wait until a machine is really ready.
//!
//! Each resource is a room: its schema, what the API calls it, and what is done. What all of them share: [`site`] has the
//! client, [`told`] makes diagnostics of the API's errors, [`checks`] looks at values while Terraform plans.

mod checks;
mod cluster;
mod data;
mod host;
mod provider;
mod provision;
#[cfg(test)]
mod reference;
mod site;
mod template;
mod token;
mod told;

pub use provider::Thirdboot;
