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
    /// How often it was said in a row.
    pub(in super::super) count: u32,
}

impl Line {
    fn of(event: &EventView) -> Self {
        Self {
            id: event.id,
            at: event.at,
            event: event.event.clone(),
            by: event.by.clone(),
            run: event.run,
            // Mostly an event is called for the stage that it leads to.
            stage: event
                .stage
                .as_ref()
                .map(|stage| stage.as_str().to_owned())
                .filter(|stage| *stage != event.event),
            refused: event.refused.clone(),
            message: event.message.clone(),
            log: event.log.clone(),
            count: 1,
        }
    }

    /// Whether it is told just as well by the line before.
    fn repeats(&self, other: &Self) -> bool {
        let is_plain = |line: &Self| line.refused.is_none() && line.message.is_none() && line.log.is_none();
        let what = |line: &Self| (line.event.clone(), line.by.clone(), line.run, line.stage.clone());
        is_plain(self) && is_plain(other) && what(self) == what(other)
    }
}

/// The first lines of these events; what is said again and again, such as progress, takes one.
pub(super) fn lines<'a>(events: impl Iterator<Item = &'a EventView>, limit: usize) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for event in events {
        let line = Line::of(event);
        let is_full = lines.len() == limit;
        match lines.last_mut() {
            Some(last) if line.repeats(last) => {
                last.count += 1;
                // The next page goes on after the last of them.
                last.id = line.id;
            }
            _ if is_full => break,
            _ => lines.push(line),
        }
    }
    lines
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
    let mut lines = lines(newest, LINES + 1);
    let older = lines.get(LINES).is_some().then(|| {
        lines.truncate(LINES);
        let last = lines.last().map_or_else(String::new, |line| line.id.to_string());
        links::with(&format!("/hosts/{}/events", host.name), &[("before", &last)])
    });
    let mut shell = visitor.shell("fleet", format!("{name}: events"));
    if before.is_none() {
        shell = shell.live(Some(name));
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_said_again_and_again_takes_one_line() {
        let event = |id: u64, event: &str, message: Option<&str>| -> EventView {
            let at = "2026-09-01T12:00:00Z";
            serde_json::from_value(json!({"id": id, "at": at, "host": "a", "event": event, "message": message}))
                .unwrap()
        };
        let events = [
            event(5, "installed", None),
            event(4, "installing", None),
            event(3, "installing", None),
            event(2, "installing", Some("at last")),
            event(1, "live", None),
        ];
        let told = |limit| -> Vec<(u64, u32)> {
            lines(events.iter(), limit)
                .iter()
                .map(|line| (line.id, line.count))
                .collect()
        };
        assert_eq!(told(9), [(5, 1), (3, 2), (2, 1), (1, 1)]);
        assert_eq!(told(2), [(5, 1), (3, 2)]);
    }
}
