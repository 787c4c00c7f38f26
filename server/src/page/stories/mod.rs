//! Stories of people at the pages.

mod clusters;
mod door;
mod fleet;
mod host;
mod reboots;
mod rest;
mod users;
