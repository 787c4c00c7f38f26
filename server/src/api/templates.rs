//! Users' templates: saved as versions, and only when they render for every host that they are for.

mod draft;
mod views;

use axum::Json as Answered;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;
use thirdboot_api::ProblemType;
use thirdboot_api::control::{CheckedView, Page, TemplateDiffView, TemplateSpec, TemplateView};
use thirdboot_store::{Actor, StoredTemplate, TemplateDraft};

use super::auth::{Admin, Operator, Viewer};
use super::once::{Made, Once};
use super::query::Query;
use super::version::IfMatch;
use crate::App;
use crate::boot::Json;
use crate::path::Path;
use crate::problem::{Answer, Failure};
use crate::templates::check;

pub(super) use draft::draft;
use views::{checked_view, invalid, select, view};

/// Templates in all: every arming reads them.
const MAX_TEMPLATES: usize = 500;

/// Lists the templates in the order in which they are merged, without their texts.
#[utoipa::path(
    get, path = "/api/v1/templates", tag = "templates", operation_id = "list_templates", security(("token" = ["viewer"])),
    responses((status = 200, description = "Every template", body = Page<TemplateView>)),
)]
pub(super) async fn list(State(app): State<App>, _: Viewer) -> Answer<Answered<Page<TemplateView>>> {
    let templates = app.store.templates().await?;
    Ok(Answered(Page {
        // Their number is capped: one page holds them all.
        items: templates.into_iter().map(|stored| view(stored, false)).collect(),
        next_cursor: None,
    }))
}

/// Shows a template.
#[utoipa::path(
    get, path = "/api/v1/templates/{name}", tag = "templates", operation_id = "get_template", security(("token" = ["viewer"])),
    params(("name" = String, Path, description = "The template's name", example = "motd")),
    responses((status = 200, description = "Its last version", body = TemplateView,
        headers(("ETag" = String, description = "The version in quotes, for If-Match")))),
)]
pub(super) async fn show(State(app): State<App>, _: Viewer, Path(name): Path<String>) -> Answer {
    let stored = app
        .store
        .template(&name, None)
        .await?
        .filter(|stored| !stored.is_deleted);
    let shown = view(stored.ok_or_else(|| none(&name))?, true);
    Ok(([(header::ETAG, etag(shown.version))], Answered(shown)).into_response())
}

/// Saves a template: a new one, or a new version of one.
///
/// It is saved only when it renders, translates and can be merged for every host that it is for; with none yet, for
/// made-up ones. Hosts that are armed from then on get it; machines that are installed keep what they have.
#[utoipa::path(
    put, path = "/api/v1/templates/{name}", tag = "templates", operation_id = "save_template", security(("token" = ["admin"])),
    params(
        ("name" = String, Path, description = "The template's name: 1 to 63 of a-z 0-9 -", example = "motd"),
        ("If-Match" = Option<String>, Header, description = "The version that was seen, in quotes, or `*` for any; needed where the template is there already"),
    ),
    request_body = TemplateSpec,
    responses(
        (status = 200, description = "A new version", body = TemplateView, headers(("ETag" = String, description = "The version in quotes"))),
        (status = 201, description = "A new template", body = TemplateView, headers(("ETag" = String, description = "The version in quotes"))),
    ),
    extensions(
        ("x-problems" = json!(["refused", "precondition-failed", "precondition-required"])),
        ("x-idempotent" = json!(true)),
    ),
)]
pub(super) async fn save(
    State(app): State<App>,
    Admin(by): Admin,
    once: Once,
    if_match: IfMatch,
    Path(name): Path<String>,
    Json(spec): Json<TemplateSpec>,
) -> Answer<Made> {
    let draft = draft(&name, &spec, &by.to_string())?;
    let operation = format!("save_template {name}");
    let (keep, made) = once.answered(&app, &by, &operation, &spec).await?;
    if let Some(made) = made {
        return Ok(made);
    }
    let done = saved(&app, &by, &if_match, draft).await;
    keep.after(&app, done).await
}

async fn saved(app: &App, by: &Actor, if_match: &IfMatch, draft: TemplateDraft) -> Result<Made, Failure> {
    let name = draft.name.clone();
    // Nothing else is saved between what was checked and what is saved.
    let _gate = app.workshop.gate.acquire().await.map_err(Failure::internal)?;
    let others = app.store.templates().await?;
    let before = others.iter().find(|other| other.draft.name == name);
    let expected = before.map(|before| before.version);
    seen(if_match, &name, expected)?;
    let is_new = before.is_none();
    if is_new && others.len() >= MAX_TEMPLATES {
        return Err(Failure::new(
            ProblemType::Refused,
            format!("there are {MAX_TEMPLATES} templates already"),
        ));
    }
    let checked = check(app, &draft).await?;
    if !checked.is_valid() {
        return Err(invalid(&checked));
    }
    let saved = app
        .store
        .save_template(draft, expected)
        .await?
        .map_err(|moved| outdated(&name, moved.current))?;
    tracing::info!(template = %name, version = saved.version, %by, hosts = checked.hosts, "template saved");
    let mut answer = view(saved, true);
    answer.checked = Some(checked_view(&checked));
    let made = if is_new {
        Made::at(format!("/api/v1/templates/{name}"), &answer)?
    } else {
        Made::said(StatusCode::OK, &answer)?
    };
    Ok(made.tagged(etag(answer.version)))
}

/// Takes a template away. Its versions stay readable.
#[utoipa::path(
    delete, path = "/api/v1/templates/{name}", tag = "templates", operation_id = "delete_template", security(("token" = ["admin"])),
    params(
        ("name" = String, Path, description = "The template's name", example = "motd"),
        ("If-Match" = Option<String>, Header, description = "The version that was seen, in quotes, or `*` for any; needed"),
    ),
    responses((status = 200, description = "The version that took it away", body = TemplateView)),
    extensions(("x-problems" = json!(["precondition-failed", "precondition-required"]))),
)]
pub(super) async fn delete(
    State(app): State<App>,
    Admin(by): Admin,
    if_match: IfMatch,
    Path(name): Path<String>,
) -> Answer<Answered<TemplateView>> {
    let _gate = app.workshop.gate.acquire().await.map_err(Failure::internal)?;
    let last = app.store.template(&name, None).await?.filter(|last| !last.is_deleted);
    let last = last.ok_or_else(|| none(&name))?;
    seen(&if_match, &name, Some(last.version))?;
    let deleted = app
        .store
        .delete_template(&name, last.version, &by.to_string())
        .await?
        .map_err(|moved| outdated(&name, moved.current))?;
    tracing::info!(template = %name, version = deleted.version, %by, "template deleted");
    Ok(Answered(view(deleted, false)))
}

/// Holds a template against the fleet without saving it.
#[utoipa::path(
    post, path = "/api/v1/templates/{name}/validate", tag = "templates", operation_id = "validate_template", security(("token" = ["operator"])),
    params(("name" = String, Path, description = "The name that it would be saved under", example = "motd")),
    request_body = TemplateSpec,
    responses((status = 200, description = "Whether it may be saved, and what is wrong with it", body = CheckedView)),
    extensions(("x-problems" = json!(["refused"]))),
)]
pub(super) async fn validate(
    State(app): State<App>,
    Operator(by): Operator,
    Path(name): Path<String>,
    Json(spec): Json<TemplateSpec>,
) -> Answer<Answered<CheckedView>> {
    let draft = draft(&name, &spec, &by.to_string())?;
    let _gate = app.workshop.gate.acquire().await.map_err(Failure::internal)?;
    Ok(Answered(checked_view(&check(&app, &draft).await?)))
}

/// Lists the versions of a template, the newest first, without their texts. Those of a deleted one, too.
#[utoipa::path(
    get, path = "/api/v1/templates/{name}/versions", tag = "templates", operation_id = "list_template_versions", security(("token" = ["viewer"])),
    params(("name" = String, Path, description = "The template's name", example = "motd")),
    responses((status = 200, description = "Its versions", body = Page<TemplateView>)),
)]
pub(super) async fn versions(
    State(app): State<App>,
    _: Viewer,
    Path(name): Path<String>,
) -> Answer<Answered<Page<TemplateView>>> {
    let versions = app.store.template_versions(&name).await?;
    if versions.is_empty() {
        return Err(none(&name));
    }
    Ok(Answered(Page {
        items: versions.into_iter().map(|stored| view(stored, false)).collect(),
        next_cursor: None,
    }))
}

/// Shows a version of a template. Saving its text again restores it.
#[utoipa::path(
    get, path = "/api/v1/templates/{name}/versions/{version}", tag = "templates", operation_id = "get_template_version", security(("token" = ["viewer"])),
    params(
        ("name" = String, Path, description = "The template's name", example = "motd"),
        ("version" = u64, Path, description = "Its version", example = 1),
    ),
    responses((status = 200, description = "The version", body = TemplateView)),
)]
pub(super) async fn version(
    State(app): State<App>,
    _: Viewer,
    Path((name, version)): Path<(String, u64)>,
) -> Answer<Answered<TemplateView>> {
    Ok(Answered(view(stored_version(&app, &name, version).await?, true)))
}

/// What changed between two versions.
#[utoipa::path(
    get, path = "/api/v1/templates/{name}/diff", tag = "templates", operation_id = "diff_template", security(("token" = ["viewer"])),
    params(
        ("name" = String, Path, description = "The template's name", example = "motd"),
        ("from" = Option<u64>, Query, description = "The older version; the one before `to` if left out"),
        ("to" = Option<u64>, Query, description = "The newer version; the last one if left out"),
    ),
    responses((status = 200, description = "Text, selection and place", body = TemplateDiffView)),
)]
pub(super) async fn diff(
    State(app): State<App>,
    _: Viewer,
    Path(name): Path<String>,
    query: Query,
) -> Answer<Answered<TemplateDiffView>> {
    let query = query.only(&["from", "to"])?;
    let to = match query.get::<u64>("to")? {
        Some(to) => stored_version(&app, &name, to).await?,
        None => app.store.template(&name, None).await?.ok_or_else(|| none(&name))?,
    };
    let from = query.get::<u64>("from")?.unwrap_or(to.version.saturating_sub(1));
    let from = stored_version(&app, &name, from).await?;
    let (before, after) = (select(&from.draft.selection), select(&to.draft.selection));
    let is_moved = before != after;
    let headers = [format!("{name} {}", from.version), format!("{name} {}", to.version)];
    Ok(Answered(TemplateDiffView {
        text: super::comparing::unified(&from.draft.text, &to.draft.text, &headers),
        name,
        from: from.version,
        to: to.version,
        select_before: is_moved.then_some(before),
        select_after: is_moved.then_some(after),
        order: (from.draft.order != to.draft.order).then_some([from.draft.order, to.draft.order]),
    }))
}

async fn stored_version(app: &App, name: &str, version: u64) -> Result<StoredTemplate, Failure> {
    let none = || {
        Failure::new(
            ProblemType::NotFound,
            format!("the template {} has no version {version}", cut(name)),
        )
    };
    app.store.template(name, Some(version)).await?.ok_or_else(none)
}

fn none(name: &str) -> Failure {
    Failure::new(ProblemType::NotFound, format!("there is no template {}", cut(name)))
}

fn cut(name: &str) -> String {
    let name: String = name.chars().take(80).collect();
    format!("{name:?}")
}

/// Refuses whoever saw another version than the present one, or does not say which one they saw.
fn seen(if_match: &IfMatch, name: &str, present: Option<u64>) -> Result<(), Failure> {
    let tag = present.map(etag);
    match (if_match.meets(tag.as_deref().unwrap_or_default()), present) {
        (None, None) | (Some(true), Some(_)) => Ok(()),
        (None, Some(version)) => {
            let detail = format!(
                "the template {name} is there, in version {version}: send `If-Match` with the version that you saw"
            );
            Err(Failure::new(ProblemType::PreconditionRequired, detail))
        }
        (Some(_), current) => Err(outdated(name, current)),
    }
}

fn outdated(name: &str, current: Option<u64>) -> Failure {
    let why = match current {
        Some(current) => format!("the template {name} was changed meanwhile: its version is {current}"),
        None => format!("the template {name} is not there (any more): leave If-Match out to make it"),
    };
    Failure::new(ProblemType::PreconditionFailed, why)
}

/// A version as `ETag` and `If-Match` have it.
fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

#[cfg(test)]
mod tests;
