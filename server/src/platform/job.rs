//! Which machines are looked at, and when. Reconciling at its own pace: a provider takes seconds where the store takes
//! none, so that this runs beside what carries out deadlines, and not in it.
//!
//! What is kept here is only when to look again: a restart looks at everything at once, and finds what it left.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};
use thirdboot_lifecycle::{Platform, wanted};
use thirdboot_store::{HostFilter, HostId, HostState, StoreError};
use tokio::time::MissedTickBehavior;

use super::look::{Came, look_at};
use crate::App;

/// Time between two glances at which machines are due.
const PERIOD: Duration = Duration::from_secs(5);
/// Time between two looks at a machine that something is wanted of, or that a run is under way on.
const OPEN_PAUSE: Duration = Duration::from_secs(15);
/// After trouble: a provider that refuses is not asked all the time.
const TROUBLE_PAUSE: Duration = Duration::from_secs(60);
/// Of any other machine: for its events.
const QUIET_PAUSE: Duration = Duration::from_secs(300);
/// After a step that the next one waits for.
const STEP_PAUSE: Duration = Duration::from_secs(1);
/// Machines that are looked at at the same time.
const AT_ONCE: usize = 4;
/// Hosts that are listed at a time.
const BATCH: u32 = 256;

/// Runs until it is dropped.
pub(crate) async fn run(app: App) {
    let mut ticks = tokio::time::interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut due = HashMap::new();
    let mut soonest = None;
    loop {
        let is_nudged = tokio::select! {
            _ = ticks.tick() => false,
            () = sleep_until(soonest) => false,
            () = app.platforms.nudge.wait() => true,
        };
        soonest = pass(&app, &mut due, is_nudged).await;
    }
}

async fn sleep_until(then: Option<Instant>) {
    match then {
        Some(then) => tokio::time::sleep_until(then.into()).await,
        None => std::future::pending().await,
    }
}

/// Looks at every machine that is due, or that something is wanted of once somebody nudged. Gives when a machine is due
/// that is not left to the next glance.
pub(super) async fn pass(app: &App, due: &mut HashMap<HostId, Instant>, is_nudged: bool) -> Option<Instant> {
    let hosts = match at_providers(app).await {
        Ok(hosts) => hosts,
        Err(error) => {
            tracing::warn!(%error, "cannot list the machines at providers; trying again later");
            return None;
        }
    };
    due.retain(|id, _| hosts.iter().any(|state| state.id == *id));
    let now = Instant::now();
    if is_nudged {
        // All of them are due, though one pass looks at a few.
        for state in hosts.iter().filter(|state| is_waiting(app, state)) {
            due.entry(state.id).and_modify(|then| *then = now.min(*then));
        }
    }
    let is_due = |state: &&HostState| due.get(&state.id).is_none_or(|then| *then <= now);
    let mut chosen: Vec<&HostState> = hosts.iter().filter(is_due).collect();
    // What is wanted goes first, and of that what was not looked at for longest: trouble that lasts starves nobody.
    chosen.sort_by_key(|state| (!is_waiting(app, state), due.get(&state.id).copied()));
    let are_more = chosen.len() > AT_ONCE;
    let chosen: Vec<HostId> = chosen.iter().take(AT_ONCE).map(|state| state.id).collect();
    let looks = stream::iter(chosen).map(|id| async move { (id, look_at(app, id).await) });
    let came: Vec<(HostId, Came)> = looks.buffer_unordered(AT_ONCE).collect().await;
    let now = Instant::now();
    let mut soonest = None;
    for (id, came) in came {
        let pause = match came {
            Came::Step => STEP_PAUSE,
            Came::Trouble => TROUBLE_PAUSE,
            Came::Open => OPEN_PAUSE,
            Came::Quiet => QUIET_PAUSE,
        };
        due.insert(id, now + pause);
        if came == Came::Step {
            soonest = Some(now + STEP_PAUSE);
        }
    }
    if are_more { Some(now) } else { soonest }
}

/// Whether the provider has not yet what is wanted of it.
fn is_waiting(app: &App, state: &HostState) -> bool {
    let wanted = wanted(&state.host, state.run.as_ref(), app.store.now());
    let known = state.observed.as_ref().and_then(|observed| observed.provider.as_ref());
    known.is_none_or(|known| !known.has(&wanted))
}

/// Every host in service that names a machine at a provider.
async fn at_providers(app: &App) -> Result<Vec<HostState>, StoreError> {
    let mut found = Vec::new();
    for platform in Platform::ALL.into_iter().filter(|platform| platform.has_provider()) {
        let mut filter = HostFilter {
            platform: Some(platform),
            retired: Some(false),
            limit: BATCH,
            ..HostFilter::default()
        };
        loop {
            let page = app.store.hosts(&filter).await?;
            filter.after = page.items.last().map(|state| state.host.name.clone());
            found.extend(page.items.into_iter().filter(|state| state.host.provider.is_some()));
            if !page.more {
                break;
            }
        }
    }
    Ok(found)
}
