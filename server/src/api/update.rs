//! A host's description is replaced, or a part of it.

use axum::extract::State;
use axum::response::IntoResponse as _;
use serde_json::{Map, Value};
use thirdboot_api::ProblemType;
use thirdboot_api::control::{HostPatch, HostSpec, HostView};
use thirdboot_lifecycle::Host;
use thirdboot_store::{Actor, Submission, SubmitError};

use super::auth::Operator;
use super::describe::{described, placed};
use super::fitting::fits;
use super::hosts::named;
use super::version::{IfMatch, etag, with_etag};
use super::view::view;
use crate::App;
use crate::boot::Json;
use crate::path::Path;
use crate::problem::{Answer, Failure};
use crate::templates::check_host;

/// How often an update is tried again when the machine reported meanwhile.
const MAX_TRIES: u32 = 8;
/// What of a host is no part of its description.
const NOT_DESCRIBED: [&str; 4] = ["hold", "adopted", "retired", "key_generation"];

/// Replaces a host's description.
///
/// Whatever is left out gets its default, but for `console_password_hash`: it is never shown, and stays when it is left
/// out. A run that is under way keeps what it was armed with.
#[utoipa::path(
    put, path = "/api/v1/hosts/{name}", tag = "hosts", operation_id = "replace_host",
    security(("token" = ["operator"])),
    params(
        ("name" = String, Path, description = "The host's name", example = "node-1"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the host that was read; `*` for any"),
    ),
    request_body = HostSpec,
    responses((
        status = 200, description = "The host as it is now", body = HostView,
        headers(("ETag" = String, description = "Names this version of the description")),
    )),
    extensions(("x-problems" = json!([
        "already-taken", "changed", "precondition-failed", "precondition-required", "refused"
    ]))),
)]
pub(super) async fn replace(
    State(app): State<App>,
    Operator(by): Operator,
    if_match: IfMatch,
    Path(name): Path<String>,
    Json(spec): Json<HostSpec>,
) -> Answer {
    update(&app, &name, &if_match, by, |host| {
        let mut spec = spec.clone();
        if spec.console_password_hash.is_none() {
            spec.console_password_hash.clone_from(&host.console_password_hash);
        }
        Ok(spec)
    })
    .await
}

/// Changes a part of a host's description.
///
/// A JSON merge patch (RFC 7396): a field that is given is replaced, `null` gives it its default, objects are merged.
#[utoipa::path(
    patch, path = "/api/v1/hosts/{name}", tag = "hosts", operation_id = "update_host",
    security(("token" = ["operator"])),
    params(
        ("name" = String, Path, description = "The host's name", example = "node-1"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the host that was read; `*` for any"),
    ),
    request_body(content(
        (HostPatch = "application/merge-patch+json", example = json!({"labels": {"rack": "8", "row": null}, "packages": ["vim"]})),
        (HostPatch = "application/json", example = json!({"labels": {"rack": "8", "row": null}, "packages": ["vim"]})),
    )),
    responses((
        status = 200, description = "The host as it is now", body = HostView,
        headers(("ETag" = String, description = "Names this version of the description")),
    )),
    extensions(("x-problems" = json!([
        "already-taken", "changed", "precondition-failed", "precondition-required", "refused"
    ]))),
)]
pub(super) async fn patch(
    State(app): State<App>,
    Operator(by): Operator,
    if_match: IfMatch,
    Path(name): Path<String>,
    Json(HostPatch(patch)): Json<HostPatch>,
) -> Answer {
    update(&app, &name, &if_match, by, |host| patched(host, &patch)).await
}

async fn update(
    app: &App,
    name: &str,
    if_match: &IfMatch,
    by: Actor,
    wanted: impl Fn(&Host) -> Result<HostSpec, Failure>,
) -> Answer {
    for _ in 0..MAX_TRIES {
        let state = named(app, name).await?;
        if_match.check(&state.host, true)?;
        let host = described(&wanted(&state.host)?)?;
        if host.name != state.host.name {
            let detail = "a host keeps its name, which its installed disk carries: add another host, retire this one";
            return Err(Failure::field("name", detail));
        }
        fits(app, &host).await?;
        check_host(app, &host).await?;
        let submission = Submission::Update {
            host: Box::new(host.clone()),
            expected_version: state.version,
            by: by.clone(),
        };
        match app.store.submit(state.id, submission).await {
            // The machine reported meanwhile, or somebody else was faster: the version is looked at again.
            Err(SubmitError::Outdated { .. }) => {}
            Err(SubmitError::Store(error)) => return Err(placed(error, &host)),
            Err(error) => return Err(error.into()),
            Ok(_) => {
                let state = named(app, name).await?;
                tracing::info!(host = %state.host.name, %by, "host updated");
                return Ok(with_etag(etag(&state.host), view(&state, app)).into_response());
            }
        }
    }
    Err(Failure::new(ProblemType::Changed, "the host keeps changing: try again"))
}

/// The description with the patch applied. What is wrong with it is named as in any description.
fn patched(host: &Host, patch: &Map<String, Value>) -> Result<HostSpec, Failure> {
    let mut described = serde_json::to_value(host).map_err(Failure::internal)?;
    if let Some(fields) = described.as_object_mut() {
        fields.retain(|name, _| !NOT_DESCRIBED.contains(&name.as_str()));
        for (name, value) in patch {
            merge(fields, name, value);
        }
    }
    serde_path_to_error::deserialize(described).map_err(|error| {
        let field = error.path().to_string();
        Failure::field(field, error.into_inner().to_string())
    })
}

/// RFC 7396, section 2.
fn merge(into: &mut Map<String, Value>, name: &str, value: &Value) {
    match value {
        Value::Null => {
            into.remove(name);
        }
        Value::Object(fields) => {
            let part = into.entry(name).or_insert_with(|| Value::Object(Map::new()));
            if !part.is_object() {
                *part = Value::Object(Map::new());
            }
            for (name, value) in fields {
                if let Some(part) = part.as_object_mut() {
                    merge(part, name, value);
                }
            }
        }
        other => {
            into.insert(name.to_owned(), other.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use serde_json::{Value, json};

    use crate::secrets::Purpose;
    use crate::testing::{Reply, TestApp};

    const A1: &str = "/api/v1/hosts/a1";

    async fn etag(site: &TestApp) -> String {
        site.api_get(A1).await.header("etag").to_owned()
    }

    async fn sent(site: &TestApp, method: Method, etag: &str, body: &Value) -> Reply {
        site.admin_with(method, A1, &[("if-match", etag)], body.to_string())
            .await
    }

    #[tokio::test]
    async fn a_part_is_changed_and_the_rest_stays() {
        let site = TestApp::new().await;
        let more = json!({"labels": {"rack": "7", "row": "B"}, "packages": ["vim"], "console_password_hash": "$6$s$hash",
            "network": {"vlans": [{"id": 7, "addresses": ["10.0.0.2/24"]}], "dns": ["192.0.2.53"]}});
        site.host_with("a1", 1, more).await;
        let patch = json!({"labels": {"rack": "8", "row": null}, "packages": null, "network": {"dns": []}});
        let reply = sent(&site, Method::PATCH, &etag(&site).await, &patch).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let shown = reply.json();
        assert_eq!(
            (&shown["labels"], &shown["packages"]),
            (&json!({"rack": "8"}), &json!([]))
        );
        assert_eq!(
            (&shown["network"]["dns"], &shown["network"]["vlans"][0]["id"]),
            (&json!([]), &json!(7))
        );
        assert_eq!(shown["has_console_password"], true);
        assert_eq!(reply.header("etag"), etag(&site).await);
        assert_eq!(shown["etag"], etag(&site).await);
        let gone = sent(&site, Method::PATCH, "*", &json!({"console_password_hash": null})).await;
        assert_eq!(gone.json()["has_console_password"], false);
    }

    #[tokio::test]
    async fn a_replacement_resets_what_it_leaves_out_but_the_password_nobody_can_read() {
        let site = TestApp::new().await;
        site.host_with(
            "a1",
            1,
            json!({"labels": {"rack": "7"}, "console_password_hash": "$6$s$hash"}),
        )
        .await;
        let mut spec = TestApp::described("a1", 2);
        let reply = sent(&site, Method::PUT, &etag(&site).await, &spec).await;
        let shown = reply.json();
        assert_eq!((&shown["labels"], &shown["macs"]), (&json!({}), &spec["macs"]));
        assert_eq!(shown["has_console_password"], true);
        assert_eq!(site.script(1).await.verdict(), "# thirdboot: hold reason=unknown");
        assert_eq!(site.script(2).await.verdict(), "# thirdboot: local host=a1");
        spec["name"] = json!("a2");
        let problem = sent(&site, Method::PUT, "*", &spec).await.problem();
        assert_eq!((problem.0, problem.2.as_str()), (422, "name"));
    }

    #[tokio::test]
    async fn whoever_read_an_older_version_overwrites_nothing() {
        let site = TestApp::new().await;
        site.host("a1", 1).await;
        let (first, patch) = (etag(&site).await, json!({"packages": ["vim"]}));
        let body = patch.to_string();
        let without = site.admin_with(Method::PATCH, A1, &[], body).await;
        assert_eq!(
            (without.problem().0, without.problem().1),
            (428, "precondition-required".into())
        );
        assert_eq!(sent(&site, Method::PATCH, &first, &patch).await.status, 200);
        for method in [Method::PATCH, Method::PUT, Method::DELETE] {
            let late = sent(&site, method, &first, &TestApp::described("a1", 1)).await;
            assert_eq!(
                (late.problem().0, late.problem().1),
                (412, "precondition-failed".into())
            );
        }
    }

    #[tokio::test]
    async fn what_the_machine_does_is_no_other_version() {
        let site = TestApp::new().await;
        let host = site.armed("a1", 1).await.id;
        let read = etag(&site).await;
        site.script(1).await;
        site.tell(host, Purpose::Live, 1, "live", json!({})).await;
        site.api_post("/api/v1/hosts/a1/hold", &json!({"reason": "x"})).await;
        assert_eq!(etag(&site).await, read);
        let reply = sent(&site, Method::PATCH, &read, &json!({"packages": ["vim"]})).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        // It is held, and its run is where it was.
        let state = site.state("a1").await;
        assert!(state.host.hold.is_some() && state.run.is_some());
    }

    #[tokio::test]
    async fn a_patch_that_makes_no_host_names_the_field() {
        let site = TestApp::new().await;
        site.host("a1", 1).await;
        site.host("a2", 2).await;
        for (patch, status, field) in [
            (json!({"mac": "x"}), 422, "mac"),
            (json!({"macs": ["zz"]}), 422, "macs[0]"),
            (json!({"name": null}), 422, "name"),
            (json!({"retired": true}), 422, "retired"),
            (json!({"install": {"disc": "x"}}), 422, "install.disc"),
            (
                json!({"network": {"uplink": {"method": "carrier-pigeon"}}}),
                422,
                "network.uplink",
            ),
            (json!({"macs": TestApp::described("a2", 2)["macs"]}), 409, "macs"),
            (json!([1]), 422, ""),
        ] {
            let problem = sent(&site, Method::PATCH, "*", &patch).await.problem();
            assert_eq!(problem.0, status, "{patch}: {problem:?}");
            assert!(problem.2.starts_with(field), "{patch}: {problem:?}");
        }
        let nobody = site
            .admin_with(Method::PATCH, "/api/v1/hosts/none", &[("if-match", "*")], "{}")
            .await;
        assert_eq!(nobody.problem().0, 404);
    }
}
