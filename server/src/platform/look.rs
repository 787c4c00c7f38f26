//! One look at one machine: what is wanted is asked for, and what came of it is kept.

use thirdboot_lifecycle::{
    AtProvider, Capability, DeviceId, KnownBy, Power, PowerStep, Provider, ProviderLook, RunNumber, Stage, TroubleKind,
    Wanted, wanted,
};
use thirdboot_store::{HostId, HostState, Submission, SubmitError};

use super::equinix::{Asked, Done, Driver, Next};
use crate::App;
use crate::api::boot_url_of;
use crate::secrets::redact;

/// How a look went: says when to look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    /// Something was done, and the next thing follows at once.
    Step,
    /// Something is wrong at the provider.
    Trouble,
    /// A run is under way, or something is still wanted.
    Open,
    /// Nothing is to be done.
    Quiet,
}

/// Looks at this host's machine. The host is read now: what was wanted a moment ago may be wanted no more.
pub(crate) async fn look_at(app: &App, id: HostId) -> Came {
    let (state, wanted) = match wanted_now(app, id).await {
        Ok(Some(found)) => found,
        Ok(None) => return Came::Quiet,
        Err(Unread) => return Came::Open,
    };
    let host = &state.host;
    let (Some(provider), Some(driver)) = (&host.provider, app.platforms.driver(host.platform)) else {
        return Came::Quiet;
    };
    let (mut look, next) = driver.look(&asked(app, &state, provider, &wanted)).await;
    let (after, _) = AtProvider::after(before(&state), &look, app.store.now());
    let due = wanted.power_due(Some(&after)).filter(|_| next == Next::Settled);
    // Something else is asked for first: what was wrong with that the last time is not over yet.
    let keeps_trouble = look.trouble.is_none() && (due.is_some() || next == Next::Begins);
    if keeps_trouble {
        look.trouble = trouble_of(&state);
    }
    let Some(mut known) = keep(app, &state, &provider.device, look).await else {
        return Came::Open;
    };
    if next == Next::Begins {
        return Came::Step;
    }
    if let Some(due) = due {
        if let Some(after) = power_on(app, driver, id, provider, !wanted.vlans.is_empty(), due).await {
            known = after;
        } else if keeps_trouble && known.trouble.is_some() {
            // Nothing was asked for after all.
            keep(app, &state, &provider.device, ProviderLook::default()).await;
            known.trouble = None;
        }
    }
    let is_open = state.run.as_ref().is_some_and(|run| !run.stage.is_end()) || !known.has(&wanted);
    match &known.trouble {
        Some(trouble) => {
            let kind = trouble.kind.as_str();
            tracing::warn!(host = %host.name, kind, says = %trouble.says, "trouble at the provider");
            Came::Trouble
        }
        None if next == Next::Step => Came::Step,
        None if is_open => Came::Open,
        None => Came::Quiet,
    }
}

fn asked<'a>(app: &App, state: &'a HostState, provider: &'a Provider, wanted: &'a Wanted) -> Asked<'a> {
    let host = &state.host;
    let owns_url = host.known_by == KnownBy::Key && host.platform.can(Capability::BootUrl);
    Asked {
        provider,
        macs: &host.macs,
        boot_url: (owns_url && wanted.netboot == Some(true)).then(|| boot_url_of(app, state)),
        wanted,
        armed: state.run.as_ref().filter(|run| run.stage == Stage::Armed),
        before: before(state),
    }
}

/// Asks for power: the machine and the host are read once more, that it is being asked is kept, and then it is asked.
/// What is known then; none where nothing was done.
async fn power_on(
    app: &App,
    driver: &Driver,
    id: HostId,
    provider: &Provider,
    wants_vlans: bool,
    (run, power): (RunNumber, Power),
) -> Option<AtProvider> {
    let trouble = |kind: TroubleKind, says: &str| Some((kind, redact(says).into_owned()));
    let device = &provider.device;
    let fresh = driver.fresh(device, wants_vlans).await;
    // The look took a while: somebody may have put the machine on hold, or it may have come by itself.
    let (state, wanted) = wanted_now(app, id).await.ok()??;
    let is_due = wanted.power_due(before(&state)) == Some((run, power));
    if state.host.provider.as_ref() != Some(provider) || !is_due {
        return None;
    }
    let told = told(&state);
    let action = match fresh.map(|fresh| fresh.action(&asked(app, &state, provider, &wanted), power)) {
        Ok(Ok(action)) => action,
        Ok(Err(why)) => {
            tracing::info!(host = %state.host.name, why, "power is not asked for now");
            return None;
        }
        Err(fault) => {
            let look = ProviderLook {
                trouble: trouble(fault.kind, &fault.says),
                ..told
            };
            return keep(app, &state, device, look).await;
        }
    };
    let asks = ProviderLook {
        power: Some(PowerStep::Asks(run)),
        ..told.clone()
    };
    let asking = keep(app, &state, device, asks).await?;
    let (step, trouble) = match driver.act(device, &action).await {
        Done::Took => (Some(PowerStep::Took(run)), None),
        Done::Declined(fault) => (Some(PowerStep::Declined(run)), trouble(fault.kind, &fault.says)),
        Done::Uncertain(fault) => (None, trouble(TroubleKind::PowerUncertain, &fault.says)),
    };
    // What came of it may not be kept: then it is being asked for still, and is looked for at the next look.
    let Ok(Some((state, _))) = wanted_now(app, id).await else {
        return Some(asking);
    };
    let look = ProviderLook {
        power: step,
        trouble,
        ..told
    };
    Some(keep(app, &state, device, look).await.unwrap_or(asking))
}

/// What is known of the machine, and what is wrong, as a look that adds nothing.
fn told(state: &HostState) -> ProviderLook {
    ProviderLook {
        machine: before(state).and_then(|before| before.machine.clone()),
        trouble: trouble_of(state),
        ..ProviderLook::default()
    }
}

/// What is wrong, as it is known.
fn trouble_of(state: &HostState) -> Option<(TroubleKind, String)> {
    let trouble = before(state)?.trouble.as_ref()?;
    Some((trouble.kind, trouble.says.clone()))
}

/// The store did not answer.
struct Unread;

/// The host in service, and what is wanted of its provider; none where there is nothing to ask for.
async fn wanted_now(app: &App, id: HostId) -> Result<Option<(HostState, Wanted)>, Unread> {
    let state = app.store.host_by_id(id).await.map_err(|error| {
        tracing::warn!(host = id.0, %error, "cannot read a host; trying again later");
        Unread
    })?;
    Ok(state.filter(|state| !state.host.retired).map(|state| {
        let wanted = wanted(&state.host, state.run.as_ref(), app.store.now());
        (state, wanted)
    }))
}

/// Keeps what came of a look at this machine, and gives what is known then; none where it cannot be kept.
async fn keep(app: &App, state: &HostState, device: &DeviceId, look: ProviderLook) -> Option<AtProvider> {
    let (next, fresh) = AtProvider::after(before(state), &look, app.store.now());
    if before(state) != Some(&next) || !fresh.is_empty() {
        let submission = Submission::AtProvider {
            device: device.clone(),
            look: Box::new(look),
        };
        match app.store.submit(state.id, submission).await {
            Ok(_) => {}
            Err(SubmitError::NotNow(why)) => {
                tracing::info!(host = %state.host.name, why, "what the provider was asked for counts no more");
                return None;
            }
            Err(error) => {
                tracing::warn!(host = %state.host.name, %error, "what the provider said cannot be kept; asking again later");
                return None;
            }
        }
    }
    Some(next)
}

fn before(state: &HostState) -> Option<&AtProvider> {
    state.observed.as_ref().and_then(|observed| observed.provider.as_ref())
}
