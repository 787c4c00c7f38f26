//! Reboot locks: who holds one, who waits, what a group may do; and a person's release.

use std::collections::BTreeMap;

use axum::Json as Answered;
use axum::extract::State;
use axum::response::IntoResponse as _;
use thirdboot_api::ProblemType;
use thirdboot_api::control::{LockGroupSpec, LockGroupView, LockPlaceView, Page, ReleaseLockBody};
use thirdboot_lifecycle::{GroupName, GroupSettings, LockSlot, SlotState};
use thirdboot_store::{Actor, LockChange, Versioned};

use super::auth::{Admin, Operator, Viewer};
use super::describe::read;
use super::hosts;
use super::version::{IfMatch, tag_of, with_etag};
use super::view::same;
use crate::App;
use crate::boot::Json;
use crate::path::Path;
use crate::problem::{Answer, Failure};
use crate::secrets::redact;

/// A reason is a line for people.
const MAX_REASON_CHARS: usize = 500;

/// Lists groups of reboot locks by name.
///
/// Every group that somebody set something of, that holds a slot, or in which a host waits.
#[utoipa::path(
    get, path = "/api/v1/locks", tag = "locks", operation_id = "list_locks", security(("token" = ["viewer"])),
    responses((status = 200, description = "All of them", body = Page<LockGroupView>)),
)]
pub(super) async fn list(State(app): State<App>, _: Viewer) -> Answer<Answered<Page<LockGroupView>>> {
    let mut groups: BTreeMap<GroupName, (Versioned<GroupSettings>, Vec<LockSlot>)> = BTreeMap::new();
    for (name, settings) in app.store.lock_groups().await? {
        groups.insert(name, (settings, Vec::new()));
    }
    for slot in app.store.locks().await? {
        let built_in = || (built_in(), Vec::new());
        groups.entry(slot.group.clone()).or_insert_with(built_in).1.push(slot);
    }
    let items = groups
        .iter()
        .map(|(name, (settings, slots))| view(name, settings, slots));
    Ok(Answered(Page {
        items: items.collect(),
        next_cursor: None,
    }))
}

/// Shows a group of reboot locks.
#[utoipa::path(
    get, path = "/api/v1/locks/{group}", tag = "locks", operation_id = "get_lock_group", security(("token" = ["viewer"])),
    params(("group" = String, Path, description = "Its name: `<cluster>.<role>`, or a role", example = "prod.agent")),
    responses((status = 200, description = "Its settings, holders and hosts that wait", body = LockGroupView,
        headers(("ETag" = String, description = "Names this version of its settings, for If-Match")))),
)]
pub(super) async fn show(State(app): State<App>, _: Viewer, Path(group): Path<String>) -> Answer {
    shown(&app, &named(&group)?).await
}

/// Replaces the settings of a group.
///
/// Slots and limits count at once; who holds a slot keeps it. Policy, window and monthly reboot are part of an installed
/// system: hosts get them when they are armed the next time. Until then a host that asks for what its group does not
/// allow now is refused: an update when they are off, and whatever falls outside of the window.
#[utoipa::path(
    put, path = "/api/v1/locks/{group}", tag = "locks", operation_id = "put_lock_group", security(("token" = ["admin"])),
    params(
        ("group" = String, Path, description = "Its name: `<cluster>.<role>`, or a role", example = "prod.agent"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the settings that were read, or `*` for any; needed"),
    ),
    request_body = LockGroupSpec,
    responses((status = 200, description = "The group as it is now", body = LockGroupView,
        headers(("ETag" = String, description = "Names this version of its settings")))),
    extensions(("x-problems" = json!(["precondition-failed", "precondition-required"]))),
)]
pub(super) async fn put(
    State(app): State<App>,
    Admin(by): Admin,
    if_match: IfMatch,
    Path(group): Path<String>,
    Json(spec): Json<LockGroupSpec>,
) -> Answer {
    let name = named(&group)?;
    let settings: GroupSettings = read("", &serde_json::to_value(&spec).map_err(Failure::internal)?)?;
    settings
        .check()
        .map_err(|error| Failure::field(error.field, error.why.clone()))?;
    change(&app, &name, &if_match, Some(settings), &by).await
}

/// Goes back to the built-in settings of a group.
#[utoipa::path(
    delete, path = "/api/v1/locks/{group}", tag = "locks", operation_id = "reset_lock_group", security(("token" = ["admin"])),
    params(
        ("group" = String, Path, description = "Its name: `<cluster>.<role>`, or a role", example = "prod.agent"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the settings that were read, or `*` for any; needed"),
    ),
    responses((status = 200, description = "The group as it is now", body = LockGroupView,
        headers(("ETag" = String, description = "Names this version of its settings")))),
    extensions(("x-problems" = json!(["precondition-failed", "precondition-required"]))),
)]
pub(super) async fn reset(
    State(app): State<App>,
    Admin(by): Admin,
    if_match: IfMatch,
    Path(group): Path<String>,
) -> Answer {
    change(&app, &named(&group)?, &if_match, None, &by).await
}

/// Keeps settings, or goes back to the built-in ones, on top of those that were read. Whoever was slower is held against
/// what the faster one said.
async fn change(
    app: &App,
    name: &GroupName,
    if_match: &IfMatch,
    settings: Option<GroupSettings>,
    by: &Actor,
) -> Answer {
    loop {
        let seen = app.store.lock_group(name).await?.value;
        if_match.check_tag("group", &tag_of(&seen), true)?;
        if let Some(version) = app.store.put_lock_group(name, settings.clone(), &seen).await? {
            let done = if settings.is_some() { "kept" } else { "reset" };
            tracing::info!(group = %name, version, %by, "settings of a reboot lock's group {done}");
            app.look_at_locks.notify_one();
            return shown(app, name).await;
        }
    }
}

/// Gives a host's reboot lock back, or takes it out of those that wait.
///
/// For a host that never came back: a lock never expires by itself. Look at the machine first: others may reboot then.
#[utoipa::path(
    post, path = "/api/v1/hosts/{name}/release-lock", tag = "locks", operation_id = "release_lock", security(("token" = ["operator"])),
    params(("name" = String, Path, description = "The host's name", example = "node-1")),
    request_body = ReleaseLockBody,
    responses((status = 200, description = "Its place, which is released", body = LockPlaceView)),
    extensions(("x-problems" = json!(["refused"]))),
)]
pub(super) async fn release(
    State(app): State<App>,
    Operator(by): Operator,
    Path(name): Path<String>,
    Json(body): Json<ReleaseLockBody>,
) -> Answer<Answered<LockPlaceView>> {
    let reason = body.reason.as_deref().map(|reason| redact(reason.trim()).into_owned());
    if let Some(reason) = &reason
        && (reason.is_empty() || reason.chars().count() > MAX_REASON_CHARS || reason.contains(char::is_control))
    {
        let expected = format!("expected one line of 1 to {MAX_REASON_CHARS} characters");
        return Err(Failure::field("reason", expected));
    }
    let state = hosts::named(&app, &name).await?;
    let why = match &reason {
        Some(reason) => format!("released by {by}: {reason}"),
        None => format!("released by {by}"),
    };
    let release = LockChange::Release {
        host: state.id,
        if_asks: None,
        by: by.clone(),
        why,
    };
    let outcome = app.store.change_lock(release).await?;
    let Some(slot) = outcome.slot.filter(|_| outcome.is_new) else {
        let why = format!("{} holds no reboot lock and waits for none", state.host.name);
        return Err(Failure::new(ProblemType::Refused, why));
    };
    tracing::warn!(host = %state.host.name, group = %slot.group, %by, "reboot lock released by a person");
    app.look_at_locks.notify_one();
    // Whoever looks at the host next sees no alert of it any more.
    app.locks.read(app.store.as_ref(), &app.metrics).await?;
    Ok(Answered(place(&slot)))
}

fn named(group: &str) -> Result<GroupName, Failure> {
    group
        .parse()
        .map_err(|error: thirdboot_lifecycle::InvalidGroupName| Failure::new(ProblemType::NotFound, error.to_string()))
}

fn built_in() -> Versioned<GroupSettings> {
    Versioned {
        version: 0,
        value: GroupSettings::default(),
    }
}

async fn shown(app: &App, name: &GroupName) -> Answer {
    let settings = app.store.lock_group(name).await?;
    let mut slots = app.store.locks().await?;
    slots.retain(|slot| slot.group == *name);
    let shown = view(name, &settings, &slots);
    Ok(with_etag(shown.etag.clone(), shown).into_response())
}

fn view(name: &GroupName, settings: &Versioned<GroupSettings>, slots: &[LockSlot]) -> LockGroupView {
    let places = |holds: bool| slots.iter().filter(move |slot| slot.state.holds() == holds);
    LockGroupView {
        name: name.to_string(),
        version: settings.version,
        etag: tag_of(&settings.value),
        settings: same(&settings.value),
        holders: places(true).map(place).collect(),
        waiting: places(false)
            .filter(|slot| slot.state == SlotState::Waiting)
            .map(place)
            .collect(),
    }
}

fn place(slot: &LockSlot) -> LockPlaceView {
    LockPlaceView {
        host: slot.name.to_string(),
        state: slot.state.as_str().to_owned(),
        since: slot.since,
        asked_at: slot.asked_at,
        reason: slot.reason.to_string(),
        note: slot.note.clone(),
    }
}

#[cfg(test)]
mod tests;
