//! What can happen, in any order.

use proptest::prelude::*;
use thirdboot_lifecycle::{Identity, NetworkFacts, Said, SecretKind};

use super::MACHINES;

/// One thing that happens.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names say it")]
#[expect(clippy::large_enum_variant, reason = "a history holds fifty of them")]
pub enum Step {
    Arm {
        host: usize,
        ttl_min: i64,
        wipe: bool,
        inspect: bool,
        named: bool,
    },
    Cancel(usize),
    Hold(usize),
    Release(usize),
    AskScript(usize),
    Claim {
        machine: usize,
        host: usize,
        run_back: u32,
    },
    Report {
        machine: usize,
        host: usize,
        said: Said,
        by: SecretKind,
        run_back: u32,
    },
    Joined {
        host: usize,
    },
    PowerCycle(usize),
    /// Power cuts in mid-install: each time the machine comes back and claims again.
    PowerCuts {
        machine: usize,
        times: u32,
    },
    /// A second card, taken out of another machine.
    ExtraNic {
        machine: usize,
        from: usize,
    },
    /// A card that nobody knows replaces the machine's.
    NewNic(usize),
    /// Somebody's Ceph appears on the machine's disk.
    Plant(usize),
    MoveNic {
        from: usize,
        to: usize,
    },
    Jump(i64),
    Reconcile,
    Restart,
    Backup,
    Restore,
}

fn said() -> impl Strategy<Value = Said> {
    let deployment = prop_oneof![Just("old".to_owned()), Just("new".to_owned())];
    let some = deployment.clone().prop_map(Some);
    prop_oneof![
        2 => Just(Said::Live { identity: Identity::default() }),
        1 => (0..=100_u8).prop_map(|percent| Said::Installing { percent: Some(percent) }),
        4 => Just(Said::Installed { image: None, version: None, disk_serial: None, config_sha256: None }),
        1 => Just(Said::InstallFailed),
        3 => some.clone().prop_map(|deployment| Said::FirstBoot { os_version: None, deployment }),
        2 => Just(Said::Layering),
        4 => deployment.clone().prop_map(|deployment| Said::Layered { deployment }),
        1 => Just(Said::LayerFailed),
        4 => deployment.prop_map(|deployment| Said::LayeredBoot { os_version: None, deployment }),
        4 => Just(Said::Network(NetworkFacts::default())),
        1 => Just(Said::Joining),
        4 => Just(Said::Ready),
        1 => Just(Said::JoinFailed),
        1 => some.prop_map(|deployment| Said::Booted { os_version: None, deployment, network: None, missing: None }),
        1 => any::<bool>().prop_map(|inspection| Said::Note { inspection }),
    ]
}

/// Mostly the machine that the host is, sometimes another one.
fn pair() -> impl Strategy<Value = (usize, usize)> {
    prop_oneof![
        5 => (0..MACHINES).prop_map(|n| (n, n)),
        1 => (0..MACHINES, 0..MACHINES),
    ]
}

fn run_back() -> impl Strategy<Value = u32> {
    prop_oneof![9 => Just(0), 1 => 1..3_u32]
}

/// Mostly the secret that such a report comes with.
fn report() -> impl Strategy<Value = Step> {
    (pair(), said(), any::<bool>(), 0..20_u8, run_back()).prop_map(|((machine, host), said, live, odd, run_back)| {
        let random = if live { SecretKind::Live } else { SecretKind::Host };
        let by = if odd == 0 {
            random
        } else {
            said.secret().unwrap_or(random)
        };
        Step::Report {
            machine,
            host,
            said,
            by,
            run_back,
        }
    })
}

fn step() -> impl Strategy<Value = Step> {
    let host = 0..MACHINES;
    prop_oneof![
        4 => (host.clone(), 1..600_i64, any::<bool>(), 0..8_u8, any::<bool>())
            .prop_map(|(host, ttl_min, wipe, inspect, named)| Step::Arm { host, ttl_min, wipe, inspect: inspect == 0, named }),
        1 => host.clone().prop_map(Step::Cancel),
        1 => host.clone().prop_map(Step::Hold),
        2 => host.clone().prop_map(Step::Release),
        4 => host.clone().prop_map(Step::AskScript),
        8 => (pair(), run_back()).prop_map(|((machine, host), run_back)| Step::Claim { machine, host, run_back }),
        24 => report(),
        3 => host.clone().prop_map(|host| Step::Joined { host }),
        5 => host.clone().prop_map(Step::PowerCycle),
        1 => host.clone().prop_map(Step::Plant),
        2 => (host.clone(), 1..5_u32).prop_map(|(machine, times)| Step::PowerCuts { machine, times }),
        1 => host.clone().prop_map(Step::NewNic),
        1 => (host.clone(), host.clone()).prop_map(|(machine, from)| Step::ExtraNic { machine, from }),
        1 => (host.clone(), host).prop_map(|(from, to)| Step::MoveNic { from, to }),
        2 => prop_oneof![-300..0_i64, 0..30_i64, 0..900_i64].prop_map(Step::Jump),
        2 => Just(Step::Reconcile),
        1 => Just(Step::Restart),
        1 => Just(Step::Backup),
        1 => Just(Step::Restore),
    ]
}

/// The straight way to ready that a history may begin with, so that the rare stages are not rare.
fn straight(host: usize, length: usize) -> Vec<Step> {
    let says = |said: Said| Step::Report {
        machine: host,
        host,
        by: said.secret().unwrap_or(SecretKind::Host),
        said,
        run_back: 0,
    };
    let whole = vec![
        Step::Arm {
            host,
            ttl_min: 500,
            wipe: false,
            inspect: false,
            named: false,
        },
        Step::AskScript(host),
        says(Said::Live {
            identity: Identity::default(),
        }),
        Step::Claim {
            machine: host,
            host,
            run_back: 0,
        },
        says(Said::Installed {
            image: None,
            version: None,
            disk_serial: None,
            config_sha256: None,
        }),
        Step::PowerCycle(host),
        says(Said::FirstBoot {
            os_version: None,
            deployment: Some("old".into()),
        }),
        says(Said::Layered {
            deployment: "new".into(),
        }),
        Step::PowerCycle(host),
        says(Said::LayeredBoot {
            os_version: None,
            deployment: "new".into(),
        }),
        says(Said::Network(NetworkFacts::default())),
        Step::Joined { host },
        says(Said::Ready),
    ];
    whole.into_iter().take(length).collect()
}

/// A history: part of the straight way for some hosts, and then anything.
pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let begin = prop::collection::vec(0..14_usize, MACHINES);
    (begin, prop::collection::vec(step(), 1..50)).prop_map(|(lengths, rest)| {
        let mut steps: Vec<Step> = lengths
            .into_iter()
            .enumerate()
            .flat_map(|(host, length)| straight(host, length))
            .collect();
        steps.extend(rest);
        steps
    })
}
