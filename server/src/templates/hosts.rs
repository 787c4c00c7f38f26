//! A host is described only when its templates can be rendered for it: whoever describes it hears of it, not whoever
//! arms it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use thirdboot_api::ProblemType;
use thirdboot_lifecycle::{Host, Role, Vlan};
use thirdboot_render::{CheckBase, Overlay, Template};

use super::{InForce, in_force, lines};
use crate::App;
use crate::problem::Failure;

/// How long the hosts of one request may take in all.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// A host that its templates cannot be rendered for.
#[derive(Debug)]
pub(crate) struct Unfit {
    /// Its place among those that were given.
    pub(crate) at: usize,
    /// The field that a template missed, as far as its error names one.
    pub(crate) field: String,
    pub(crate) detail: String,
}

/// Refuses a host that its templates cannot be rendered for.
pub(crate) async fn check_host(app: &App, host: &Host) -> Result<(), Failure> {
    match check_hosts(app, vec![host.clone()]).await?.pop() {
        None => Ok(()),
        Some(unfit) => Err(Failure::field(unfit.field, unfit.detail)),
    }
}

/// Those of these hosts that their templates cannot be rendered for. Hosts that the templates cannot tell apart are
/// rendered once.
pub(crate) async fn check_hosts(app: &App, hosts: Vec<Host>) -> Result<Vec<Unfit>, Failure> {
    let templates = in_force(app).await?;
    if templates.is_empty() {
        return Ok(Vec::new());
    }
    let count = hosts.len();
    let checked = tokio::task::spawn_blocking(move || unfit(&templates, &hosts));
    checked.await.map_err(Failure::internal)?.ok_or_else(|| {
        let limit = TIME_LIMIT.as_secs();
        let why = format!("rendering templates for {count} hosts takes more than {limit} s: give fewer at once");
        Failure::new(ProblemType::Refused, why)
    })
}

/// None when the time is over.
fn unfit(templates: &[InForce], hosts: &[Host]) -> Option<Vec<Unfit>> {
    let end = Instant::now() + TIME_LIMIT;
    let mut bases: HashMap<Role, CheckBase> = HashMap::new();
    let mut seen: HashMap<[u8; 32], Option<String>> = HashMap::new();
    let mut found = Vec::new();
    for (at, host) in hosts.iter().enumerate() {
        if Instant::now() >= end {
            return None;
        }
        let selected = templates.iter().filter(|one| one.selection.selects(host));
        let selected: Vec<&Template> = selected.map(|one| &*one.template).collect();
        // What a pool gives is known when the host is saved: arming looks again.
        let of_cluster = host.cluster.is_some() && host.role.joins();
        let is_given = |vlan: &Vlan| vlan.pool.is_some() || (of_cluster && vlan.addresses.is_empty());
        let has_all_addresses = !host.network.vlans.iter().any(is_given);
        if selected.is_empty() || !has_all_addresses {
            continue;
        }
        let overlay = Overlay(&selected);
        let why = seen
            .entry(Sha256::digest(overlay.sight(host)).into())
            .or_insert_with(|| rendered(&mut bases, overlay, host).err());
        if let Some(why) = why {
            found.push(Unfit {
                at,
                field: field_at_fault(why).to_owned(),
                detail: format!("a template that selects this host cannot be rendered for it: {why}"),
            });
        }
    }
    Some(found)
}

fn rendered(bases: &mut HashMap<Role, CheckBase>, overlay: Overlay<'_>, host: &Host) -> Result<(), String> {
    let base = match bases.entry(host.role) {
        std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
        std::collections::hash_map::Entry::Vacant(free) => {
            free.insert(CheckBase::of(host).map_err(|error| error.to_string())?)
        }
    };
    base.check(overlay, host).map_err(|faults| lines(&faults))
}

fn field_at_fault(why: &str) -> &str {
    let named = why
        .split_once("`host.")
        .map_or("", |(_, rest)| rest.split('`').next().unwrap_or_default());
    if named.is_empty() { "labels" } else { named }
}
