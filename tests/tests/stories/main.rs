//! What a running server promises, told by black-box hosts over real HTTP.

mod bad_input;
mod claims;
mod fetching;
mod https;
mod joining;
mod provisioning;
mod rented;
mod restarts;
mod secrecy;
mod strangers;
