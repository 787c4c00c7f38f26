//! What is only looked at.

mod cluster;
mod host;
mod hosts;
mod kubeconfig;
mod shown;

pub(crate) use cluster::ClusterSource;
pub(crate) use host::HostSource;
pub(crate) use hosts::HostsSource;
