//! Which fragments make up which config, and the facts they are rendered with.

use minijinja::{Value, context, value::Serde};
use thirdboot_butane::ignition::{Config, merge};
use thirdboot_lifecycle::{Method, Purpose, Role};

use crate::{
    RenderError, RunFacts,
    template::{self, Fragment},
};

macro_rules! fragment {
    ($file:literal) => {
        Fragment {
            name: concat!("ignition-templates/", $file),
            text: include_str!(concat!("../../../ignition-templates/", $file)),
        }
    };
}

const REPORT: Fragment = fragment!("report.bu");
const LIVE: Fragment = fragment!("live.bu");
const INSTALL: Fragment = fragment!("install.bu");
const INSPECT: Fragment = fragment!("inspect.bu");
const BASE: Fragment = fragment!("base.bu");
const LAYERING: Fragment = fragment!("layering.bu");
const NETWORK: Fragment = fragment!("network.bu");
const UPDATES: Fragment = fragment!("updates.bu");
const FIREWALL: Fragment = fragment!("firewall.bu");
const K3S_SERVER: Fragment = fragment!("k3s-server.bu");
const K3S_AGENT: Fragment = fragment!("k3s-agent.bu");
const RUNNER: Fragment = fragment!("runner.bu");
const METADATA: Fragment = fragment!("metadata.bu");
const PROVIDER: Fragment = fragment!("provider.bu");

/// The live config's fragments: what installs, or what only looks.
pub(crate) fn live(facts: &RunFacts<'_>) -> Result<Config, RenderError> {
    let purpose = match facts.permit.purpose {
        Purpose::Install { .. } => INSTALL,
        Purpose::Inspect => INSPECT,
    };
    compose(&[&[REPORT, LIVE, purpose], provider(facts)].concat(), facts)
}

/// The installed config's fragments: what all have, and what the role adds.
pub(crate) fn installed(facts: &RunFacts<'_>) -> Result<Config, RenderError> {
    let role: &[Fragment] = match facts.host.role {
        Role::Server => &[FIREWALL, K3S_SERVER],
        Role::Agent => &[FIREWALL, K3S_AGENT],
        Role::Runner => &[RUNNER],
    };
    compose(
        &[
            &[REPORT, BASE, LAYERING, NETWORK, UPDATES],
            role,
            provider(facts),
            metadata(facts),
        ]
        .concat(),
        facts,
    )
}

/// What takes addresses from the provider's metadata, where the network section says so.
fn metadata(facts: &RunFacts<'_>) -> &'static [Fragment] {
    match facts.host.network.uplink.method {
        Method::Metadata => &[METADATA],
        Method::Dhcp | Method::Static => &[],
    }
}

/// What tells the provider, where it can be told.
fn provider(facts: &RunFacts<'_>) -> &'static [Fragment] {
    if facts.host.has_metadata() { &[PROVIDER] } else { &[] }
}

fn compose(fragments: &[Fragment], facts: &RunFacts<'_>) -> Result<Config, RenderError> {
    let context = context_for(facts);
    let mut whole = Config::default();
    for fragment in fragments {
        whole = merge(&whole, &template::render(*fragment, &context)?);
    }
    Ok(whole)
}

/// What a fragment's strings may say:
///
/// - `host`: the host's record (`name`, `role`, `arch`, `platform`, `cluster`, `labels`, `network`, `packages` …),
///   without its password hash
/// - `run`: the run's number
/// - `url`: the base of configs and reports
///
/// No secret is among them: files that hold one are written by typed code.
fn context_for(facts: &RunFacts<'_>) -> Value {
    let mut host = facts.host.clone();
    host.console_password_hash = None;
    context! {
        host => Serde(host),
        run => facts.run.0,
        url => facts.config_base.as_str(),
    }
}
