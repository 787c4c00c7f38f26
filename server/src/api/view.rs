//! A host as the API shows it. No secret and no password hash gets in here.

use serde::{Serialize, de::DeserializeOwned};
use thirdboot_api::StageName;
use thirdboot_api::control::{
    BootView, DiagnosisView, FailedView, HoldView, HostView, InstallSpec, LastWordView, NetworkSpec, RunView,
};
use thirdboot_lifecycle::{Deadlines, Install, Purpose, Run, Stage, diagnose, due_at};
use thirdboot_store::HostState;

use crate::App;

/// A host as the API shows it.
pub(super) fn view(state: &HostState, app: &App) -> HostView {
    let now = app.store.now();
    let host = &state.host;
    let run = state.run.as_ref();
    HostView {
        name: host.name.to_string(),
        macs: host.macs.iter().map(ToString::to_string).collect(),
        serial: host.serial.clone().map(Into::into),
        uuid: host.uuid.clone().map(Into::into),
        arch: same(&host.arch),
        platform: same(&host.platform),
        role: same(&host.role),
        cluster: host.cluster.clone().map(Into::into),
        known_by: same(&host.known_by),
        network: network(host),
        install: install(&host.install),
        ssh_keys: host.ssh_keys.clone(),
        has_console_password: host.console_password_hash.is_some(),
        time_servers: host.time_servers.clone(),
        packages: host.packages.clone(),
        labels: host.labels.clone(),
        hold: host.hold.as_ref().map(|hold| HoldView {
            reason: hold.reason.clone(),
            since: hold.since,
        }),
        adopted: host.adopted,
        retired: host.retired,
        version: state.version,
        run: run.map(|run| run_view(run, &app.settings.deadlines)),
        diagnosis: run.and_then(|run| diagnose(run, now)).map(|diagnosis| DiagnosisView {
            cause: word(&diagnosis.cause),
            says: diagnosis.says,
            advice: diagnosis.advice,
        }),
    }
}

fn run_view(run: &Run, deadlines: &Deadlines) -> RunView {
    let evidence = &run.evidence;
    let is_cancelled_or_failed = matches!(run.stage, Stage::Failed | Stage::Cancelled);
    RunView {
        number: run.number.0,
        stage: stage(run.stage),
        entered_at: run.entered_at,
        deadline_at: due_at(run, deadlines),
        stalled: run.stalled_since.is_some(),
        percent: evidence.percent,
        attempt: evidence.claimed.as_ref().map_or(0, |claimed| claimed.attempt),
        attempts: run.permit.attempts,
        failed: run
            .ended
            .as_ref()
            .filter(|_| is_cancelled_or_failed)
            .map(|ended| FailedView {
                stage: stage(ended.stage),
                cause: ended.cause.clone(),
            }),
        boots: evidence
            .boots
            .iter()
            .map(|boot| BootView {
                role: boot.role,
                boot_id: boot.boot_id.to_string(),
                first_seen: boot.first_seen,
                os_version: boot.os_version.clone(),
                deployment: boot.deployment.clone(),
            })
            .collect(),
        last_word: evidence.last_word.as_ref().map(|word| LastWordView {
            at: word.at,
            event: word.event.clone(),
            message: word.message.clone(),
        }),
        inspect: run.permit.purpose == Purpose::Inspect,
        permit_expires_at: run.permit.voided.is_none().then_some(run.permit.expires_at),
        rollbacks: evidence.rollbacks,
        network_differs: evidence.network_differs.clone(),
        inferred: evidence.inferred.iter().copied().map(stage).collect(),
    }
}

fn stage(stage: Stage) -> StageName {
    stage.as_str().into()
}

fn install(install: &Install) -> InstallSpec {
    InstallSpec {
        disk: install.disk.clone().map(Into::into),
        disk_boot: same(&install.disk_boot),
        console: install.console.clone(),
        kernel_arguments: install.kernel_arguments.clone(),
        version: install.version.clone(),
    }
}

fn network(host: &thirdboot_lifecycle::Host) -> NetworkSpec {
    same(&host.network)
}

/// The same thing in the API's words: both sides have one form on the wire, which a test holds together.
fn same<A: Serialize, B: DeserializeOwned + Default>(ours: &A) -> B {
    serde_json::to_value(ours)
        .and_then(serde_json::from_value)
        .unwrap_or_default()
}

fn word<A: Serialize>(ours: &A) -> String {
    match serde_json::to_value(ours) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}
