//! Users' templates: which of them a host gets, and whether they may be saved.

mod checking;
mod hosts;
mod sample;
mod trial;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use thirdboot_lifecycle::Host;
use thirdboot_render::{Fault, Template};
use thirdboot_store::{Selection, StoredTemplate};
use tokio::sync::Semaphore;

pub(crate) use checking::{Checked, check, with_draft};
pub(crate) use hosts::{check_host, check_hosts};

use crate::App;
use crate::problem::Failure;

/// Read templates that are kept in memory; beyond that they are read again.
const MAX_REMEMBERED: usize = 256;

/// What handlers share about templates.
pub struct Workshop {
    /// One check at a time: it may take every processor it gets, and what it found holds until it is saved.
    pub(crate) gate: Semaphore,
    read: Mutex<HashMap<(String, u64), Arc<Template>>>,
}

impl Default for Workshop {
    fn default() -> Self {
        Self {
            gate: Semaphore::new(1),
            read: Mutex::default(),
        }
    }
}

/// A template that is in force.
#[derive(Debug, Clone)]
pub(crate) struct InForce {
    pub(crate) template: Arc<Template>,
    pub(crate) selection: Selection,
    pub(crate) order: i32,
    /// None for one that is not saved yet.
    pub(crate) version: Option<u64>,
}

impl InForce {
    pub(crate) fn name(&self) -> &str {
        self.template.name()
    }
}

/// Every template that is in force, in the order in which they are merged.
pub(crate) async fn in_force(app: &App) -> Result<Vec<InForce>, Failure> {
    let stored = app.store.templates().await?;
    stored.into_iter().map(|stored| read(app, stored)).collect()
}

fn read(app: &App, stored: StoredTemplate) -> Result<InForce, Failure> {
    let key = (stored.draft.name, stored.version);
    let mut known = app.workshop.read.lock().unwrap_or_else(PoisonError::into_inner);
    let template = if let Some(template) = known.get(&key) {
        Arc::clone(template)
    } else {
        // It was read when it was saved.
        let read = Template::parse(&key.0, &stored.draft.text);
        let template = Arc::new(read.map_err(|faults| Failure::internal(lines(&faults)))?);
        if known.len() >= MAX_REMEMBERED {
            known.clear();
        }
        known.insert(key.clone(), Arc::clone(&template));
        template
    };
    Ok(InForce {
        template,
        selection: stored.draft.selection,
        order: stored.draft.order,
        version: Some(key.1),
    })
}

/// The templates that a host gets, in their order.
pub(crate) async fn of_host(app: &App, host: &Host) -> Result<Vec<InForce>, Failure> {
    let mut all = in_force(app).await?;
    all.retain(|one| one.selection.selects(host));
    Ok(all)
}

/// Faults, one a line.
pub(crate) fn lines(faults: &[Fault]) -> String {
    let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
