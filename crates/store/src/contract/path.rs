//! A run goes its whole way, whatever happens to the server meanwhile.

use thirdboot_lifecycle::{BootId, Fetch, Grant, NetworkFacts, RunNumber, Said, Script, Stage};

use super::Factory;
use super::world::{World, boot, claim, machine};
use crate::{Answer, DocumentKind, HostId, Store, Submission};

/// Every step of host 1 from armed to ready, with the stage it leads to.
fn steps(run: RunNumber) -> Vec<(Step, Stage)> {
    let deployment = || "c2".to_owned();
    let os_version = || Some("43.1".to_owned());
    let said = |n: u8, said: Said| Step::Say(boot(n), said);
    vec![
        (
            Step::Submit(Submission::Script {
                script: Script::Install(run),
            }),
            Stage::Netbooting,
        ),
        (
            Step::Submit(Submission::Fetched {
                run,
                what: Fetch::Kernel,
            }),
            Stage::Netbooting,
        ),
        (said(1, Said::Live { identity: machine(1) }), Stage::Live),
        (Step::Submit(claim(run, boot(1), machine(1))), Stage::Installing),
        (said(1, Said::Installing { percent: Some(42) }), Stage::Installing),
        (said(1, installed()), Stage::Installed),
        (
            Step::Submit(Submission::Script { script: Script::Local }),
            Stage::Installed,
        ),
        (
            said(
                2,
                Said::FirstBoot {
                    os_version: os_version(),
                    deployment: Some("c1".into()),
                },
            ),
            Stage::FirstBoot,
        ),
        (said(2, Said::Layering), Stage::Layering),
        (
            said(
                2,
                Said::Layered {
                    deployment: deployment(),
                },
            ),
            Stage::Layered,
        ),
        (
            said(
                3,
                Said::LayeredBoot {
                    os_version: os_version(),
                    deployment: deployment(),
                },
            ),
            Stage::LayeredBoot,
        ),
        (said(3, Said::Network(NetworkFacts::default())), Stage::Networked),
        (
            Step::Submit(Submission::JoinHandedOut { run, boot_id: boot(3) }),
            Stage::Joining,
        ),
        (said(3, Said::Joining), Stage::Joining),
        (said(3, Said::Ready), Stage::Ready),
    ]
}

fn installed() -> Said {
    Said::Installed {
        image: Some("image.raw.xz".into()),
        version: Some("43.1".into()),
        disk_serial: Some("DISK-A".into()),
        config_sha256: Some("ab".repeat(32)),
    }
}

enum Step {
    Say(BootId, Said),
    Submit(Submission),
}

async fn take<F: Factory>(world: &World<F>, id: HostId, run: RunNumber, step: Step) -> Answer {
    let is_claim = matches!(step, Step::Submit(Submission::Claim(_)));
    let answer = match step {
        Step::Say(boot_id, said) => world.say(id, run, boot_id, said).await.unwrap(),
        Step::Submit(submission) => world.store.submit(id, submission).await.unwrap(),
    };
    if is_claim {
        assert_eq!(answer, Answer::Granted(Grant { attempt: 1, of: 3 }));
    }
    answer
}

/// Drives the run of host 1 up to and with `last`.
pub(super) async fn drive_to<F: Factory>(world: &World<F>, id: HostId, run: RunNumber, last: Stage) {
    for (step, stage) in steps(run) {
        if stage > last {
            break;
        }
        take(world, id, run, step).await;
    }
    assert_eq!(world.stage(id).await, last);
}

/// Nothing is forgotten by a restart, and no host is stranded.
pub async fn from_armed_to_ready_with_a_restart_between_every_step(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let (id, run) = world.armed(1).await;
    for (step, stage) in steps(run) {
        let said = matches!(step, Step::Say(..));
        let answer = take(&world, id, run, step).await;
        if said {
            assert_eq!(answer, Answer::Recorded(stage));
        }
        let before = world.state(id).await;
        world.restart().await;
        assert_eq!((world.state(id).await, world.voided), (before, 0));
        assert_eq!(world.stage(id).await, stage);
        let is_served = world
            .store
            .document(id, run, DocumentKind::Live)
            .await
            .unwrap()
            .is_some();
        assert_eq!(is_served, stage < Stage::Installed, "documents in {stage}");
    }
    let state = world.state(id).await;
    let ended = state.run.unwrap();
    assert_eq!(ended.evidence.boots.len(), 3);
    assert!(ended.evidence.inferred.is_empty(), "{:?}", ended.evidence.inferred);
    // Pinned at the first live boot, preset by the first install.
    assert_eq!(state.host.serial, machine(1).serial);
    assert_eq!(state.host.install.disk.unwrap().as_str(), "DISK-A");
    let log = world.logged(id).await;
    for name in [
        "added",
        "armed",
        "install-script",
        "live",
        "claimed",
        "installed",
        "layered-boot",
        "ready",
    ] {
        assert!(log.iter().any(|event| event == name), "{name} is not in {log:?}");
    }
}

/// The process ends without a word; what it answered is there.
pub async fn a_power_cut_loses_nothing_that_was_answered(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let (id, run) = world.armed(1).await;
    drive_to(&world, id, run, Stage::Installing).await;
    let (before, log) = (world.state(id).await, world.log(id).await);
    world.open().await;
    assert_eq!(world.state(id).await, before);
    assert_eq!(world.log(id).await, log);
    assert_eq!(world.voided, 0);
}

/// A new run begins and the old one stays readable.
pub async fn the_run_before_is_kept(factory: impl Factory) {
    let mut world = World::new(factory).await;
    let (id, first) = world.armed(1).await;
    assert!(world.arm(id).await.is_err(), "a run under way is not replaced");
    drive_to(&world, id, first, Stage::Ready).await;
    let ready = world.state(id).await.run.unwrap();
    let second = world.arm(id).await.unwrap();
    assert_eq!(second, first.next());
    world.restart().await;
    let runs = world.store.runs(id).await.unwrap();
    assert_eq!(runs.iter().map(|run| run.number).collect::<Vec<_>>(), [second, first]);
    assert_eq!(runs[1], ready);
    assert_eq!(Some(&runs[0]), world.state(id).await.run.as_ref());
}
