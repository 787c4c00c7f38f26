//! A hundred simulated hosts update under five slots, over real HTTP, and some never come back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use thirdboot_lifecycle::{GroupSettings, Host};
use thirdboot_simulator::{Fleet, Hardware, Machine, Outcome, Pace, Progress, Step, Wire};
use thirdboot_store::Actor;

use crate::serve::{self, ServeOptions};
use crate::testing::mirror;

const HOSTS: u32 = 100;
const SLOTS: u16 = 5;
/// Those that do not come back.
const LOST: [u32; 3] = [7, 40, 93];
/// Zincati's five minutes are a sixth of a second.
const SPEED: f64 = 1800.0;

/// Who is away, as the machines themselves live it: from the moment of their reboot until they are well again. What they
/// tell comes in the order in which it happened, and a machine tells before it gives its slot back.
#[derive(Debug, Default)]
struct Reboots {
    /// Those that were told to wait for their turn, and not yet to reboot: the reboots of an install are none of these.
    asking: BTreeSet<String>,
    away: BTreeSet<String>,
    counts: BTreeMap<String, usize>,
    most: usize,
}

impl Reboots {
    fn hear(&mut self, progress: Progress) {
        let name = progress.machine;
        match progress.step {
            Step::Waiting => {
                self.asking.insert(name);
            }
            Step::Rebooting if self.asking.remove(&name) => {
                *self.counts.entry(name.clone()).or_default() += 1;
                self.away.insert(name);
                self.most = self.most.max(self.away.len());
            }
            Step::Back => assert!(self.away.remove(&name), "{name} is back and was not away"),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_hosts_update_under_five_slots_and_some_never_come_back() {
    let folder = tempfile::tempdir().unwrap();
    mirror::write(&folder.path().join("assets"));
    let mut options = ServeOptions::on_loopback(folder.path().join("data"), folder.path().join("assets"));
    options.address_sources = vec!["127.0.0.0/8".parse().unwrap()];
    let running = serve::start(options).await.unwrap();
    let app = running.app().clone();
    let settings = GroupSettings {
        slots: SLOTS,
        ..GroupSettings::default()
    };
    let group = "runner".parse().unwrap();
    app.store
        .put_lock_group(&group, Some(settings), &GroupSettings::default())
        .await
        .unwrap();

    let client = thirdboot_api::Client::new(running.control_url(), thirdboot_api::Token::new(running.admin_token()));
    let client = client.unwrap();
    let wire = Wire::new(32).unwrap();
    let (mut fleet, mut progress) = Fleet::new();
    let watching = tokio::spawn(async move {
        let mut reboots = Reboots::default();
        while let Some(progress) = progress.recv().await {
            reboots.hear(progress);
        }
        reboots
    });
    for n in 1..=HOSTS {
        let hardware = Hardware::number(n);
        let name = format!("r{n}");
        let host: Host = serde_json::from_value(json!({
            "name": name, "macs": hardware.macs, "role": "runner",
        }))
        .unwrap();
        app.store.add_hosts(vec![host], Actor::Server).await.unwrap();
        let body = serde_json::from_value(json!({"confirm": name})).unwrap();
        client.arm(&name, &body).await.unwrap();
        let url = format!("{}/boot.ipxe", running.boot_url());
        let machine = Machine::new(&name, hardware, url, &wire)
            .without_cluster()
            .at(Pace::new(SPEED).of_machine(n))
            .updating(!LOST.contains(&n));
        fleet.start(machine, Duration::ZERO);
    }
    let mut lost = BTreeSet::new();
    while let Some((name, outcome)) = fleet.next_end().await {
        match outcome {
            Outcome::Ready => {}
            Outcome::Hung(why) => {
                assert_eq!(why, "it never came back from its update", "{name}");
                lost.insert(name);
            }
        }
    }
    drop(fleet);
    let expected: BTreeSet<String> = LOST.iter().map(|n| format!("r{n}")).collect();
    assert_eq!(lost, expected);
    let reboots = watching.await.unwrap();
    let most = reboots.most;
    assert!((1..=usize::from(SLOTS)).contains(&most), "{most} were away at once");
    assert_eq!(reboots.away, expected, "who is away at the end");
    let twice: Vec<_> = reboots.counts.iter().filter(|(_, count)| **count != 1).collect();
    assert_eq!((reboots.counts.len(), twice), (HOSTS as usize, Vec::new()), "each once");
    // The lost ones keep their slots for ever; everybody else has updated past them.
    let held: BTreeSet<String> = app
        .store
        .locks()
        .await
        .unwrap()
        .iter()
        .map(|slot| slot.name.to_string())
        .collect();
    assert_eq!(held, expected);
    drop(app);
    running.shutdown().await.unwrap();
    // Keeps the folder until the server is down.
    drop(Arc::new(folder));
}
