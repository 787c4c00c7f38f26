//! What Terraform's users meet, told with the real `terraform`, the real server and simulated machines.
//!
//! `tests/run terraform` builds what is needed and runs it. Nothing here uses a network but loopback.

mod clusters;
mod equinix;
mod examples;
mod hosts;
mod many;
mod mistakes;
mod outages;
mod provider;
mod provisioning;
mod secrets;
mod templates;

/// Fails when a text does not say something. Terraform breaks lines: white space counts as one space.
macro_rules! says {
    ($text:expr, $($phrase:expr),+ $(,)?) => {
        let text = $text.split_whitespace().collect::<Vec<_>>().join(" ");
        $( anyhow::ensure!(text.contains($phrase), "no {:?} in: {}", $phrase, text); )+
    };
}

/// Fails when a text says something.
macro_rules! says_not {
    ($text:expr, $($phrase:expr),+ $(,)?) => {
        $( anyhow::ensure!(!$text.contains($phrase), "{:?} in: {}", $phrase, $text); )+
    };
}

use {says, says_not};
