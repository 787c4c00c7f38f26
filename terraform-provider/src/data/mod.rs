//! What is only looked at.

mod host;
mod hosts;
mod shown;

pub(crate) use host::HostSource;
pub(crate) use hosts::HostsSource;
