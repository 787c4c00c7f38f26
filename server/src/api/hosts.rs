//! Hosts: added, listed, shown.

use axum::Json as Answered;
use axum::extract::State;
use axum::http::StatusCode;
use thirdboot_api::ProblemType;
use thirdboot_api::control::{HostSpec, HostView, Page};
use thirdboot_lifecycle::HostName;
use thirdboot_store::{HostFilter, HostState};

use super::auth::{Operator, Viewer};
use super::describe::described;
use super::query::Query;
use super::view::view;
use crate::App;
use crate::boot::Json;
use crate::path::Path;
use crate::problem::{Answer, Failure};

pub(super) async fn create(
    State(app): State<App>,
    Operator(by): Operator,
    Json(spec): Json<HostSpec>,
) -> Answer<(StatusCode, Answered<HostView>)> {
    let host = described(spec)?;
    let added = app.store.add_hosts(vec![host], by.clone()).await?;
    let state = added.first().ok_or_else(|| Failure::internal("no host was added"))?;
    tracing::info!(host = %state.host.name, %by, "host added");
    Ok((StatusCode::CREATED, Answered(view(state, &app))))
}

pub(super) async fn list(State(app): State<App>, _: Viewer, query: Query) -> Answer<Answered<Page<HostView>>> {
    let query = query.only(&["limit", "cursor"])?;
    let filter = HostFilter {
        after: query.get::<HostName>("cursor")?,
        limit: query.limit()?,
    };
    let page = app.store.hosts(&filter).await?;
    let last = page.items.last().map(|state| state.host.name.to_string());
    Ok(Answered(Page {
        items: page.items.iter().map(|state| view(state, &app)).collect(),
        next_cursor: last.filter(|_| page.more),
    }))
}

pub(super) async fn show(State(app): State<App>, _: Viewer, Path(name): Path<String>) -> Answer<Answered<HostView>> {
    let state = named(&app, &name).await?;
    Ok(Answered(view(&state, &app)))
}

/// The host of that name.
pub(super) async fn named(app: &App, name: &str) -> Result<HostState, Failure> {
    let shown: String = name.chars().take(80).collect();
    let none = || Failure::new(ProblemType::NotFound, format!("there is no host {shown:?}"));
    // What is no name is no host's name.
    let name: HostName = name.parse().map_err(|_| none())?;
    app.store.host(&name).await?.ok_or_else(none)
}
