//! One-line set-up for the stories: a host, its run, and what a machine would say.

use jiff::{SignedDuration, Timestamp};
use thirdboot_lifecycle::*;

pub(crate) const DEPLOYMENT_A: &str = "aaaa";
pub(crate) const DEPLOYMENT_B: &str = "bbbb";

pub(crate) fn t0() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

pub(crate) fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

pub(crate) fn host() -> Host {
    serde_json::from_str(r#"{"name":"node-1","macs":["52:54:00:00:00:01"],"serial":"S1"}"#).unwrap()
}

pub(crate) fn permit() -> Permit {
    Permit {
        purpose: Purpose::Install {
            disk: None,
            wipe: vec![],
        },
        issued_at: t0(),
        expires_at: t0() + SignedDuration::from_hours(24),
        attempts: DEFAULT_ATTEMPTS,
        power: None,
        voided: None,
    }
}

pub(crate) fn armed() -> Run {
    Run::begin(RunNumber(3), &host(), permit())
}

/// Boot `n` of the machine.
pub(crate) fn boot(n: u32) -> BootId {
    format!("00000000-0000-4000-8000-{n:012x}").parse().unwrap()
}

pub(crate) fn disk() -> Disk {
    Disk {
        path: "/dev/disk/by-id/nvme-1".into(),
        serial: Some("D1".into()),
        size_bytes: 100 << 30,
        ..Disk::default()
    }
}

pub(crate) fn claim(boot_number: u32) -> Claim {
    Claim {
        run: RunNumber(3),
        boot_id: boot(boot_number),
        identity: Identity {
            macs: host().macs,
            serial: host().serial,
            uuid: None,
        },
        disk: disk(),
        disks: vec![disk()],
    }
}

pub(crate) fn says(boot_number: u32, said: Said) -> Event {
    let by = said.secret().unwrap_or(SecretKind::Host);
    let report = Report {
        run: RunNumber(3),
        boot_id: boot(boot_number),
        seq: 1,
        said,
        message: None,
    };
    Event::Report {
        by,
        report: Box::new(report),
        differences: vec![],
    }
}

pub(crate) fn first_boot(boot_number: u32, deployment: &str) -> Event {
    says(
        boot_number,
        Said::FirstBoot {
            os_version: None,
            deployment: Some(deployment.into()),
        },
    )
}

pub(crate) fn layered(boot_number: u32, deployment: &str) -> Event {
    says(
        boot_number,
        Said::Layered {
            deployment: deployment.into(),
        },
    )
}

pub(crate) fn layered_boot(boot_number: u32, deployment: &str) -> Event {
    says(
        boot_number,
        Said::LayeredBoot {
            os_version: None,
            deployment: deployment.into(),
        },
    )
}

pub(crate) fn network(boot_number: u32) -> Event {
    says(boot_number, Said::Network(NetworkFacts::default()))
}

pub(crate) fn claimed(boot_number: u32) -> Event {
    Event::Claimed {
        claim: Box::new(claim(boot_number)),
        grant: Grant { attempt: 1, of: 3 },
    }
}

pub(crate) fn installed(boot_number: u32) -> Event {
    says(
        boot_number,
        Said::Installed {
            image: None,
            version: None,
            disk_serial: Some("D1".into()),
            config_sha256: None,
        },
    )
}

/// Plays events a minute apart and returns the run, or panics with the refusal.
pub(crate) fn after(run: Run, events: &[Event]) -> Run {
    events.iter().enumerate().fold(run, |run, (n, event)| {
        transition(&run, event, t0() + minutes(i64::try_from(n).unwrap())).unwrap_or_else(|refused| panic!("{refused}"))
    })
}

/// The events that lead a fresh run to `stage`, in the order of a real host.
pub(crate) fn way_to(stage: Stage) -> Vec<Event> {
    let whole = vec![
        (Stage::Netbooting, Event::InstallScript),
        (
            Stage::Live,
            says(
                1,
                Said::Live {
                    identity: Identity::default(),
                },
            ),
        ),
        (Stage::Installing, claimed(1)),
        (Stage::Installed, installed(1)),
        (Stage::FirstBoot, first_boot(2, DEPLOYMENT_A)),
        (Stage::Layering, says(2, Said::Layering)),
        (Stage::Layered, layered(2, DEPLOYMENT_B)),
        (Stage::LayeredBoot, layered_boot(3, DEPLOYMENT_B)),
        (Stage::Networked, network(3)),
        (Stage::Joining, Event::JoinHandedOut { boot_id: boot(3) }),
        (Stage::Ready, says(3, Said::Ready)),
    ];
    match stage {
        Stage::Armed => vec![],
        Stage::Failed => vec![says(1, Said::InstallFailed)],
        Stage::Cancelled => vec![Event::Cancel { by: "ada".into() }],
        _ => whole
            .into_iter()
            .take_while(|(to, _)| *to <= stage)
            .map(|(_, event)| event)
            .collect(),
    }
}

pub(crate) fn at(stage: Stage) -> Run {
    let run = after(armed(), &way_to(stage));
    assert_eq!(run.stage, stage);
    run
}

/// A reboot lock that was granted for an update.
pub(crate) fn lock(group: &str) -> LockEvidence {
    LockEvidence {
        group: group.parse().unwrap(),
        state: SlotState::Granted,
        since: t0(),
        reason: LockReason::Update,
        note: None,
        limit_s: None,
    }
}
