//! What a machine last was.

use axum::Json as Answered;
use axum::extract::State;
use thirdboot_api::control::{AlertView, AtProviderView, DeploymentView, ObservedView};
use thirdboot_lifecycle::{AtProvider, differences};

use super::alerts;
use super::auth::Viewer;
use super::hosts::named;
use crate::App;
use crate::path::Path;
use crate::problem::Answer;

/// Shows what a machine last was, beside and after any run.
#[utoipa::path(
    get, path = "/api/v1/hosts/{name}/observed", tag = "watching", operation_id = "get_observed", security(("token" = ["viewer"])),
    params(
        ("name" = String, Path, description = "The host's name", example = "node-1"),
    ),
    responses((status = 200, description = "What it last was", body = ObservedView)),
)]
pub(super) async fn show(
    State(app): State<App>,
    _: Viewer,
    Path(name): Path<String>,
) -> Answer<Answered<ObservedView>> {
    let state = named(&app, &name).await?;
    let alerts = alerts::of(&state, &app, &app.store.timing().alerts, app.store.now());
    let observed = state.observed.as_ref();
    let network = observed.and_then(|observed| observed.network.as_ref());
    let said = observed.filter(|observed| observed.boot_id.is_some());
    Ok(Answered(ObservedView {
        at: said.map(|observed| observed.at),
        boot_id: said
            .and_then(|observed| observed.boot_id.as_ref())
            .map(ToString::to_string),
        run: said.and_then(|observed| observed.run).map(|run| run.0),
        os_version: said.and_then(|observed| observed.os_version.clone()),
        deployment: said.and_then(|observed| observed.deployment.clone()),
        missing_packages: said.and_then(|observed| observed.missing.clone()),
        network: network.and_then(|facts| serde_json::to_value(facts).ok()),
        network_differs: network.map_or_else(Vec::new, |facts| differences(&state.host.network, facts)),
        deployments: observed
            .map_or(&[][..], |observed| &observed.deployments)
            .iter()
            .map(|deployment| DeploymentView {
                checksum: deployment.checksum.clone(),
                os_version: deployment.os_version.clone(),
                first_seen: deployment.first_seen,
            })
            .collect(),
        alerts,
        provider: observed
            .and_then(|observed| observed.provider.as_ref())
            .map(at_provider),
    }))
}

fn at_provider(known: &AtProvider) -> AtProviderView {
    let machine = known.machine.as_ref();
    AtProviderView {
        at: known.at,
        state: machine.map(|machine| machine.state.clone()),
        netboot: machine.and_then(|machine| machine.netboot),
        vlans: machine.map_or_else(Vec::new, |machine| machine.vlans.clone()),
        powered_run: known.powered.map(|run| run.0),
        trouble: known.trouble.as_ref().map(|trouble| AlertView {
            kind: trouble.kind.as_str().to_owned(),
            since: trouble.since,
            says: trouble.says.clone(),
            advice: trouble.kind.advice().to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::secrets::Purpose;
    use crate::testing::{BOOT_ID, TestApp};

    #[tokio::test]
    async fn what_a_machine_says_of_itself_is_shown() {
        let site = TestApp::new().await;
        site.host("a0", 9).await;
        let shown = site.api_get("/api/v1/hosts/a0/observed").await.json();
        assert_eq!((&shown["at"], &shown["deployments"]), (&json!(null), &json!([])));

        let host = site.networked("a1", 1, json!({})).await.id;
        let shown = site.api_get("/api/v1/hosts/a1/observed").await.json();
        assert_eq!((&shown["deployment"], &shown["run"]), (&json!("layered"), &json!(1)));
        site.tell(host, Purpose::Host, 7, "ready", json!({})).await;
        let facts =
            json!({"os_version": "43.2", "deployment": "newer", "missing": ["htop"], "addresses": ["192.0.2.10/24"]});
        site.tell(host, Purpose::Host, 8, "booted", json!({"facts": facts}))
            .await;
        let shown = site.api_get("/api/v1/hosts/a1/observed").await.json();
        assert_eq!(
            (&shown["boot_id"], &shown["os_version"]),
            (&json!(BOOT_ID), &json!("43.2"))
        );
        assert_eq!(shown["network"]["addresses"][0]["address"], "192.0.2.10/24");
        let ran: Vec<_> = shown["deployments"]
            .as_array()
            .unwrap()
            .iter()
            .map(|ran| ran["checksum"].clone())
            .collect();
        assert_eq!(ran, ["base", "layered", "newer"]);
        assert_eq!(shown["missing_packages"], json!(["htop"]));
        assert_eq!(shown["alerts"][0]["kind"], "packages-missing");
        assert_eq!(site.api_get("/api/v1/hosts/none/observed").await.problem().0, 404);
    }

    #[tokio::test]
    async fn a_list_of_packages_that_is_none_is_refused_by_name() {
        let site = TestApp::new().await;
        let host = site.networked("a1", 1, json!({})).await.id;
        site.tell(host, Purpose::Host, 7, "ready", json!({})).await;
        let report = TestApp::report(8, "booted", &json!({"facts": {"missing": "htop"}}));
        let reply = site
            .post("/v1/report", &site.secret(Purpose::Host, host, 1), &report)
            .await;
        assert_eq!(reply.problem(), (422, "malformed".into(), "facts.missing".into()));
    }
}
