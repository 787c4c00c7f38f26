//! Whether a host can join what it is meant for: one that cannot is better not installed, and who arms it hears why.

use thirdboot_api::ProblemType;
use thirdboot_store::HostState;

use super::fitting::{fits, is_addressed};
use crate::App;
use crate::cluster::has_binary;
use crate::problem::Failure;

/// Refuses a server or an agent whose cluster is not described, has no k3s for it, or would have to hand out tokens over
/// plain HTTP; and any host that does not go with a cluster's network.
pub(super) async fn can_join(app: &App, state: &HostState) -> Result<(), Failure> {
    let host = &state.host;
    fits(app, host).await?;
    let Some(name) = host.cluster.as_ref().filter(|_| host.role.joins()) else {
        return Ok(());
    };
    let refuse = |why: String| Err(Failure::new(ProblemType::Refused, why));
    let Some(kept) = app.store.cluster(name).await? else {
        return refuse(format!(
            "there is no cluster {name}: describe it first (`thirdboot cluster add {name}`)"
        ));
    };
    let spec = &kept.cluster.spec;
    is_addressed(spec, state)?;
    if let Err(why) = has_binary(spec, host) {
        return refuse(why);
    }
    if !spec.insecure_join && !app.settings.config_url.is_https() {
        return refuse(format!(
            "{name} hands out no tokens over plain HTTP, and configs go over {}: serve them over HTTPS, or allow it for this cluster (insecure_join)",
            app.settings.config_url
        ));
    }
    Ok(())
}
