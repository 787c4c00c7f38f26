//! One look at one machine: what is wanted is asked for, and what came of it is kept.

use thirdboot_lifecycle::{
    AtProvider, Capability, KnownBy, Power, PowerStep, Provider, ProviderLook, RunNumber, TroubleKind, Wanted, wanted,
};
use thirdboot_store::{HostId, HostState, Submission};

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
    let Some((state, wanted)) = wanted_now(app, id).await else {
        return Came::Quiet;
    };
    let host = &state.host;
    let (Some(provider), Some(driver)) = (&host.provider, app.platforms.driver(host.platform)) else {
        return Came::Quiet;
    };
    let owns_url = host.known_by == KnownBy::Key && host.platform.can(Capability::BootUrl);
    let asked = Asked {
        provider,
        boot_url: (owns_url && wanted.netboot == Some(true)).then(|| boot_url_of(app, &state)),
        wanted: &wanted,
        before: before(&state),
    };
    let (look, next) = driver.look(&asked).await;
    let known = keep(app, &state, look).await;
    let Some(mut known) = known else {
        return Came::Open;
    };
    if next == Next::Settled
        && let Some((run, power)) = due(&wanted, &known)
        && let Some(after) = power_on(app, driver, id, provider, (run, power)).await
    {
        known = after;
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

/// The power request that has to be made: none for a run that one went out for, whatever became of it.
fn due(wanted: &Wanted, known: &AtProvider) -> Option<(RunNumber, Power)> {
    let is_made = |run: RunNumber| known.powered == Some(run) || known.asked.is_some_and(|open| open.run == run);
    wanted.power.filter(|(run, _)| !is_made(*run))
}

/// Asks for power: the machine and the host are read once more, that it is being asked is kept, and then it is asked.
/// What is known then; none where nothing was done.
async fn power_on(
    app: &App,
    driver: &Driver,
    id: HostId,
    provider: &Provider,
    (run, power): (RunNumber, Power),
) -> Option<AtProvider> {
    let trouble = |kind: TroubleKind, says: &str| Some((kind, redact(says).into_owned()));
    let action = driver.action(&provider.device, power).await;
    // The look took a while: somebody may have put the machine on hold, or it may have come by itself.
    let (state, wanted) = wanted_now(app, id).await?;
    if state.host.provider.as_ref() != Some(provider) || due(&wanted, before(&state)?) != Some((run, power)) {
        return None;
    }
    let told = told(&state);
    let action = match action {
        Ok(action) => action?,
        Err(fault) => {
            let look = ProviderLook {
                trouble: trouble(fault.kind, &fault.says),
                ..told
            };
            return keep(app, &state, look).await;
        }
    };
    let asks = ProviderLook {
        power: Some(PowerStep::Asks(run)),
        ..told.clone()
    };
    keep(app, &state, asks).await?;
    let (step, trouble) = match driver.act(&provider.device, &action).await {
        Done::Took => (Some(PowerStep::Took(run)), None),
        Done::Declined(fault) => {
            let trouble = fault.and_then(|fault| trouble(fault.kind, &fault.says));
            (Some(PowerStep::Declined(run)), trouble)
        }
        Done::Uncertain(fault) => (None, trouble(TroubleKind::PowerUncertain, &fault.says)),
    };
    let (state, _) = wanted_now(app, id).await?;
    let look = ProviderLook {
        power: step,
        trouble,
        ..told
    };
    keep(app, &state, look).await
}

/// What is known of the machine, as a look that adds nothing.
fn told(state: &HostState) -> ProviderLook {
    ProviderLook {
        machine: before(state).and_then(|before| before.machine.clone()),
        ..ProviderLook::default()
    }
}

/// The host in service, and what is wanted of its provider; none where there is nothing to ask for.
async fn wanted_now(app: &App, id: HostId) -> Option<(HostState, Wanted)> {
    let state = match app.store.host_by_id(id).await {
        Ok(state) => state.filter(|state| !state.host.retired)?,
        Err(error) => {
            tracing::warn!(host = id.0, %error, "cannot read a host; trying again later");
            return None;
        }
    };
    let wanted = wanted(&state.host, state.run.as_ref(), app.store.now());
    Some((state, wanted))
}

/// Keeps what came of a look, and gives what is known then; none where it cannot be kept.
async fn keep(app: &App, state: &HostState, look: ProviderLook) -> Option<AtProvider> {
    let (next, fresh) = AtProvider::after(before(state), &look, app.store.now());
    if before(state) != Some(&next) || !fresh.is_empty() {
        let submission = Submission::AtProvider(Box::new(look));
        if let Err(error) = app.store.submit(state.id, submission).await {
            tracing::warn!(host = %state.host.name, %error, "what the provider said cannot be kept; asking again later");
            return None;
        }
    }
    Some(next)
}

fn before(state: &HostState) -> Option<&AtProvider> {
    state.observed.as_ref().and_then(|observed| observed.provider.as_ref())
}
