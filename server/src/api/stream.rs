//! The log as server-sent events. A client that was cut off names the last line it had (`Last-Event-ID`) and misses none.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::{Stream, StreamExt as _, stream};
use thirdboot_store::EventSearch;

use super::auth::Viewer;
use super::events::{host, search, view};
use super::hosts::named;
use super::query::Query;
use crate::App;
use crate::follow::Following;
use crate::path::Path;
use crate::problem::{Answer, Failure};

/// A comment so often, so that proxies and clients know that the silence is one.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// After this a stream ends and the client comes again, with a token that is looked at anew.
const MAX_AGE: Duration = Duration::from_secs(15 * 60);
/// Lines that are read at once.
const AT_ONCE: u32 = 200;

const FILTERS: [&str; 5] = ["run", "kind", "refused", "after", "since"];

/// Streams the fleet's log, from now on when nothing else is asked for.
///
/// A stream ends after 15 minutes at most, or when the server stops: come again with `Last-Event-ID`.
#[utoipa::path(
    get, path = "/api/v1/events/stream", tag = "watching", operation_id = "stream_events", security(("token" = ["viewer"])),
    params(
        ("host" = Option<String>, Query, description = "Of this host only"),
        ("run" = Option<u32>, Query, description = "Of this run of each host only"),
        ("kind" = Option<String>, Query, description = "Only events of these names, separated by commas", example = "armed,stall"),
        ("refused" = Option<bool>, Query, description = "Only what was refused, or only what was not"),
        ("after" = Option<u64>, Query, description = "Events with greater numbers only: `searched_to` of the part before"),
        ("since" = Option<String>, Query, description = "Not older than this time (RFC 3339)", example = "2026-09-01T12:00:00Z"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that the client had: it goes on after that"),
    ),
    responses((status = 200, description = "Server-sent events: `id` is the number, `event` the name, `data` an EventView; a comment every 15 s", body = String, content_type = "text/event-stream")),
    extensions(("x-problems" = json!(["not-found"]))),
)]
pub(super) async fn all(State(app): State<App>, _: Viewer, headers: HeaderMap, query: Query) -> Answer {
    let query = query.only(&[&FILTERS[..], &["host"]].concat())?;
    let mut search = search(&query)?;
    search.host = host(&app, &query).await?;
    from(&app, &query, &headers, search).await
}

/// Streams a host's log, from now on when nothing else is asked for.
#[utoipa::path(
    get, path = "/api/v1/hosts/{name}/events/stream", tag = "watching", operation_id = "stream_host_events", security(("token" = ["viewer"])),
    params(
        ("name" = String, Path, description = "The host's name", example = "node-1"),
        ("run" = Option<u32>, Query, description = "Of this run of each host only"),
        ("kind" = Option<String>, Query, description = "Only events of these names, separated by commas", example = "armed,stall"),
        ("refused" = Option<bool>, Query, description = "Only what was refused, or only what was not"),
        ("after" = Option<u64>, Query, description = "Events with greater numbers only: `searched_to` of the part before"),
        ("since" = Option<String>, Query, description = "Not older than this time (RFC 3339)", example = "2026-09-01T12:00:00Z"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that the client had: it goes on after that"),
    ),
    responses((status = 200, description = "Server-sent events: `id` is the number, `event` the name, `data` an EventView; a comment every 15 s", body = String, content_type = "text/event-stream")),
)]
pub(super) async fn of_host(
    State(app): State<App>,
    _: Viewer,
    Path(name): Path<String>,
    headers: HeaderMap,
    query: Query,
) -> Answer {
    let query = query.only(&FILTERS)?;
    let mut search = search(&query)?;
    search.host = Some(named(&app, &name).await?.id);
    from(&app, &query, &headers, search).await
}

/// From the last line that the client had, else from where the query says, else from now.
async fn from(app: &App, query: &Query, headers: &HeaderMap, mut search: EventSearch) -> Answer {
    search.limit = AT_ONCE;
    let following = app.followers.follow(app.store.as_ref(), search.host).await;
    match headers.get("last-event-id") {
        Some(last) => {
            let number = last.to_str().ok().and_then(|text| text.parse().ok());
            let expected = || Failure::field("Last-Event-ID", "expected the id of an event that this server sent");
            search.after = number.ok_or_else(expected)?;
            search.since = None;
        }
        None if query.has("after") || query.has("since") => {}
        None => search.after = app.store.changed(0, Duration::ZERO).await,
    }
    let until = Instant::now() + MAX_AGE;
    let told = Told {
        app: app.clone(),
        search,
        following,
        until,
    };
    let keep_alive = KeepAlive::new().interval(HEARTBEAT).text("alive");
    Ok(unbuffered(open(told).keep_alive(keep_alive).into_response()))
}

/// A proxy that collects an answer before it passes it on would pass nothing on.
fn unbuffered(mut response: Response) -> Response {
    let name = HeaderName::from_static("x-accel-buffering");
    response.headers_mut().insert(name, HeaderValue::from_static("no"));
    response
}

/// How far a client was told.
struct Told {
    app: App,
    search: EventSearch,
    following: Following,
    until: Instant,
}

fn open(told: Told) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    // Read only as fast as the client takes it: nothing piles up here.
    let pages = stream::unfold(told, |mut told| async move {
        let lines = told.next().await?;
        Some((stream::iter(lines), told))
    });
    Sse::new(pages.flatten().map(Ok))
}

impl Told {
    /// The next lines; none when the stream ends.
    async fn next(&mut self) -> Option<Vec<Event>> {
        loop {
            if self.following.is_over() || Instant::now() >= self.until {
                return None;
            }
            let page = match self.app.store.search_events(&self.search).await {
                Ok(page) => page,
                Err(error) => {
                    // The client comes again and goes on where it was.
                    tracing::warn!(%error, "a stream of events is broken off");
                    return None;
                }
            };
            self.search.after = page.searched_to;
            if !page.items.is_empty() {
                return Some(page.items.into_iter().filter_map(line).collect());
            }
            if !page.more {
                self.following.changed(self.until).await;
            }
        }
    }
}

fn line(named: thirdboot_store::NamedEvent) -> Option<Event> {
    let view = view(named);
    let event = Event::default().id(view.id.to_string()).event(&view.event);
    event.json_data(&view).ok()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http_body_util::BodyExt as _;
    use serde_json::{Value, json};

    use crate::testing::TestApp;

    /// Reads a stream until so many events came; gives their ids and data.
    async fn events(mut body: Body, count: usize) -> Vec<(u64, Value)> {
        let mut text = String::new();
        let mut found = Vec::new();
        while found.len() < count {
            let frame = body.frame().await.expect("the stream ended").unwrap();
            text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
            found = text.split_terminator("\n\n").filter_map(parse).collect();
        }
        found
    }

    fn parse(event: &str) -> Option<(u64, Value)> {
        let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
        let id = field("id: ")?.parse().unwrap();
        Some((id, serde_json::from_str(field("data: ")?).unwrap()))
    }

    #[tokio::test]
    async fn a_stream_tells_what_happens_from_now_on() {
        let site = TestApp::new().await;
        site.host("a1", 1).await;
        let response = site.open_stream("/api/v1/events/stream", None).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        site.host("a2", 2).await;
        site.api_post("/api/v1/hosts/a1/hold", &json!({"reason": "fan"})).await;
        let told = events(response.into_body(), 2).await;
        assert_eq!(
            (&told[0].1["host"], &told[1].1["message"]),
            (&json!("a2"), &json!("fan"))
        );
        assert_eq!(told[0].1["id"], told[0].0);
    }

    #[tokio::test]
    async fn a_client_that_was_cut_off_misses_nothing_and_gets_nothing_twice() {
        let site = TestApp::new().await;
        for n in 1..=5 {
            site.host(&format!("a{n}"), n).await;
        }
        let first = site.open_stream("/api/v1/events/stream?after=0", None).await;
        let (last, _) = events(first.into_body(), 2).await.remove(1);
        let resumed = site
            .open_stream("/api/v1/events/stream?after=0", Some(&last.to_string()))
            .await;
        let told = events(resumed.into_body(), 3).await;
        let names: Vec<&Value> = told.iter().map(|(_, event)| &event["host"]).collect();
        assert_eq!(names, ["a3", "a4", "a5"]);
    }

    #[tokio::test]
    async fn a_hosts_stream_tells_of_that_host_and_of_what_was_asked() {
        let site = TestApp::new().await;
        site.armed("a1", 1).await;
        site.armed("a2", 2).await;
        let response = site
            .open_stream("/api/v1/hosts/a1/events/stream?kind=hold,armed&after=0", None)
            .await;
        site.api_post("/api/v1/hosts/a2/hold", &json!({"reason": "x"})).await;
        site.api_post("/api/v1/hosts/a1/cancel", &json!({})).await;
        site.api_post("/api/v1/hosts/a1/hold", &json!({"reason": "y"})).await;
        let told = events(response.into_body(), 2).await;
        assert_eq!(
            (&told[0].1["event"], &told[1].1["message"]),
            (&json!("armed"), &json!("y"))
        );
    }

    #[tokio::test]
    async fn a_stream_ends_when_the_server_stops() {
        let site = TestApp::new().await;
        let response = site.open_stream("/api/v1/events/stream", None).await;
        let (text, ()) = tokio::join!(response.into_body().collect(), async {
            tokio::task::yield_now().await;
            site.app.followers.close();
        });
        assert!(text.unwrap().to_bytes().is_empty());
    }

    #[tokio::test]
    async fn a_stream_that_cannot_be_is_refused_before_it_begins() {
        let site = TestApp::new().await;
        let refused = site.open_stream("/api/v1/events/stream", Some("yesterday")).await;
        assert_eq!(refused.status(), 422);
        for (path, status) in [
            ("/api/v1/events/stream?limit=3", 422),
            ("/api/v1/events/stream?host=none", 404),
            ("/api/v1/hosts/none/events/stream", 404),
            ("/api/v1/hosts/none/events/stream?host=a1", 422),
        ] {
            assert_eq!(site.api_get(path).await.problem().0, status, "{path}");
        }
    }
}
