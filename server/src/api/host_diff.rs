//! What a machine was installed with, and what it would get today: both with the secrets of the run that installed it, so
//! that nothing differs but what was changed.

use std::sync::Arc;

use axum::Json as Answered;
use axum::extract::State;
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use thirdboot_api::ProblemType;
use thirdboot_api::control::HostDiffView;
use thirdboot_lifecycle::Run;
use thirdboot_render::opened;
use thirdboot_store::{DocumentKind, HostState};

use super::auth::Caller;
use super::beside::Beside;
use super::comparing::changes;
use super::hosts::named;
use super::preview::asked_for_secrets;
use super::query::Query;
use super::rendering::{self, Rendering};
use super::trail::Audit;
use crate::App;
use crate::path::Path;
use crate::problem::{Answer, Failure};
use crate::templates;

/// The addresses that a host pings to prove its VLAN.
const NEIGHBOURS: &str = "/etc/thirdboot/peers";

/// Compares what a machine was installed with to what it would get today, part by part.
#[utoipa::path(
    get, path = "/api/v1/hosts/{name}/diff", tag = "previews", operation_id = "diff_host", security(("token" = ["viewer"])),
    params(
        ("name" = String, Path, description = "The host's name", example = "node-1"),
        ("secrets" = Option<bool>, Query, description = "With the real secrets: for admins only, and noted in the audit"),
    ),
    responses((status = 200, description = "What differs", body = HostDiffView)),
    extensions(("x-problems" = json!(["refused", "forbidden"]))),
)]
pub(super) async fn show(
    State(app): State<App>,
    caller: Caller,
    audit: Audit,
    Path(name): Path<String>,
    query: Query,
) -> Answer<Answered<HostDiffView>> {
    let query = query.only(&["secrets"])?;
    let with_secrets = asked_for_secrets(&query, &caller)?;
    let state = named(&app, &name).await?;
    let (run, installed) = installed(&app, &state).await?;
    let manifest = rendering::manifest(&app, &state.host).await?;
    let templates = templates::of_host(&app, &state.host).await?;
    let rendering = Arc::new(Rendering::of(
        &app,
        &state,
        (run.number, run.permit),
        &manifest,
        &templates,
        Beside::of(&app, &state).await?,
    )?);
    let today = rendering.render(&app, &state.host).await?;
    if with_secrets {
        audit.secret_read(&app).await?;
        tracing::info!(host = %name, by = %caller.by, "difference read with its secrets");
    }
    let parts = |bytes: &[u8]| {
        let mut parts = opened(bytes).map_err(Failure::internal)?;
        // Which neighbours were ready changes with every host that is: that is no news of this one.
        parts.retain(|part| part.name != NEIGHBOURS);
        Ok::<_, Failure>(parts)
    };
    let (before, after) = (parts(&installed)?, parts(&today.installed)?);
    Ok(Answered(HostDiffView {
        host: name,
        run: run.number.0,
        same: before == after,
        installed_sha256: HEXLOWER.encode(&Sha256::digest(&installed)),
        today_sha256: today.installed_sha256,
        redacted: !with_secrets,
        changes: changes(&before, &after, with_secrets),
    }))
}

/// The last run that was installed, and its config.
async fn installed(app: &App, state: &HostState) -> Result<(Run, Vec<u8>), Failure> {
    for run in app.store.runs(state.id).await? {
        if !run.was_installed() {
            continue;
        }
        let Some(document) = app.store.installed_document(state.id, run.number).await? else {
            break;
        };
        let plain = app
            .secrets
            .unseal(state.id, run.number, DocumentKind::Installed, &document.sealed);
        return Ok((run, plain.map_err(Failure::internal)?));
    }
    let why = "there is nothing to compare with: no run of this host was installed whose config was kept";
    Err(Failure::new(ProblemType::Refused, why))
}
