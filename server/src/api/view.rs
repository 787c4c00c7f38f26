//! A host as the API shows it. No secret and no password hash gets in here.

use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use thirdboot_api::StageName;
use thirdboot_api::control::{
    BootView, DiagnosisView, FailedView, HoldView, HostView, InstallSpec, LastWordView, NetworkSpec, RunView,
};
use thirdboot_lifecycle::{Deadlines, Install, Observed, Purpose, Run, Stage, diagnose_with, due_at};
use thirdboot_store::HostState;

use super::alerts;
use super::version::etag;
use crate::App;

/// A host as the API shows it.
pub(super) fn view(state: &HostState, app: &App) -> HostView {
    let now = app.store.now();
    let timing = app.store.timing();
    let host = &state.host;
    let run = state.run.as_ref();
    HostView {
        name: host.name.to_string(),
        macs: host.macs.iter().map(ToString::to_string).collect(),
        serial: host.serial.clone().map(Into::into),
        uuid: host.uuid.clone().map(Into::into),
        arch: same(&host.arch),
        platform: same(&host.platform),
        provider: host.provider.as_ref().map(same),
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
        etag: etag(host),
        version: state.version,
        run: run.map(|run| run_view(run, &timing.stages)),
        diagnosis: run.and_then(|run| diagnosis(run, state.observed.as_ref(), now)),
        alerts: alerts::of(state, app, &timing.alerts, now),
        os_version: state.observed.as_ref().and_then(|observed| observed.os_version.clone()),
        observed_at: state
            .observed
            .as_ref()
            .filter(|observed| observed.boot_id.is_some())
            .map(|observed| observed.at),
    }
}

/// Why the run is where it is, if it does not go well.
pub(super) fn diagnosis(run: &Run, observed: Option<&Observed>, now: Timestamp) -> Option<DiagnosisView> {
    diagnose_with(run, observed, now).map(|diagnosis| DiagnosisView {
        cause: word(&diagnosis.cause),
        says: diagnosis.says,
        advice: diagnosis.advice,
    })
}

pub(super) fn run_view(run: &Run, deadlines: &Deadlines) -> RunView {
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
        ready_by: evidence.ready_by.as_ref().map(word),
        waits_for: evidence
            .join_wait
            .as_ref()
            .filter(|_| run.stage == Stage::Networked)
            .map(|wait| wait.why.clone()),
        network_differs: evidence.network_differs.clone(),
        inferred: evidence.inferred.iter().copied().map(stage).collect(),
    }
}

pub(super) fn stage(stage: Stage) -> StageName {
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
pub(super) fn same<A: Serialize, B: DeserializeOwned + Default>(ours: &A) -> B {
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

#[cfg(test)]
mod tests {
    use serde_json::json;
    use thirdboot_api::control as wire;
    use thirdboot_lifecycle as ours;

    use super::*;
    use crate::testing::TestApp;

    #[test]
    fn both_sides_have_one_form_on_the_wire() {
        fn alike<A: Serialize, B: Serialize + DeserializeOwned + Default>(ours: &A) {
            let (there, here): (B, _) = (same(ours), serde_json::to_value(ours).unwrap());
            assert_eq!(serde_json::to_value(there).unwrap(), here);
        }
        alike::<_, wire::Arch>(&ours::Arch::Aarch64);
        alike::<_, wire::Platform>(&ours::Platform::EquinixMetal);
        alike::<_, wire::Role>(&ours::Role::Runner);
        alike::<_, wire::KnownBy>(&ours::KnownBy::Key);
        for disk_boot in [ours::DiskBoot::Exit1, ours::DiskBoot::Sanboot, ours::DiskBoot::ChainEfi] {
            alike::<_, wire::DiskBoot>(&disk_boot);
        }
        let network = json!({"uplink": {"method": "static", "addresses": ["192.0.2.1/24"], "gateways": ["192.0.2.254"]},
            "bond": {"mode": "active-backup", "ports": ["52:54:00:00:00:01"], "lacp_rate": "slow", "xmit_hash_policy": "layer2+3", "mtu": 9000},
            "vlans": [{"id": 7, "addresses": ["2001:db8::1/64"], "routes": [{"to": "fd00::/8", "via": "2001:db8::9"}],
                "pool": {"ipv4": {"prefix": "10.8.0.0/24", "first": "10.8.0.9"}}}],
            "dns": ["192.0.2.53"], "search": ["example.net"]});
        let network: ours::Network = serde_json::from_value(network).unwrap();
        let there: wire::NetworkSpec = same(&network);
        assert_eq!(same::<_, ours::Network>(&there), network);
        assert_eq!(there.bond.unwrap().mode, Some(wire::BondMode::ActiveBackup));
        for mode in ours::BondMode::ALL {
            alike::<_, wire::BondMode>(mode);
        }
        for policy in ours::XmitHashPolicy::ALL {
            let there: wire::XmitHashPolicy = serde_json::from_value(serde_json::to_value(policy).unwrap()).unwrap();
            assert_eq!(there.as_str(), policy.as_str());
        }
        assert_eq!((there.vlans[0].id, there.dns[0].as_str()), (7, "192.0.2.53"));
    }

    #[tokio::test]
    async fn a_stalled_host_says_where_and_why() {
        let site = TestApp::new().await;
        site.armed("a1", 1).await;
        site.script(1).await;
        site.wait(11);
        crate::reconciler::carry_out_what_is_due(site.app.store.as_ref()).await;
        let shown = site.api_get("/api/v1/hosts/a1").await.json();
        assert_eq!(
            (&shown["run"]["stage"], &shown["run"]["stalled"]),
            (&json!("netbooting"), &json!(true))
        );
        assert_eq!(shown["diagnosis"]["cause"], "kernel-not-fetched");
        site.wait(60);
        crate::reconciler::carry_out_what_is_due(site.app.store.as_ref()).await;
        let shown = site.api_get("/api/v1/hosts/a1").await.json();
        assert_eq!(
            (&shown["run"]["stage"], &shown["run"]["failed"]["stage"]),
            (&json!("failed"), &json!("netbooting"))
        );
        assert_eq!(site.script(1).await.verdict(), "# thirdboot: local host=a1");
    }
}
