//! Machines that asked for a script and match no host.

use axum::Json as Answered;
use axum::extract::State;
use thirdboot_api::control::{Page, UnknownMachineView};
use thirdboot_store::UnknownMachine;

use super::auth::Viewer;
use crate::App;
use crate::problem::Answer;

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
