//! Machines that asked for a script and match no host: listed, taken in, sent away.

use axum::Json as Answered;
use axum::extract::State;
use axum::http::StatusCode;
use thirdboot_api::ProblemType;
use thirdboot_api::control::{AdoptBody, Arch, HostSpec, HostView, Page, UnknownMachineView};
use thirdboot_store::{Actor, HostState, UnknownMachine};

use super::auth::{Operator, Viewer};
use super::describe::{described, placed};
use super::fitting::fits;
use super::hosts::made_of;
use super::once::{Made, Once};
use crate::App;
use crate::boot::Json;
use crate::path::Path;
use crate::problem::{Answer, Failure};
use crate::templates::check_host;

/// Lists machines that asked for a script and match no host, the last seen first.
#[utoipa::path(
    get, path = "/api/v1/unknown-machines", tag = "hosts", operation_id = "list_unknown_machines", security(("token" = ["viewer"])),
    responses((status = 200, description = "All of them: their number is capped", body = Page<UnknownMachineView>)),
)]
pub(super) async fn list(State(app): State<App>, _: Viewer) -> Answer<Answered<Page<UnknownMachineView>>> {
    let machines = app.store.unknown_machines().await?;
    Ok(Answered(Page {
        items: machines.into_iter().map(view).collect(),
        // Their number is capped: one page holds them all.
        next_cursor: None,
    }))
}

/// Makes a host of an unknown machine, with the identifiers that it presented.
///
/// It is held until somebody arms or releases it: an unknown disk is not booted unasked.
#[utoipa::path(
    post, path = "/api/v1/unknown-machines/{id}/adopt", tag = "hosts", operation_id = "adopt_unknown_machine", security(("token" = ["operator"])),
    params(
        ("id" = u64, Path, description = "The machine's number", example = 3),
    ),
    request_body = AdoptBody,
    responses((
        status = 201, description = "The host, held until it is armed or released", body = HostView,
        headers(("ETag" = String, description = "Names this version of the description"), ("Location" = String)),
    )),
    extensions(("x-problems" = json!(["already-taken", "refused"])), ("x-idempotent" = json!(true))),
)]
pub(super) async fn adopt(
    State(app): State<App>,
    Operator(by): Operator,
    once: Once,
    Path(id): Path<String>,
    Json(body): Json<AdoptBody>,
) -> Answer<Made> {
    let operation = format!("adopt_unknown_machine {id}");
    let (keep, made) = once.answered(&app, &by, &operation, &body).await?;
    if let Some(made) = made {
        return Ok(made);
    }
    let done = adopted(&app, by, &id, body).await;
    keep.after(&app, done.and_then(|state| made_of(&[state], &app))).await
}

async fn adopted(app: &App, by: Actor, id: &str, body: AdoptBody) -> Result<HostState, Failure> {
    let machine = listed(app, id).await?;
    let (number, spec) = (machine.id, spec(body, machine)?);
    let mut host = described(&spec)?;
    host.adopted = true;
    fits(app, &host).await?;
    check_host(app, &host).await?;
    let adopted = app.store.adopt(number, host.clone(), by.clone()).await;
    let adopted = adopted.map_err(|error| placed(error, &host))?;
    let state = adopted.ok_or_else(|| not_listed(id))?;
    tracing::info!(host = %state.host.name, %by, "unknown machine adopted");
    Ok(state)
}

/// Takes an unknown machine off the list, until it asks again.
#[utoipa::path(
    delete, path = "/api/v1/unknown-machines/{id}", tag = "hosts", operation_id = "dismiss_unknown_machine", security(("token" = ["operator"])),
    params(
        ("id" = u64, Path, description = "The machine's number", example = 3),
    ),
    responses((status = 204, description = "It is off the list")),
)]
pub(super) async fn dismiss(
    State(app): State<App>,
    Operator(by): Operator,
    Path(id): Path<String>,
) -> Answer<StatusCode> {
    let number = id.parse().map_err(|_| not_listed(&id))?;
    if !app.store.dismiss(number).await? {
        return Err(not_listed(&id));
    }
    tracing::info!(machine = number, %by, "unknown machine dismissed");
    Ok(StatusCode::NO_CONTENT)
}

async fn listed(app: &App, id: &str) -> Result<UnknownMachine, Failure> {
    let machines = app.store.unknown_machines().await?;
    let found = machines.into_iter().find(|machine| machine.id.to_string() == id);
    found.ok_or_else(|| not_listed(id))
}

fn not_listed(id: &str) -> Failure {
    let shown: String = id.chars().take(20).collect();
    Failure::new(ProblemType::NotFound, format!("no unknown machine {shown:?} is listed"))
}

/// What the machine presented, with what an admin adds.
fn spec(body: AdoptBody, machine: UnknownMachine) -> Result<HostSpec, Failure> {
    if machine.identity.is_empty() {
        let why = "it presented nothing that it could be recognised by: describe it by hand";
        return Err(Failure::new(ProblemType::Refused, why));
    }
    let arch = machine.said.iter().find(|(name, _)| name == "arch");
    Ok(HostSpec {
        name: body.name,
        macs: machine.identity.macs.iter().map(ToString::to_string).collect(),
        serial: machine.identity.serial.map(Into::into),
        uuid: machine.identity.uuid.map(Into::into),
        arch: arch.map_or_else(Arch::default, |(_, arch)| named_by_ipxe(arch)),
        platform: body.platform,
        role: body.role,
        cluster: body.cluster,
        known_by: body.known_by,
        network: body.network,
        install: body.install,
        ssh_keys: body.ssh_keys,
        packages: body.packages,
        labels: body.labels,
        ..HostSpec::default()
    })
}

/// iPXE's `buildarch`: `x86_64`, `i386` on the BIOS of a 64-bit machine, `arm64`.
fn named_by_ipxe(arch: &str) -> Arch {
    match arch {
        "arm64" | "aarch64" => Arch::Aarch64,
        _ => Arch::X86_64,
    }
}

fn view(machine: UnknownMachine) -> UnknownMachineView {
    UnknownMachineView {
        id: machine.id,
        macs: machine.identity.macs.iter().map(ToString::to_string).collect(),
        serial: machine.identity.serial.map(Into::into),
        uuid: machine.identity.uuid.map(Into::into),
        said: machine.said.into_iter().collect(),
        source: machine.source,
        why: machine.why,
        first_seen: machine.first_seen,
        last_seen: machine.last_seen,
        count: machine.count,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::{TestApp, mac};

    async fn listed(site: &TestApp) -> Vec<Value> {
        let page = site.api_get("/api/v1/unknown-machines").await.json();
        page["items"].as_array().unwrap().clone()
    }

    /// A machine asks, and is listed; gives its number.
    async fn stranger(site: &TestApp, query: &str) -> u64 {
        assert_eq!(
            site.get(&format!("/ipxe?{query}")).await.verdict(),
            "# thirdboot: hold reason=unknown"
        );
        listed(site).await[0]["id"].as_u64().unwrap()
    }

    #[tokio::test]
    async fn an_adopted_machine_is_held_until_it_is_armed_or_released() {
        let site = TestApp::new().await;
        let id = stranger(&site, &format!("mac={}&serial=S7&arch=arm64&manufacturer=ACME", mac(7))).await;
        let body = json!({"name": "a7", "role": "runner", "labels": {"rack": "r1"}});
        let adopted = site
            .api_post(&format!("/api/v1/unknown-machines/{id}/adopt"), &body)
            .await;
        assert_eq!(adopted.status, 201, "{}", adopted.text());
        let host = adopted.json();
        assert_eq!((&host["macs"], &host["serial"]), (&json!([mac(7)]), &json!("S7")));
        assert_eq!((&host["arch"], &host["adopted"]), (&json!("aarch64"), &json!(true)));
        assert_eq!(listed(&site).await, Vec::<Value>::new());
        assert_eq!(site.script(7).await.verdict(), "# thirdboot: hold reason=adopted");
        assert_eq!(site.api_post("/api/v1/hosts/a7/release", &json!({})).await.status, 200);
        assert_eq!(site.script(7).await.verdict(), "# thirdboot: local host=a7");

        let id = stranger(&site, &format!("mac={}", mac(8))).await;
        site.api_post(
            &format!("/api/v1/unknown-machines/{id}/adopt"),
            &json!({"name": "a8", "role": "runner"}),
        )
        .await;
        assert_eq!(site.script(8).await.verdict(), "# thirdboot: hold reason=adopted");
        assert_eq!(site.arm("a8").await.status, 200);
        assert_eq!(site.script(8).await.verdict(), "# thirdboot: install host=a8 run=1");
    }

    #[tokio::test]
    async fn an_adoption_that_cannot_be_leaves_the_machine_listed() {
        let site = TestApp::new().await;
        site.host("a1", 1).await;
        let id = stranger(&site, &format!("mac={}", mac(7))).await;
        let path = format!("/api/v1/unknown-machines/{id}/adopt");
        for (body, status, field) in [
            (json!({}), 422, "name"),
            (json!({"name": "A_1"}), 422, "name"),
            (json!({"name": "a1"}), 409, "name"),
            (json!({"name": "a7", "macs": []}), 422, "macs"),
            (json!({"name": "a7", "ssh_keys": ["x"]}), 422, "ssh_keys[0]"),
        ] {
            let (got, _, at) = site.api_post(&path, &body).await.problem();
            assert_eq!((got, at.as_str()), (status, field), "{body}");
        }
        assert_eq!(listed(&site).await.len(), 1);
        for id in ["999", "x", "-1"] {
            let path = format!("/api/v1/unknown-machines/{id}");
            assert_eq!(
                site.api_post(&format!("{path}/adopt"), &json!({"name": "a7"}))
                    .await
                    .problem()
                    .0,
                404
            );
            assert_eq!(site.api_delete(&path).await.problem().0, 404);
        }
    }

    #[tokio::test]
    async fn a_dismissed_machine_is_off_the_list() {
        let site = TestApp::new().await;
        let id = stranger(&site, &format!("mac={}", mac(7))).await;
        let path = format!("/api/v1/unknown-machines/{id}");
        assert_eq!(site.api_delete(&path).await.status, 204);
        assert_eq!(listed(&site).await, Vec::<Value>::new());
        assert_eq!(site.api_delete(&path).await.problem().0, 404);
    }
}
