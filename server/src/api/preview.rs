//! What arming a host now would have it served: rendered as for arming, used for nothing. Secrets are taken out, but for
//! admins who ask for them.

use std::sync::Arc;

use axum::Json as Answered;
use axum::extract::State;
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use thirdboot_api::control::{AppliedTemplate, PreviewView, TryTemplate};
use thirdboot_lifecycle::{RunNumber, Script};
use thirdboot_render::{InstallFacts, PointerFacts, ScriptFacts, Template, opened, pointer, script};
use thirdboot_store::{AccessRole, HostState};

use super::arm::{next_run, usual_permit};
use super::auth::{Caller, Operator};
use super::beside::Beside;
use super::hosts::named;
use super::query::Query;
use super::redacting::{shown, without_secrets};
use super::rendering::{self, Rendering};
use super::trail::Audit;
use crate::App;
use crate::boot::Json;
use crate::path::Path;
use crate::problem::{Answer, Failure};
use crate::templates::{self, InForce};

/// Shows what arming the host now would have it served.
///
/// `script` is the install script, `pointer` and `live` are the configs of the first boot, `installed` is that of the
/// installed system with the host's templates merged. Contents are decoded. Nothing is changed by looking.
#[utoipa::path(
    get, path = "/api/v1/hosts/{name}/preview/{document}", tag = "previews", operation_id = "preview_host", security(("token" = ["viewer"])),
    params(
        ("name" = String, Path, description = "The host's name", example = "node-1"),
        ("document" = String, Path, description = "script, pointer, live or installed", example = "installed"),
        ("part" = Option<String>, Query, description = "Only the part of this name, such as /etc/hostname"),
        ("secrets" = Option<bool>, Query, description = "With the real secrets: for admins only, and noted in the audit"),
    ),
    responses((status = 200, description = "The document, decoded", body = PreviewView)),
    extensions(("x-problems" = json!(["refused", "forbidden"]))),
)]
pub(super) async fn show(
    State(app): State<App>,
    caller: Caller,
    audit: Audit,
    Path((name, document)): Path<(String, String)>,
    query: Query,
) -> Answer<Answered<PreviewView>> {
    let query = query.only(&["part", "secrets"])?;
    let with_secrets = asked_for_secrets(&query, &caller)?;
    let state = named(&app, &name).await?;
    let templates = templates::of_host(&app, &state.host).await?;
    let mut preview = preview(&app, &state, &document, templates, with_secrets).await?;
    if let Some(part) = query.get::<String>("part")? {
        preview.parts.retain(|one| one.name == part);
        if preview.parts.is_empty() {
            let why = format!("the {document} config has no part of this name");
            return Err(Failure::field("part", why));
        }
    }
    if with_secrets {
        audit.secret_read(&app).await?;
        tracing::info!(host = %name, by = %caller.by, document, "preview read with its secrets");
    }
    Ok(Answered(preview))
}

/// Shows the installed config as it would be with a template that is not saved.
#[utoipa::path(
    post, path = "/api/v1/hosts/{name}/preview/{document}", tag = "previews", operation_id = "preview_template", security(("token" = ["operator"])),
    params(
        ("name" = String, Path, description = "The host's name", example = "node-1"),
        ("document" = String, Path, description = "installed: no other has anything of a template", example = "installed"),
    ),
    request_body = TryTemplate,
    responses((status = 200, description = "The merged config, decoded", body = PreviewView)),
    extensions(("x-problems" = json!(["refused"]))),
)]
pub(super) async fn try_template(
    State(app): State<App>,
    Operator(by): Operator,
    Path((name, document)): Path<(String, String)>,
    Json(body): Json<TryTemplate>,
) -> Answer<Answered<PreviewView>> {
    if document != "installed" {
        return Err(Failure::not_found());
    }
    let state = named(&app, &name).await?;
    let draft = super::templates::draft(&body.name, &body.template, &by.to_string())?;
    let template = Template::parse(&draft.name, &draft.text)
        .map_err(|faults| Failure::field("template.text", templates::lines(&faults)))?;
    let others = templates::of_host(&app, &state.host).await?;
    let tried = templates::with_draft(others, &draft, Arc::new(template));
    Ok(Answered(preview(&app, &state, "installed", tried, false).await?))
}

/// Whether the caller wants the real secrets, and may.
pub(super) fn asked_for_secrets(query: &Query, caller: &Caller) -> Result<bool, Failure> {
    let is_asked = query.get::<bool>("secrets")?.unwrap_or(false);
    if is_asked {
        caller.require(AccessRole::Admin)?;
    }
    Ok(is_asked)
}

async fn preview(
    app: &App,
    state: &HostState,
    document: &str,
    templates: Vec<InForce>,
    with_secrets: bool,
) -> Result<PreviewView, Failure> {
    if !["script", "pointer", "live", "installed"].contains(&document) {
        return Err(Failure::not_found());
    }
    let manifest = rendering::manifest(app, &state.host).await?;
    let run = (next_run(state), usual_permit(state, app.store.now()));
    let rendering = Arc::new(Rendering::of(
        app,
        state,
        run,
        &manifest,
        &templates,
        Beside::of(app, state).await?,
    )?);
    let rendered = Arc::clone(&rendering).render(app, &state.host).await?;
    let bytes = match document {
        "script" => install_script(app, state, &rendering)?.into_bytes(),
        "pointer" => pointer(&PointerFacts {
            config_base: &app.settings.config_url,
            conf: &rendering.conf,
            live_sha512: &rendered.live_sha512,
            ca_pem: app.settings.ca_pem.as_deref(),
        }),
        "live" => rendered.live,
        _ => rendered.installed,
    };
    let applied = |one: &InForce| AppliedTemplate {
        name: one.name().to_owned(),
        version: one.version,
    };
    let mut view = PreviewView {
        host: state.host.name.to_string(),
        document: document.to_owned(),
        run: rendering.run.0,
        redacted: !with_secrets,
        sha256: HEXLOWER.encode(&Sha256::digest(&bytes)),
        templates: templates.iter().map(applied).collect(),
        ..PreviewView::default()
    };
    if document == "live" || document == "installed" {
        let parts = opened(&bytes).map_err(Failure::internal)?;
        view.parts = parts.iter().map(|part| shown(part, with_secrets)).collect();
        if with_secrets {
            view.ignition = Some(serde_json::from_slice(&bytes).map_err(Failure::internal)?);
        }
    } else {
        let text = String::from_utf8(bytes).map_err(Failure::internal)?;
        view.text = Some(if with_secrets {
            text
        } else {
            without_secrets(&text).into_owned()
        });
    }
    Ok(view)
}

fn install_script(app: &App, state: &HostState, rendering: &Rendering) -> Result<String, Failure> {
    let is_by_key = state.host.known_by == thirdboot_lifecycle::KnownBy::Key;
    let generation = state.host.key_generation;
    let key = || rendering::secret(app, crate::secrets::Purpose::Boot, state.id, RunNumber(0), generation);
    let key = is_by_key.then(key).transpose()?;
    let facts = ScriptFacts {
        boot_base: &app.settings.boot_url,
        key: key.as_ref(),
        host: Some(&state.host),
        install: Some(InstallFacts {
            assets_base: &app.settings.assets_url,
            conf: &rendering.conf,
            assets: &rendering.names,
        }),
        unknown_disk_boot: app.settings.unknown_disk_boot,
        retry: app.settings.retry,
    };
    script(Script::Install(rendering.run), &facts).map_err(Failure::internal)
}
