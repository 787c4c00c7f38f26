//! Hosts ask for their turn, over HTTP as Zincati does.

mod asking;
mod draining;
mod fake;
mod fleet;
mod installs;
mod policies;
mod site;
mod slow;
