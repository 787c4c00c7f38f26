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

/// Lists a host's log, oldest first.
#[utoipa::path(
    get, path = "/api/v1/hosts/{name}/events", tag = "hosts", operation_id = "list_host_events", security(("token" = ["viewer"])),
    params(
        ("name" = String, Path, description = "The host's name", example = "node-1"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Rows of a part; 100 when left out"),
        ("after" = Option<u64>, Query, description = "Events with greater numbers only: `next_cursor` of the part before"),
    ),
    responses((status = 200, description = "A part of the log", body = Page<EventView>)),
)]
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
}
