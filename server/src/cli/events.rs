//! `thirdboot events`: the log of the fleet or of a host.

use clap::Args;
use thirdboot_api::control::EventView;
use thirdboot_api::{Client, EventQuery};

use super::since::Since;
use super::{Connection, EXIT_CODES, Failure, table};

/// Seconds that one question waits for news.
pub(super) const WAIT_S: u64 = 25;
/// Lines that are asked for at once.
const AT_ONCE: u32 = 500;
/// Seconds before a server that went away is asked again.
const PAUSE_S: u64 = 2;

/// Show what happened, oldest first.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct EventsCommand {
    #[command(flatten)]
    connection: Connection,
    /// Of this host only.
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// Of this run of each host only.
    #[arg(long, value_name = "NUMBER")]
    run: Option<u32>,
    /// Only events of this name, such as armed or stall (repeat it, or separate by commas).
    #[arg(long = "kind", value_name = "NAME", value_delimiter = ',')]
    kinds: Vec<String>,
    /// Only what was refused.
    #[arg(long)]
    refused: bool,
    /// Not older than this: a time (RFC 3339), or how long ago, such as 90s, 45m, 24h or 7d.
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    /// Only events with greater numbers than this.
    #[arg(long, value_name = "NUMBER", conflicts_with = "since")]
    after: Option<u64>,
    /// At most so many.
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Go on with what happens from now on, a line each, until Ctrl-C. With --since or --after begin there.
    #[arg(long, short)]
    follow: bool,
}

impl EventsCommand {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let client = self.connection.client()?;
        let query = EventQuery {
            host: self.host.clone(),
            run: self.run,
            kinds: self.kinds.clone(),
            refused: self.refused.then_some(true),
            after: self.after,
            since: self.since.map(Since::time),
            limit: None,
            wait_s: 0,
        };
        if self.follow {
            return self.follow(&client, query).await;
        }
        let events = self.collect(&client, query).await?;
        let output = &self.connection.output;
        output.print(&events, || table(&events, output.is_wide(), output.columns()))
    }

    async fn collect(&self, client: &Client, mut query: EventQuery) -> Result<Vec<EventView>, Failure> {
        let limit = self
            .limit
            .map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let mut events = Vec::new();
        loop {
            let missing = u32::try_from(limit - events.len()).unwrap_or(AT_ONCE);
            query.limit = Some(missing.min(AT_ONCE));
            let page = client.search_events(&query).await?;
            events.extend(page.items);
            (query.after, query.since) = (Some(page.searched_to), None);
            if page.next_cursor.is_none() || events.len() >= limit {
                return Ok(events);
            }
        }
    }

    /// A server that restarts is waited for: nothing is missed, since the log is followed by its numbers.
    async fn follow(&self, client: &Client, mut query: EventQuery) -> Result<(), Failure> {
        query.wait_s = WAIT_S;
        query.limit = Some(AT_ONCE);
        let mut left = self.limit;
        let mut has_begun = false;
        loop {
            let page = match client.search_events(&query).await {
                Ok(page) => page,
                Err(error) if has_begun && error.is_passing() => {
                    eprintln!("thirdboot: {error}; asking again");
                    tokio::time::sleep(std::time::Duration::from_secs(PAUSE_S)).await;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            has_begun = true;
            for event in &page.items {
                self.connection.output.line(event, || line(event))?;
                if let Some(left) = &mut left {
                    *left -= 1;
                    if *left == 0 {
                        return Ok(());
                    }
                }
            }
            (query.after, query.since) = (Some(page.searched_to), None);
        }
    }
}

/// One event as people read it.
fn line(event: &EventView) -> String {
    format!("{} {} {}\n", time(event), event.host, what(event))
}

fn time(event: &EventView) -> String {
    event.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn what(event: &EventView) -> String {
    use std::fmt::Write as _;
    let mut said = event.event.clone();
    if let Some(run) = event.run {
        // Writing to a string cannot fail.
        let _ = write!(said, " run {run}");
    }
    if let Some(stage) = &event.stage {
        let _ = write!(said, " [{stage}]");
    }
    if !event.by.is_empty() && event.by != "host" {
        let _ = write!(said, " by {}", event.by);
    }
    for (before, text) in [(": ", &event.message), (" refused: ", &event.refused)] {
        if let Some(text) = text {
            said.push_str(before);
            said.push_str(text);
        }
    }
    said
}

/// Many events.
fn table(events: &[EventView], is_wide: bool, columns: Option<u16>) -> String {
    if events.is_empty() {
        return "nothing happened\n".to_owned();
    }
    let mut header = vec!["TIME", "HOST", "EVENT", "RUN", "STAGE", "BY", "SAYS"];
    if is_wide {
        header.splice(0..0, ["ID"]);
        header.extend(["BOOT", "SEQ"]);
    }
    let mut shown = table::table(&header, columns);
    for event in events {
        let text = |value: Option<String>| value.unwrap_or_default();
        let says = match (&event.refused, &event.message) {
            (Some(refused), _) => format!("refused: {refused}"),
            (None, message) => text(message.clone()),
        };
        let mut row = vec![
            time(event),
            event.host.clone(),
            event.event.clone(),
            text(event.run.map(|run| run.to_string())),
            text(event.stage.as_ref().map(ToString::to_string)),
            event.by.clone(),
            says,
        ];
        if is_wide {
            row.insert(0, event.id.to_string());
            row.extend([text(event.boot_id.clone()), text(event.seq.map(|seq| seq.to_string()))]);
        }
        shown.add_row(table::one_line(row.into()));
    }
    table::text(&shown)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sample() -> Vec<EventView> {
        serde_json::from_value(json!([
            {"id": 1, "at": "2026-09-01T12:00:00Z", "host": "agent-1", "event": "armed", "by": "ada", "run": 1, "stage": "armed"},
            {"id": 2, "at": "2026-09-01T12:04:00Z", "host": "agent-1", "event": "live", "by": "host", "run": 1, "stage": "live",
             "boot_id": "b-1", "seq": 3, "message": "hello"},
            {"id": 9, "at": "2026-09-01T12:05:00Z", "host": "agent-1", "event": "ready", "by": "host", "run": 1,
             "refused": "the run is live"}
        ]))
        .unwrap()
    }

    #[test]
    fn events_are_a_line_each() {
        let lines: String = sample().iter().map(line).collect();
        insta::assert_snapshot!(lines);
        insta::assert_snapshot!(table(&sample(), true, None));
        assert_eq!(table(&[], false, None), "nothing happened\n");
    }
}
