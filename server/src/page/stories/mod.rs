//! Stories of people at the pages.

mod door;
mod fleet;
mod host;
mod rest;
