//! A host's log, the latest first.

use askama::Template;
use axum::response::Response;
use jiff::Timestamp;
use thirdboot_api::Problem;
use thirdboot_api::control::{EventView, EventsPage, HostView};

use super::super::frame::{self, Shell};
use super::super::visitor::Visitor;
use super::super::{links, show};
use super::api;
use crate::path::Path;

/// Lines of a page.
const LINES: usize = 100;
/// Lines that are asked for at once.
const AT_ONCE: usize = 1000;
/// A host's log is capped: more parts than this it does not have.
const MAX_PARTS: usize = 10;

/// One line.
pub(in super::super) struct Line {
    pub(in super::super) id: u64,
    pub(in super::super) at: Timestamp,
    pub(in super::super) event: String,
    pub(in super::super) by: String,
    pub(in super::super) run: Option<u32>,
    pub(in super::super) stage: Option<String>,
    pub(in super::super) refused: Option<String>,
    pub(in super::super) message: Option<String>,
    pub(in super::super) log: Option<String>,
}

impl Line {
    pub(super) fn of(event: &EventView) -> Self {
        Self {
            id: event.id,
            at: event.at,
            event: event.event.clone(),
            by: event.by.clone(),
            run: event.run,
            stage: event.stage.as_ref().map(|stage| stage.as_str().to_owned()),
            refused: event.refused.clone(),
            message: event.message.clone(),
            log: event.log.clone(),
        }
    }
}

/// Every line of a host's log, the oldest first.
pub(super) async fn all(visitor: &Visitor, name: &str) -> Result<Vec<EventView>, Problem> {
    let mut events = Vec::new();
    let mut after = String::from("0");
    for _ in 0..MAX_PARTS {
        let limit = AT_ONCE.to_string();
        let path = links::with(&api(name, "/events"), &[("limit", &limit), ("after", &after)]);
        let part: EventsPage = visitor.get(&path).await?;
        events.extend(part.items);
        match part.next_cursor {
            Some(next) => after = next,
            None => break,
        }
    }
    Ok(events)
}

#[derive(Template)]
#[template(path = "page/log.html")]
struct LogPage {
    shell: Shell,
    host: HostView,
    mood: &'static str,
    standing: String,
    lines: Vec<Line>,
    older: Option<String>,
    is_continued: bool,
    tab: &'static str,
}

/// The page.
pub(in super::super) async fn log(visitor: Visitor, Path(name): Path<String>) -> Response {
    built(&visitor, &name)
        .await
        .unwrap_or_else(|problem| visitor.trouble(&problem))
}

async fn built(visitor: &Visitor, name: &str) -> Result<Response, Problem> {
    let host: HostView = visitor.get(&api(name, "")).await?;
    let before: Option<u64> = visitor.asked("before").and_then(|before| before.parse().ok());
    let events = all(visitor, name).await?;
    let newest = events
        .iter()
        .rev()
        .filter(|event| before.is_none_or(|before| event.id < before));
    let mut lines: Vec<Line> = newest.take(LINES + 1).map(Line::of).collect();
    let older = lines.get(LINES).is_some().then(|| {
        lines.truncate(LINES);
        let last = lines.last().map_or_else(String::new, |line| line.id.to_string());
        links::with(&format!("/hosts/{}/events", host.name), &[("before", &last)])
    });
    let mut shell = visitor.shell("fleet", format!("{name}: events"));
    if before.is_none() {
        shell = shell.live(links::with("/live", &[("host", name)]));
    }
    let (mood, standing) = show::standing(&host);
    Ok(frame::page(&LogPage {
        shell,
        mood: mood.class(),
        standing,
        lines,
        older,
        is_continued: before.is_some(),
        host,
        tab: "events",
    }))
}
