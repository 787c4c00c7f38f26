//! One look at one machine: what is wanted is asked for, and what came of it is kept.

use thirdboot_lifecycle::{AtProvider, Capability, KnownBy, wanted};
use thirdboot_store::{HostId, HostState, Submission};

use super::equinix::Asked;
use crate::App;
use crate::api::boot_url_of;

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
    let state = match app.store.host_by_id(id).await {
        Ok(Some(state)) => state,
        Ok(None) => return Came::Quiet,
        Err(error) => {
            tracing::warn!(host = id.0, %error, "cannot read a host; trying again later");
            return Came::Open;
        }
    };
    let host = &state.host;
    let (Some(provider), Some(driver)) = (&host.provider, app.platforms.driver(host.platform)) else {
        return Came::Quiet;
    };
    if host.retired {
        return Came::Quiet;
    }
    let wanted = wanted(host, state.run.as_ref(), app.store.now());
    let owns_url = host.known_by == KnownBy::Key && host.platform.can(Capability::BootUrl);
    let asked = Asked {
        device: &provider.device,
        boot_url: (owns_url && wanted.netboot == Some(true)).then(|| boot_url_of(app, &state)),
        wanted: &wanted,
        before: before(&state),
    };
    let (look, is_step) = driver.look(&asked).await;
    let (next, fresh) = AtProvider::after(before(&state), &look, app.store.now());
    let is_open = state.run.as_ref().is_some_and(|run| !run.stage.is_end()) || !next.has(&wanted);
    let came = match &next.trouble {
        Some(trouble) => {
            let kind = trouble.kind.as_str();
            tracing::warn!(host = %host.name, kind, says = %trouble.says, "trouble at the provider");
            Came::Trouble
        }
        None if is_step => Came::Step,
        None if is_open => Came::Open,
        None => Came::Quiet,
    };
    if before(&state) != Some(&next) || !fresh.is_empty() {
        let submission = Submission::AtProvider(Box::new(look));
        if let Err(error) = app.store.submit(id, submission).await {
            tracing::warn!(host = %host.name, %error, "what the provider said cannot be kept; asking again later");
        }
    }
    came
}

fn before(state: &HostState) -> Option<&AtProvider> {
    state.observed.as_ref().and_then(|observed| observed.provider.as_ref())
}
