//! Hosts: added, listed, counted, shown.

use std::collections::BTreeMap;

use axum::Json as Answered;
use axum::extract::State;
use axum::response::IntoResponse as _;
use thirdboot_api::ProblemType;
use thirdboot_api::control::{AlertKind, HostCountsView, HostSpec, HostView, Page};
use thirdboot_lifecycle::{HostName, Stage};
use thirdboot_store::{HostState, StoreError};

use super::alerts::sift;
use super::auth::{Operator, Viewer};
use super::describe::{described, placed};
use super::filter::{Listing, listing};
use super::fitting::fits;
use super::once::{Made, Once};
use super::query::Query;
use super::version::{etag, with_etag};
use super::view::view;
use crate::App;
use crate::boot::Json;
use crate::observe;
use crate::path::Path;
use crate::problem::{Answer, Failure};
use crate::templates::check_host;

/// Adds a host.
///
/// Only the name is needed; whatever is left out has its default.
#[utoipa::path(
    post, path = "/api/v1/hosts", tag = "hosts", operation_id = "create_host", security(("token" = ["operator"])),
    request_body = HostSpec,
    responses((
        status = 201, description = "The host as it was added", body = HostView,
        headers(("ETag" = String, description = "Names this version of the description"), ("Location" = String)),
    )),
    extensions(("x-problems" = json!(["already-taken", "refused"])), ("x-idempotent" = json!(true))),
)]
pub(super) async fn create(
    State(app): State<App>,
    Operator(by): Operator,
    once: Once,
    Json(spec): Json<HostSpec>,
) -> Answer<Made> {
    let host = described(&spec)?;
    let (keep, made) = once.answered(&app, &by, "create_host", &spec).await?;
    if let Some(made) = made {
        return Ok(made);
    }
    fits(&app, &host).await?;
    check_host(&app, &host).await?;
    let hosts = vec![host.clone()];
    let added = match keep.key() {
        None => app.store.add_hosts(hosts, by.clone()).await,
        Some(key) => {
            let (app_there, keep) = (app.clone(), keep.clone());
            let render = move |added: &[HostState]| keep.sealed(&app_there, &made_of(added, &app_there)?);
            let render = move |added: &[HostState]| {
                render(added).map_err(|_| StoreError::Unavailable("the answer cannot be sealed".to_owned()))
            };
            app.store.add_hosts_once(hosts, by.clone(), key, Box::new(render)).await
        }
    };
    match added {
        Ok(added) => {
            tracing::info!(host = %host.name, %by, "host added");
            made_of(&added, &app)
        }
        Err(error) => match keep.raced(&app, &error).await? {
            Some(made) => Ok(made),
            None => Err(placed(error, &host)),
        },
    }
}

/// What is answered to who added a host.
pub(super) fn made_of(added: &[HostState], app: &App) -> Result<Made, Failure> {
    let state = added.first().ok_or_else(|| Failure::internal("no host was added"))?;
    let path = format!("/api/v1/hosts/{}", state.host.name);
    Ok(Made::at(path, &view(state, app))?.tagged(etag(&state.host)))
}

/// Lists hosts by name.
///
/// Filters narrow the list down together.
#[utoipa::path(
    get, path = "/api/v1/hosts", tag = "hosts", operation_id = "list_hosts", security(("token" = ["viewer"])),
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Rows of a part; 100 when left out"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the part before"),
        ("q" = Option<String>, Query, max_length = 200, description = "Words, each of which is a part of the name, a MAC \
            in any notation, the serial, the UUID, an address or a label (`key=value`), in any case"),
        ("stage" = Option<String>, Query, description = "Where the last run stands; `none` for hosts without any",
            example = "installing"),
        ("role" = Option<thirdboot_api::control::Role>, Query, description = "What they become"),
        ("cluster" = Option<String>, Query, description = "Which cluster they join"),
        ("platform" = Option<thirdboot_api::control::Platform>, Query, description = "Where they stand"),
        ("label" = Option<String>, Query, description = "A label they have: `key` or `key=value`; may be repeated",
            example = "rack=7"),
        ("stalled" = Option<bool>, Query, description = "Whether the last run is past its stage's deadline"),
        ("failed" = Option<bool>, Query, description = "Whether the last run failed"),
        ("held" = Option<bool>, Query, description = "Whether the brake is on"),
        ("adopted" = Option<bool>, Query, description = "Whether they were adopted and not yet armed or released"),
        ("retired" = Option<bool>, Query, description = "Whether they are out of service"),
        ("alert" = Option<AlertKind>, Query, description = "What is wrong with them beside their runs; may be repeated: one \
            of these. Alerts are derived anew: a part can then be empty and have more after it"),
    ),
    responses((status = 200, description = "A part of the list", body = Page<HostView>)),
)]
pub(super) async fn list(State(app): State<App>, _: Viewer, query: Query) -> Answer<Answered<Page<HostView>>> {
    let Listing { filter, alerts } = listing(query)?;
    if !alerts.is_empty() {
        let is_wanted = |shown: &HostView| {
            let mut kinds = shown.alerts.iter().map(|alert| alert.kind.as_str());
            kinds.any(|kind| alerts.iter().any(|wanted| wanted.as_str() == kind))
        };
        let picked = sift(&app, filter, |state| Some(view(state, &app)).filter(is_wanted));
        return Ok(Answered(picked.await?));
    }
    let page = app.store.hosts(&filter).await?;
    let last = page.items.last().map(|state| state.host.name.to_string());
    Ok(Answered(Page {
        items: page.items.iter().map(|state| view(state, &app)).collect(),
        next_cursor: last.filter(|_| page.more),
    }))
}

/// Counts hosts by where they stand.
#[utoipa::path(
    get, path = "/api/v1/host-counts", tag = "hosts", operation_id = "count_hosts", security(("token" = ["viewer"])),
    responses((status = 200, description = "How many there are of each kind", body = HostCountsView)),
)]
pub(super) async fn counts(State(app): State<App>, _: Viewer) -> Answer<Answered<HostCountsView>> {
    let census = app.store.census().await?;
    let stages: BTreeMap<_, _> = Stage::ALL
        .iter()
        .map(|stage| (stage.to_string(), census.runs.get(stage).copied().unwrap_or(0)))
        .collect();
    Ok(Answered(HostCountsView {
        total: census.hosts,
        never_armed: census.hosts.saturating_sub(stages.values().sum()),
        stages,
        stalled: census.stalled,
        held: census.held,
        retired: census.retired,
    }))
}

/// Shows a host.
#[utoipa::path(
    get, path = "/api/v1/hosts/{name}", tag = "hosts", operation_id = "get_host", security(("token" = ["viewer"])),
    params(("name" = String, Path, description = "The host's name", example = "node-1")),
    responses((
        status = 200, description = "The host", body = HostView,
        headers(("ETag" = String, description = "Names this version of the description")),
    )),
)]
pub(super) async fn show(State(app): State<App>, _: Viewer, Path(name): Path<String>) -> Answer {
    let state = named(&app, &name).await?;
    Ok(with_etag(etag(&state.host), view(&state, &app)).into_response())
}

/// The host of that name.
pub(super) async fn named(app: &App, name: &str) -> Result<HostState, Failure> {
    let shown: String = name.chars().take(80).collect();
    let none = || Failure::new(ProblemType::NotFound, format!("there is no host {shown:?}"));
    // What is no name is no host's name.
    let name: HostName = name.parse().map_err(|_| none())?;
    let state = app.store.host(&name).await?.ok_or_else(none)?;
    observe::concerns(&state);
    Ok(state)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Method;
    use serde_json::{Value, json};

    use crate::testing::TestApp;

    #[tokio::test]
    async fn a_host_is_added_and_shown_as_described() {
        let site = TestApp::new().await;
        let mut host = TestApp::described("a1", 1);
        host["macs"] = json!(["5254.0000.0001"]);
        host["network"] = json!({"uplink": {"method": "static", "addresses": ["192.0.2.10/24"], "gateways": ["192.0.2.1"]},
            "bond": {"ports": ["52:54:00:00:00:01", "52:54:00:00:00:02"]}, "vlans": [{"id": 1000, "addresses": ["10.0.0.2/24"], "mtu": 1500}]});
        host["install"] = json!({"disk_boot": "exit-1", "console": ["ttyS1,115200n8"]});
        host["console_password_hash"] = json!("$6$salt$hashhashhash");
        host["labels"] = json!({"rack": "7"});
        let added = site.api_post("/api/v1/hosts", &host).await;
        assert_eq!(added.status, 201, "{}", added.text());
        let shown = site.api_get("/api/v1/hosts/a1").await.json();
        assert_eq!(shown, added.json());
        assert_eq!(shown["macs"], json!(["52:54:00:00:00:01"]));
        assert_eq!(shown["network"]["bond"]["mode"], "802.3ad");
        assert_eq!(shown["network"]["vlans"], host["network"]["vlans"]);
        assert_eq!(
            (&shown["install"]["disk_boot"], &shown["labels"]["rack"]),
            (&json!("exit-1"), &json!("7"))
        );
        assert_eq!(shown["has_console_password"], true);
        assert!(!site.api_get("/api/v1/hosts").await.text().contains("hashhash"));
    }

    #[tokio::test]
    async fn what_cannot_be_a_host_is_422_and_names_the_field() {
        let site = TestApp::new().await;
        let cut_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPJyZaraVOOlFs4Q a@b";
        let cases: [(&str, Value, &str); 20] = [
            ("name", json!("A_1"), "name"),
            ("macs", json!(["52:54:00:00:00:01", "52-54-00-00-00-01"]), "macs[1]"),
            ("macs", json!(["zz"]), "macs[0]"),
            ("serial", json!("To be filled by O.E.M."), "serial"),
            ("uuid", json!("x"), "uuid"),
            ("role", json!("boss"), "role"),
            ("ssh_keys", json!([cut_key]), "ssh_keys[0]"),
            (
                "ssh_keys",
                json!(["ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIPJyZaraVOOlFs4QMLzv1hJHdrDtkG1UqHbJfFJJ8Bmz"]),
                "ssh_keys[0]",
            ),
            ("packages", json!(["vim", "a b"]), "packages[1]"),
            ("labels", json!({"a b": "x"}), "labels.a b"),
            ("install", json!({"console": ["ttyS0 quiet"]}), "install.console[0]"),
            (
                "install",
                json!({"kernel_arguments": ["a\"b"]}),
                "install.kernel_arguments[0]",
            ),
            ("install", json!({"disk": "/dev/sda"}), "install.disk"),
            ("install", json!({"version": "../x"}), "install.version"),
            (
                "network",
                json!({"vlans": [{"id": 1, "addresses": ["10.0.0.2/24"]}]}),
                "network.vlans[0].id",
            ),
            (
                "network",
                json!({"uplink": {"method": "static", "addresses": ["x"], "gateways": []}}),
                "network.uplink.addresses[0]",
            ),
            (
                "network",
                json!({"bond": {"down_delay_ms": 150}}),
                "network.bond.down_delay_ms",
            ),
            (
                "network",
                json!({"uplink": {"method": "static", "addresses": ["192.0.2.5/24"], "gateways": ["192.0.3.1"]}}),
                "network.uplink.gateways[0]",
            ),
            (
                "network",
                json!({"vlans": [{"id": 7, "pool": {"ipv4": {"prefix": "fd00::/64"}}}]}),
                "network.vlans[0].pool.ipv4.prefix",
            ),
            ("mac", json!("52:54:00:00:00:01"), "mac"),
        ];
        for (name, value, field) in cases {
            let mut host = TestApp::described("a1", 1);
            host[name] = value;
            let reply = site.api_post("/api/v1/hosts", &host).await;
            let (status, kind, at) = reply.problem();
            assert_eq!((status, kind.as_str()), (422, "malformed"), "{}", reply.text());
            assert!(at.starts_with(field), "{at} is not {field}: {}", reply.text());
        }
        assert_eq!(site.api_get("/api/v1/hosts").await.json()["items"], json!([]));
    }

    #[tokio::test]
    async fn a_name_or_a_mac_belongs_to_one_host() {
        let site = TestApp::new().await;
        site.host("a1", 1).await;
        let reply = site.api_post("/api/v1/hosts", &TestApp::described("a1", 2)).await;
        assert_eq!(reply.problem(), (409, "already-taken".into(), "name".into()));
        let reply = site.api_post("/api/v1/hosts", &TestApp::described("a2", 1)).await;
        assert_eq!(reply.problem(), (409, "already-taken".into(), "macs".into()));
        assert!(
            reply.json()["detail"].as_str().unwrap().contains("a1"),
            "{}",
            reply.text()
        );
    }

    #[tokio::test]
    async fn an_address_belongs_to_one_host_and_the_field_is_named() {
        let site = TestApp::new().await;
        let network = json!({"bond": {"ports": ["52:54:00:00:00:01", "52:54:00:00:00:77"]}, "vlans": [{"id": 7, "addresses": ["10.1.0.5/24"]}]});
        site.host_with("a1", 1, json!({"network": network})).await;
        for (network, field) in [
            (
                json!({"uplink": {"addresses": ["10.2.0.5/24", "10.1.0.5/24"]}}),
                "network.uplink.addresses[1]",
            ),
            (
                json!({"bond": {"ports": ["52:54:00:00:00:02", "52:54:00:00:00:77"]}}),
                "network.bond.ports[1]",
            ),
            (json!({"port": {"mac": "52:54:00:00:00:77"}}), "network.port.mac"),
        ] {
            let mut host = TestApp::described("a2", 2);
            host["network"] = network;
            let reply = site.api_post("/api/v1/hosts", &host).await;
            assert_eq!(
                reply.problem(),
                (409, "already-taken".into(), field.into()),
                "{}",
                reply.text()
            );
        }
    }

    #[tokio::test]
    async fn a_bond_has_what_is_usual_on_its_platform() {
        let site = TestApp::new().await;
        for (n, platform, expected) in [
            (1, "equinix-metal", json!([200, "fast", "layer3+4"])),
            (2, "metal", json!([0, "slow", "layer2"])),
        ] {
            let name = format!("a{n}");
            let host = json!({"platform": platform, "network": {"bond": {"miimon_ms": 50}}});
            site.host_with(&name, n, host).await;
            let bond = site.api_get(&format!("/api/v1/hosts/{name}")).await.json()["network"]["bond"].clone();
            let seen = json!([bond["up_delay_ms"], bond["lacp_rate"], bond["xmit_hash_policy"]]);
            assert_eq!(seen, expected, "{platform}");
            assert_eq!((&bond["mode"], &bond["miimon_ms"]), (&json!("802.3ad"), &json!(50)));
            assert_eq!(bond["ports"], json!([format!("52:54:00:00:00:0{n}")]), "all its cards");
        }
    }

    #[tokio::test]
    async fn a_pool_gives_an_address_and_says_when_it_has_none() {
        let site = TestApp::new().await;
        let small = json!({"network": {"vlans": [{"id": 7, "pool": {"ipv4": {"prefix": "10.8.0.0/30"}}}]}});
        site.host_with("a1", 1, small.clone()).await;
        let shown = site.api_get("/api/v1/hosts/a1").await.json();
        assert_eq!(shown["network"]["vlans"][0]["addresses"], json!(["10.8.0.2/30"]));
        let mut host = TestApp::described("a2", 2);
        host["network"] = small["network"].clone();
        let reply = site.api_post("/api/v1/hosts", &host).await;
        assert_eq!(reply.problem(), (409, "refused".into(), "network.vlans[0].pool".into()));
    }

    #[tokio::test]
    async fn a_list_goes_on_where_its_cursor_says() {
        let site = TestApp::new().await;
        for n in 1..=5 {
            site.host(&format!("a{n}"), n).await;
        }
        let mut names = Vec::new();
        let mut path = "/api/v1/hosts?limit=2".to_owned();
        loop {
            let page = site.api_get(&path).await.json();
            names.extend(
                page["items"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|host| host["name"].clone()),
            );
            let Some(cursor) = page["next_cursor"].as_str() else {
                break;
            };
            path = format!("/api/v1/hosts?limit=2&cursor={cursor}");
        }
        assert_eq!(names, ["a1", "a2", "a3", "a4", "a5"]);
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=x", "limit"),
            ("cursor=%2f", "cursor"),
            ("page=2", "page"),
        ] {
            let (status, _, at) = site.api_get(&format!("/api/v1/hosts?{query}")).await.problem();
            assert_eq!((status, at.as_str()), (422, field));
        }
    }

    #[tokio::test]
    async fn nothing_is_404_and_a_wrong_method_405() {
        let site = TestApp::new().await;
        for path in [
            "/api/v1/hosts/none",
            "/api/v1/hosts/A_B",
            "/api/v1/hosts/%ff",
            "/api/v1",
            "/nothing",
            "/ipxe",
        ] {
            assert_eq!(site.api_get(path).await.problem().0, 404, "{path}");
        }
        let reply = site
            .api_as(&site.token, Method::DELETE, "/api/v1/hosts", Body::empty())
            .await;
        assert_eq!((reply.problem().0, reply.header("allow")), (405, "GET,HEAD,POST"));
    }
}
