//! The log, of a host or of the fleet: searched, and waited for.

use std::time::{Duration, Instant};

use axum::Json as Answered;
use axum::extract::State;
use jiff::Timestamp;
use thirdboot_api::control::{EventView, EventsPage};
use thirdboot_lifecycle::RunNumber;
use thirdboot_store::{Actor, EventSearch, NamedEvent};

use super::auth::Viewer;
use super::hosts::named;
use super::query::Query;
use crate::App;
use crate::path::Path;
use crate::problem::{Answer, Failure};

/// How long a request may wait, in seconds: proxies give up after a minute.
pub(super) const MAX_WAIT_S: u64 = 55;
/// Names that one search looks for.
const MAX_KINDS: usize = 32;

/// What every way of reading the log takes.
const FILTERS: [&str; 6] = ["run", "kind", "refused", "after", "since", "limit"];

/// Lists a host's log, oldest first, and waits for what is to come.
#[utoipa::path(
    get, path = "/api/v1/hosts/{name}/events", tag = "watching", operation_id = "list_host_events", security(("token" = ["viewer"])),
    params(
        ("name" = String, Path, description = "The host's name", example = "node-1"),
        ("run" = Option<u32>, Query, description = "Of this run of each host only"),
        ("kind" = Option<String>, Query, description = "Only events of these names, separated by commas", example = "armed,stall"),
        ("refused" = Option<bool>, Query, description = "Only what was refused, or only what was not"),
        ("after" = Option<u64>, Query, description = "Events with greater numbers only: `searched_to` of the part before"),
        ("since" = Option<String>, Query, description = "Not older than this time (RFC 3339)", example = "2026-09-01T12:00:00Z"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Rows of a part; 100 when left out"),
        ("wait" = Option<u64>, Query, minimum = 0, maximum = 55, description = "Waits so many seconds for the first event, from now on when there is no `after` and no `since`; 0 when left out"),
    ),
    responses((status = 200, description = "A part of the log", body = EventsPage)),
)]
pub(super) async fn list(
    State(app): State<App>,
    _: Viewer,
    Path(name): Path<String>,
    query: Query,
) -> Answer<Answered<EventsPage>> {
    let query = query.only(&[&FILTERS[..], &["wait"]].concat())?;
    let mut search = search(&query)?;
    search.host = Some(named(&app, &name).await?.id);
    found(&app, search, &query).await
}

/// Lists the fleet's log, oldest first, and waits for what is to come.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "watching", operation_id = "list_events", security(("token" = ["viewer"])),
    params(
        ("host" = Option<String>, Query, description = "Of this host only"),
        ("run" = Option<u32>, Query, description = "Of this run of each host only"),
        ("kind" = Option<String>, Query, description = "Only events of these names, separated by commas", example = "armed,stall"),
        ("refused" = Option<bool>, Query, description = "Only what was refused, or only what was not"),
        ("after" = Option<u64>, Query, description = "Events with greater numbers only: `searched_to` of the part before"),
        ("since" = Option<String>, Query, description = "Not older than this time (RFC 3339)", example = "2026-09-01T12:00:00Z"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Rows of a part; 100 when left out"),
        ("wait" = Option<u64>, Query, minimum = 0, maximum = 55, description = "Waits so many seconds for the first event, from now on when there is no `after` and no `since`; 0 when left out"),
    ),
    responses((status = 200, description = "A part of the log", body = EventsPage)),
    extensions(("x-problems" = json!(["not-found"]))),
)]
pub(super) async fn list_all(State(app): State<App>, _: Viewer, query: Query) -> Answer<Answered<EventsPage>> {
    let query = query.only(&[&FILTERS[..], &["host", "wait"]].concat())?;
    let mut search = search(&query)?;
    search.host = host(&app, &query).await?;
    found(&app, search, &query).await
}

/// The host that a search of the whole log is narrowed to.
pub(super) async fn host(app: &App, query: &Query) -> Result<Option<thirdboot_store::HostId>, Failure> {
    match query.get::<String>("host")? {
        Some(name) => Ok(Some(named(app, &name).await?.id)),
        None => Ok(None),
    }
}

/// What is looked for, but for the host.
pub(super) fn search(query: &Query) -> Result<EventSearch, Failure> {
    let kinds: Vec<String> = query.get::<String>("kind")?.map_or_else(Vec::new, |kinds| {
        kinds.split(',').map(|kind| kind.trim().to_owned()).collect()
    });
    let is_kind = |kind: &String| {
        (1..=64).contains(&kind.len())
            && kind
                .bytes()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
    };
    if kinds.len() > MAX_KINDS || !kinds.iter().all(is_kind) {
        let expected =
            format!("expected at most {MAX_KINDS} names of events such as layered-boot, separated by commas");
        return Err(Failure::field("kind", expected));
    }
    Ok(EventSearch {
        host: None,
        run: query.get::<u32>("run")?.map(RunNumber),
        kinds,
        refused: query.get::<bool>("refused")?,
        after: query.get("after")?.unwrap_or(0),
        since: query.get::<Timestamp>("since")?,
        limit: query.limit()?,
    })
}

fn wait(query: &Query) -> Result<Duration, Failure> {
    match query.get::<u64>("wait")?.unwrap_or(0) {
        seconds @ 0..=MAX_WAIT_S => Ok(Duration::from_secs(seconds)),
        _ => Err(Failure::field("wait", format!("expected 0 to {MAX_WAIT_S} seconds"))),
    }
}

/// A page, as soon as there is something in it or the time is over.
async fn found(app: &App, mut search: EventSearch, query: &Query) -> Answer<Answered<EventsPage>> {
    let wait = wait(query)?;
    if !wait.is_zero() && !query.has("after") && !query.has("since") {
        search.after = app.store.changed(0, Duration::ZERO).await;
    }
    let until = Instant::now() + wait;
    let mut following = None;
    loop {
        if following.is_none() && !wait.is_zero() {
            following = Some(app.followers.follow(app.store.as_ref(), search.host).await);
        }
        let page = app.store.search_events(&search).await?;
        let is_answer = !page.items.is_empty();
        search.after = page.searched_to;
        // Lines that match nothing are passed over at once; those that are to come are waited for.
        let goes_on = match &mut following {
            Some(_) if !is_answer && page.more => true,
            Some(following) if !is_answer => following.changed(until).await,
            _ => false,
        };
        if !goes_on {
            return Ok(Answered(EventsPage {
                items: page.items.into_iter().map(view).collect(),
                next_cursor: page.more.then(|| page.searched_to.to_string()),
                searched_to: page.searched_to,
            }));
        }
    }
}

/// A line as the API shows it.
pub(super) fn view(named: NamedEvent) -> EventView {
    let event = named.event;
    let entry = event.entry;
    let (boot_id, seq) = entry.report.unzip();
    EventView {
        id: event.number,
        at: event.at,
        host: named.host_name,
        event: entry.event,
        by: match entry.by {
            Actor::Host => "host".to_owned(),
            Actor::Server => "server".to_owned(),
            by @ (Actor::Token(_) | Actor::User(_)) => by.to_string(),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::secrets::Purpose;
    use crate::testing::{BOOT_ID, TestApp};

    #[tokio::test]
    async fn a_hosts_log_tells_who_did_what_and_is_read_in_parts() {
        let site = TestApp::new().await;
        let host = site.armed("a1", 1).await.id;
        site.armed("a2", 2).await;
        site.tell(host, Purpose::Live, 7, "live", json!({"message": "hello"}))
            .await;
        let all = site.api_get("/api/v1/hosts/a1/events").await.json();
        let names: Vec<&str> = all["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|event| event["event"].as_str())
            .collect();
        assert_eq!(names, ["added", "armed", "live"]);
        let (armed, live) = (&all["items"][1], &all["items"][2]);
        assert_eq!(
            (&armed["by"], &armed["run"], &armed["stage"]),
            (&json!("admin"), &json!(1), &json!("armed"))
        );
        assert_eq!(
            (&live["boot_id"], &live["seq"], &live["message"]),
            (&json!(BOOT_ID), &json!(7), &json!("hello"))
        );
        let first = site.api_get("/api/v1/hosts/a1/events?limit=1").await.json();
        let cursor = first["next_cursor"].as_str().unwrap();
        let rest = site
            .api_get(&format!("/api/v1/hosts/a1/events?after={cursor}"))
            .await
            .json();
        assert_eq!(
            (rest["items"].as_array().unwrap().len(), &rest["next_cursor"]),
            (2, &json!(null))
        );
    }

    #[tokio::test]
    async fn the_fleets_log_is_searched() {
        let site = TestApp::new().await;
        let host = site.armed("a1", 1).await.id;
        site.armed("a2", 2).await;
        let early = TestApp::report(1, "ready", &json!({}));
        site.post("/v1/report", &site.secret(Purpose::Host, host, 1), &early)
            .await;
        let told = async |query: &str| -> Vec<String> {
            let page = site.api_get(&format!("/api/v1/events?{query}")).await.json();
            let word = |event: &serde_json::Value, key: &str| event[key].as_str().unwrap().to_owned();
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|event| format!("{} {}", word(event, "host"), word(event, "event")))
                .collect()
        };
        assert_eq!(
            told("").await,
            ["a1 added", "a1 armed", "a2 added", "a2 armed", "a1 ready"]
        );
        assert_eq!(told("host=a2").await, ["a2 added", "a2 armed"]);
        assert_eq!(told("kind=armed,ready").await, ["a1 armed", "a2 armed", "a1 ready"]);
        assert_eq!(told("refused=true").await, ["a1 ready"]);
        assert_eq!(told("run=1&refused=false").await, ["a1 armed", "a2 armed"]);
        assert_eq!(told("since=2040-01-01T00:00:00Z").await, Vec::<String>::new());
        assert_eq!(told("after=3&limit=1").await, ["a2 armed"]);
        let nobody = site.api_get("/api/v1/events?host=none").await;
        assert_eq!(nobody.problem().0, 404);
        for (query, field) in [
            ("kind=Armed", "kind"),
            ("kind=", ""),
            ("run=x", "run"),
            ("refused=maybe", "refused"),
            ("since=yesterday", "since"),
            ("wait=56", "wait"),
            ("wait=-1", "wait"),
            ("after=x", "after"),
            ("hosts=a1", "hosts"),
        ] {
            let reply = site.api_get(&format!("/api/v1/events?{query}")).await;
            if field.is_empty() {
                assert_eq!(reply.status, 200, "{query}");
            } else {
                let (status, _, at) = reply.problem();
                assert_eq!((status, at.as_str()), (422, field));
            }
        }
    }

    #[tokio::test]
    async fn a_long_poll_is_answered_by_what_it_waits_for() {
        let site = TestApp::new().await;
        site.host("a1", 1).await;
        let last = site.api_get("/api/v1/events").await.json()["searched_to"]
            .as_u64()
            .unwrap();
        let path = format!("/api/v1/hosts/a1/events?after={last}&kind=hold&wait=50");
        let (polled, ()) = tokio::join!(site.api_get(&path), async {
            site.api_post("/api/v1/hosts/a1/release", &json!({})).await;
            site.arm("a1").await;
            site.api_post("/api/v1/hosts/a1/hold", &json!({"reason": "fan"})).await;
        });
        let polled = polled.json();
        assert_eq!(polled["items"][0]["message"], "fan");
        assert!(polled["searched_to"].as_u64().unwrap() > last, "{polled}");
    }

    #[tokio::test]
    async fn a_long_poll_ends_with_nothing_when_the_server_stops() {
        let site = TestApp::new().await;
        site.host("a1", 1).await;
        let (polled, ()) = tokio::join!(site.api_get("/api/v1/events?after=1&wait=50"), async {
            tokio::task::yield_now().await;
            site.app.followers.close();
        });
        assert_eq!(polled.json()["items"], json!([]));
    }
}
