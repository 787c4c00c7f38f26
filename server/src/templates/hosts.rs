//! A host is described only when its templates can be rendered for it: whoever describes it hears of it, not whoever
//! arms it.

use std::collections::HashMap;

use thirdboot_api::ProblemType;
use thirdboot_lifecycle::{Host, Vlan};
use thirdboot_render::{Overlay, Template};

use super::trial::{Sight, TIME_LIMIT, Trial, sight};
use super::{InForce, in_force, lines};
use crate::App;
use crate::problem::Failure;

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
    let mut trial = Trial::begin();
    let mut seen: HashMap<Sight, Option<String>> = HashMap::new();
    let mut found = Vec::new();
    for (at, host) in hosts.iter().enumerate() {
        if trial.is_over() {
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
            .entry(sight(overlay, host))
            .or_insert_with(|| rendered(&mut trial, overlay, host).err());
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

fn rendered(trial: &mut Trial, overlay: Overlay<'_>, host: &Host) -> Result<(), String> {
    let base = trial.base(host).map_err(|error| error.to_string())?;
    base.check(overlay, host).map_err(|faults| lines(&faults))
}

fn field_at_fault(why: &str) -> &str {
    let named = why
        .split_once("`host.")
        .map_or("", |(_, rest)| rest.split('`').next().unwrap_or_default());
    if named.is_empty() { "labels" } else { named }
}
