//! A host's log.

use axum::Json as Answered;
use axum::extract::State;
use thirdboot_api::control::{EventView, Page};
use thirdboot_store::{Actor, EventFilter, LoggedEvent};

use super::auth::Viewer;
use super::hosts::named;
use super::query::Query;
use crate::App;
use crate::path::Path;
use crate::problem::Answer;

pub(super) async fn list(
    State(app): State<App>,
    _: Viewer,
    Path(name): Path<String>,
    query: Query,
) -> Answer<Answered<Page<EventView>>> {
    let query = query.only(&["after", "limit"])?;
    let filter = EventFilter {
        after: query.get("after")?.unwrap_or(0),
        limit: query.limit()?,
        host: Some(named(&app, &name).await?.id),
    };
    let page = app.store.events(&filter).await?;
    let last = page.items.last().map(|event| event.number.to_string());
    Ok(Answered(Page {
        items: page.items.into_iter().map(|event| view(event, &name)).collect(),
        next_cursor: last.filter(|_| page.more),
    }))
}

fn view(event: LoggedEvent, host: &str) -> EventView {
    let entry = event.entry;
    let (boot_id, seq) = entry.report.unzip();
    EventView {
        id: event.number,
        at: event.at,
        host: host.to_owned(),
        event: entry.event,
        by: match entry.by {
            Actor::Host => "host".to_owned(),
            Actor::Server => "server".to_owned(),
            Actor::Token(name) => name,
        },
        run: entry.run.map(|run| run.0),
        stage: entry.stage.map(|stage| stage.as_str().into()),
        boot_id,
        seq,
        refused: entry.refused,
        message: entry.message,
        log: entry.log,
    }
}
