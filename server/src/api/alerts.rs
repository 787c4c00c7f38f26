//! What is wrong with machines beside their runs.

use axum::Json as Answered;
use axum::extract::State;
use jiff::Timestamp;
use thirdboot_api::control::{AlertKind, AlertView, HostAlerts, Page};
use thirdboot_lifecycle::{AlertLimits, alerts};
use thirdboot_store::{HostFilter, HostState, StoreError};

use super::auth::Viewer;
use super::query::Query;
use crate::App;
use crate::problem::Answer;

/// Hosts that are read at once.
const AT_ONCE: u32 = 500;
/// Hosts that one request looks at: a large fleet is looked through in parts.
const LOOKED_AT: u32 = 10_000;

/// The alerts of one host.
pub(super) fn of(state: &HostState, app: &App, limits: &AlertLimits, now: Timestamp) -> Vec<AlertView> {
    let lock = app.locks.of(state.id);
    let found = alerts(
        &state.host,
        state.run.as_ref(),
        state.observed.as_ref(),
        lock.as_ref(),
        limits,
        now,
    );
    found
        .into_iter()
        .map(|alert| AlertView {
            kind: alert.kind.as_str().to_owned(),
            since: alert.since,
            says: alert.says,
            advice: alert.advice,
        })
        .collect()
}

/// Lists hosts with alerts, by name.
///
/// Alerts are derived anew from what was seen, so that hosts are looked through one by one: a part can be empty and
/// have more after it.
#[utoipa::path(
    get, path = "/api/v1/alerts", tag = "watching", operation_id = "list_alerts", security(("token" = ["viewer"])),
    params(
        ("kind" = Option<AlertKind>, Query, description = "Only alerts of this kind"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Rows of a part; 100 when left out"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the part before"),
    ),
    responses((status = 200, description = "A part of the hosts that have alerts", body = Page<HostAlerts>)),
)]
pub(super) async fn list(State(app): State<App>, _: Viewer, query: Query) -> Answer<Answered<Page<HostAlerts>>> {
    let query = query.only(&["kind", "limit", "cursor"])?;
    let kind: Option<AlertKind> = query.get("kind")?;
    let filter = HostFilter {
        after: query.get("cursor")?,
        limit: query.limit()?,
        ..HostFilter::default()
    };
    let (limits, now) = (app.store.timing().alerts, app.store.now());
    let page = sift(&app, filter, |state| {
        let mut alerts = of(state, &app, &limits, now);
        alerts.retain(|alert| kind.is_none_or(|kind| alert.kind == kind.as_str()));
        let host = state.host.name.to_string();
        (!alerts.is_empty()).then_some(HostAlerts { host, alerts })
    });
    Ok(Answered(page.await?))
}

/// A part of the hosts of a filter that are picked one by one. It can be empty and have more after it.
pub(super) async fn sift<T>(
    app: &App,
    filter: HostFilter,
    pick: impl Fn(&HostState) -> Option<T>,
) -> Result<Page<T>, StoreError> {
    let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
    let mut filter = HostFilter {
        limit: AT_ONCE,
        ..filter
    };
    let mut items = Vec::new();
    let mut has_more = true;
    for _ in 0..LOOKED_AT / AT_ONCE {
        let page = app.store.hosts(&filter).await?;
        for state in &page.items {
            filter.after = Some(state.host.name.clone());
            items.extend(pick(state));
            if items.len() == limit {
                break;
            }
        }
        has_more = page.more || items.len() == limit;
        if !page.more || items.len() == limit {
            break;
        }
    }
    let next_cursor = filter.after.filter(|_| has_more).map(|name| name.to_string());
    Ok(Page { items, next_cursor })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use thirdboot_lifecycle::HostName;

    use crate::secrets::Purpose;
    use crate::testing::TestApp;

    /// Host `n` is ready, and says this of itself after a reboot.
    async fn rebooted(site: &TestApp, name: &str, n: u8, facts: Value) {
        let host = site.networked(name, n, json!({})).await.id;
        site.tell(host, Purpose::Host, 7, "ready", json!({})).await;
        site.tell(host, Purpose::Host, 8, "booted", json!({"facts": facts}))
            .await;
    }

    async fn kinds(site: &TestApp, name: &str) -> Vec<String> {
        let shown = site.api_get(&format!("/api/v1/hosts/{name}")).await.json();
        let kind = |alert: &Value| alert["kind"].as_str().unwrap().to_owned();
        shown["alerts"].as_array().unwrap().iter().map(kind).collect()
    }

    #[tokio::test]
    async fn a_ready_host_that_is_well_has_none() {
        let site = TestApp::new().await;
        rebooted(
            &site,
            "a1",
            1,
            json!({"deployment": "layered", "os_version": "43.1", "missing": []}),
        )
        .await;
        assert_eq!(kinds(&site, "a1").await, Vec::<String>::new());
        let shown = site.api_get("/api/v1/hosts/a1").await.json();
        assert_eq!(shown["os_version"], "43.1");
    }

    #[tokio::test]
    async fn a_rollback_that_lacks_packages_is_told_twice() {
        let site = TestApp::new().await;
        rebooted(
            &site,
            "a1",
            1,
            json!({"deployment": "base", "missing": ["k3s-selinux"]}),
        )
        .await;
        assert_eq!(kinds(&site, "a1").await, ["packages-missing", "rolled-back"]);
        let shown = site.api_get("/api/v1/hosts/a1").await.json();
        assert_eq!(shown["alerts"][0]["says"], "the booted deployment lacks k3s-selinux");
    }

    #[tokio::test]
    async fn silence_after_a_reboot_is_told_until_the_machine_speaks() {
        let site = TestApp::new().await;
        let host = site.networked("a1", 1, json!({})).await.id;
        site.tell(host, Purpose::Host, 7, "ready", json!({})).await;
        assert_eq!(site.script(1).await.verdict(), "# thirdboot: local host=a1");
        assert_eq!(kinds(&site, "a1").await, Vec::<String>::new());
        site.wait(16);
        assert_eq!(kinds(&site, "a1").await, ["not-back"]);
        site.tell(
            host,
            Purpose::Host,
            8,
            "booted",
            json!({"facts": {"deployment": "newer"}}),
        )
        .await;
        assert_eq!(kinds(&site, "a1").await, Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_card_that_moved_is_told_at_both_hosts() {
        let site = TestApp::new().await;
        site.host_with("a1", 1, json!({"serial": "S1"})).await;
        site.host("a2", 2).await;
        let moved = site.get("/ipxe?mac=52:54:00:00:00:02&serial=S1").await;
        assert_eq!(moved.verdict(), "# thirdboot: hold reason=conflict");
        for name in ["a1", "a2"] {
            assert_eq!(kinds(&site, name).await, ["identifiers-conflict"]);
        }
        site.wait(25 * 60);
        assert_eq!(kinds(&site, "a1").await, Vec::<String>::new());
    }

    #[tokio::test]
    async fn hosts_with_alerts_are_listed_by_kind_and_in_parts() {
        let site = TestApp::new().await;
        rebooted(&site, "a1", 1, json!({"missing": ["htop"]})).await;
        site.host("a2", 2).await;
        rebooted(&site, "a3", 3, json!({"deployment": "base"})).await;
        let names = async |query: &str| -> Vec<Value> {
            let page = site.api_get(&format!("/api/v1/alerts{query}")).await.json();
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["host"].clone())
                .collect()
        };
        assert_eq!(names("").await, ["a1", "a3"]);
        assert_eq!(names("?kind=rolled-back").await, ["a3"]);
        assert_eq!(names("?kind=lock-held").await, Vec::<Value>::new());
        let listed = async |query: &str| -> Vec<Value> {
            let page = site.api_get(&format!("/api/v1/hosts?{query}")).await.json();
            let items = page["items"].as_array().unwrap();
            items.iter().map(|host| host["name"].clone()).collect()
        };
        assert_eq!(listed("alert=rolled-back").await, ["a3"]);
        assert_eq!(listed("alert=rolled-back&alert=packages-missing").await, ["a1", "a3"]);
        assert_eq!(listed("alert=rolled-back&q=a1").await, Vec::<Value>::new());
        let first = site
            .api_get("/api/v1/hosts?alert=rolled-back&alert=packages-missing&limit=1")
            .await
            .json();
        assert_eq!(
            (&first["items"][0]["name"], &first["next_cursor"]),
            (&json!("a1"), &json!("a1"))
        );
        let first = site.api_get("/api/v1/alerts?limit=1").await.json();
        assert_eq!(first["next_cursor"], "a1");
        assert_eq!(names("?limit=1&cursor=a1").await, ["a3"]);
        for (query, field) in [
            ("kind=sad", "kind"),
            ("limit=0", "limit"),
            ("cursor=%2f", "cursor"),
            ("x=1", "x"),
        ] {
            let (status, _, at) = site.api_get(&format!("/api/v1/alerts?{query}")).await.problem();
            assert_eq!((status, at.as_str()), (422, field));
        }
    }

    /// The same machine in the same stage gets the same answer and keeps its run, whatever is alarming about it.
    #[tokio::test]
    async fn alerts_change_no_run_and_no_boot_answer() {
        let site = TestApp::new().await;
        site.host("a1", 1).await;
        site.host_with("other", 2, json!({"serial": "S9"})).await;
        assert_eq!(site.arm("a1").await.status, 200);
        site.script(1).await;
        let before = site.state("a1").await;
        site.get("/ipxe?mac=52:54:00:00:00:01&serial=S9").await;
        let after = site.state("a1").await;
        assert_eq!(kinds(&site, "a1").await, ["identifiers-conflict"]);
        assert_eq!((after.run, after.host), (before.run, before.host));
        assert_eq!(site.script(1).await.verdict(), "# thirdboot: install host=a1 run=1");

        rebooted(&site, "a3", 3, json!({"deployment": "base", "missing": ["htop"]})).await;
        let run = site.state("a3").await.run.unwrap();
        site.script(3).await;
        site.wait(30);
        assert_eq!(
            kinds(&site, "a3").await,
            ["packages-missing", "not-back", "rolled-back"]
        );
        let now = site.state("a3").await.run.unwrap();
        assert_eq!((now.stage, now.ended, now.permit), (run.stage, run.ended, run.permit));
        assert_eq!(site.script(3).await.verdict(), "# thirdboot: local host=a3");
        assert_eq!(
            site.app.store.due(site.app.store.now(), 9).await.unwrap().len(),
            1,
            "a1's stall alone is due"
        );
        assert!(
            site.app
                .store
                .host(&"a3".parse::<HostName>().unwrap())
                .await
                .unwrap()
                .is_some()
        );
    }
}
