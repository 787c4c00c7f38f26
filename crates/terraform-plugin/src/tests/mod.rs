//! The runtime as Terraform meets it.

mod applying;
mod planning;
mod reconciling;
mod serving;
mod values;
