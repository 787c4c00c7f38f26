//! A template is saved only when it renders for every host that it is for, together with the others that the host gets.
//!
//! Hosts that the templates cannot tell apart are rendered once, so that ten thousand of them cost little more than the
//! reading of their rows; where every host is told apart, a time limit ends the check with an answer that says so.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use thirdboot_api::ProblemType;
use thirdboot_lifecycle::{Host, HostName};
use thirdboot_render::{Fault, Overlay, Template};
use thirdboot_store::{HostFilter, Selection, TemplateDraft};

use super::trial::{Sight, TIME_LIMIT, Trial, sight};
use super::{InForce, in_force, sample};
use crate::App;
use crate::problem::Failure;

/// Hosts that are read and checked at once.
const PAGE_ROWS: u32 = 500;
/// Faults that are collected at most; what breaks one host mostly breaks many.
const MAX_FAULTS: usize = 20;

/// What a template was held against, and what was found.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// Hosts that it is for.
    pub(crate) hosts: u64,
    /// Hosts that it was rendered for.
    pub(crate) rendered: u64,
    /// None is selected: it was rendered for made-up hosts.
    pub(crate) is_sample: bool,
    /// What is wrong, and for which host.
    pub(crate) faults: Vec<(Option<HostName>, Fault)>,
}

impl Checked {
    pub(crate) fn is_valid(&self) -> bool {
        self.faults.is_empty()
    }
}

/// The templates that will be in force, and what was seen so far.
struct Bench {
    templates: Vec<InForce>,
    selection: Selection,
    trial: Trial,
    seen: HashSet<Sight>,
    checked: Checked,
}

/// Holds a draft against the fleet. Whoever saves afterwards keeps the workshop's gate until that is done.
pub(crate) async fn check(app: &App, draft: &TemplateDraft) -> Result<Checked, Failure> {
    let template = match Template::parse(&draft.name, &draft.text) {
        Ok(template) => Arc::new(template),
        Err(faults) => {
            return Ok(Checked {
                faults: faults.into_iter().map(|fault| (None, fault)).collect(),
                ..Checked::default()
            });
        }
    };
    let mut bench = Bench {
        templates: with_draft(in_force(app).await?, draft, Arc::clone(&template)),
        selection: draft.selection.clone(),
        trial: Trial::begin(),
        seen: HashSet::new(),
        checked: Checked::default(),
    };
    if draft.selection.hosts.is_empty() {
        let mut after = None;
        loop {
            let filter = HostFilter {
                after,
                limit: PAGE_ROWS,
                ..HostFilter::default()
            };
            let page = app.store.hosts(&filter).await?;
            after = page.items.last().map(|state| state.host.name.clone());
            bench = bench
                .take(page.items.into_iter().map(|state| state.host).collect())
                .await?;
            if !page.more || !bench.checked.is_valid() {
                break;
            }
        }
    } else {
        bench = bench.take(named(app, &draft.selection.hosts).await?).await?;
    }
    if bench.checked.hosts == 0 {
        bench.checked.is_sample = true;
        let selection = std::mem::take(&mut bench.selection);
        bench = bench.take(sample::hosts(&selection, &template)).await?;
        bench.checked.hosts = 0;
    }
    Ok(bench.checked)
}

/// What will be in force once the draft is saved, in its order.
pub(crate) fn with_draft(mut templates: Vec<InForce>, draft: &TemplateDraft, template: Arc<Template>) -> Vec<InForce> {
    templates.retain(|one| one.name() != draft.name);
    let at = templates.partition_point(|one| (one.order, one.name()) < (draft.order, draft.name.as_str()));
    templates.insert(
        at,
        InForce {
            template,
            selection: draft.selection.clone(),
            order: draft.order,
            version: None,
        },
    );
    templates
}

async fn named(app: &App, names: &BTreeSet<HostName>) -> Result<Vec<Host>, Failure> {
    let mut hosts = Vec::with_capacity(names.len());
    for name in names {
        let none = || Failure::field("select.hosts", format!("there is no host {name}"));
        hosts.push(app.store.host(name).await?.ok_or_else(none)?.host);
    }
    Ok(hosts)
}

impl Bench {
    /// Checks these hosts, off the threads that answer others.
    async fn take(mut self, hosts: Vec<Host>) -> Result<Self, Failure> {
        let task = tokio::task::spawn_blocking(move || {
            let is_in_time = self.check_all(&hosts);
            (self, is_in_time)
        });
        let (bench, is_in_time) = task.await.map_err(Failure::internal)?;
        if is_in_time {
            return Ok(bench);
        }
        let why = format!(
            "the check took more than {} s: {} hosts were looked at, {} of them rendered. Select fewer hosts, or use \
             fewer facts: hosts that a template cannot tell apart are rendered once",
            TIME_LIMIT.as_secs(),
            bench.checked.hosts,
            bench.checked.rendered
        );
        Err(Failure::new(ProblemType::Refused, why))
    }

    /// False when the time is over.
    fn check_all(&mut self, hosts: &[Host]) -> bool {
        for host in hosts {
            if host.retired || !self.selection.selects(host) {
                continue;
            }
            if self.trial.is_over() {
                return false;
            }
            self.checked.hosts += 1;
            self.check_one(host);
            if self.checked.faults.len() >= MAX_FAULTS {
                self.checked.faults.truncate(MAX_FAULTS);
                break;
            }
        }
        true
    }

    fn check_one(&mut self, host: &Host) {
        let is_draft = |one: &InForce| one.version.is_none();
        let templates: Vec<&Template> = self
            .templates
            .iter()
            .filter(|one| is_draft(one) || one.selection.selects(host))
            .map(|one| &*one.template)
            .collect();
        let overlay = Overlay(&templates);
        if !self.seen.insert(sight(overlay, host)) {
            return;
        }
        self.checked.rendered += 1;
        let Ok(base) = self.trial.base(host) else {
            // Not the template's fault: arming says what is wrong with that host.
            return;
        };
        if let Err(faults) = base.check(overlay, host) {
            // Made-up hosts of several roles have one name.
            for fault in faults.into_iter().map(|fault| (Some(host.name.clone()), fault)) {
                if !self.checked.faults.contains(&fault) {
                    self.checked.faults.push(fault);
                }
            }
        }
    }
}
