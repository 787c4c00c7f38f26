//! Whatever happens in whatever order, a cluster is begun once.
//!
//! A small world: machines with disks, a database with a version and an epoch file, decisions that are made on what was
//! read a while ago and stored only if nothing changed since. After every step, no two disks hold different clusters.

use std::collections::BTreeSet;

use proptest::prelude::*;
use thirdboot_lifecycle::*;

use super::*;

const HOSTS: u64 = 4;

/// What a host was told and has not done yet.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Told {
    Init,
    Join(u32),
}

#[derive(Debug, Clone)]
struct Machine {
    run: u32,
    is_on: bool,
    told: Option<Told>,
    /// The cluster whose data is on its disk.
    disk: Option<u32>,
}

/// What a backup holds.
#[derive(Debug, Clone)]
struct Database {
    cluster: Cluster,
    version: u64,
    members: Vec<Member>,
    /// Rises with every claim, every right to begin and every beginning, as the store has it.
    mark: u64,
}

/// A decision that is on its way to the database.
#[derive(Debug, Clone)]
struct Pending {
    host: u64,
    run: u32,
    version: u64,
    decision: Decision,
}

#[derive(Debug)]
struct World {
    machines: Vec<Machine>,
    database: Database,
    backup: Option<Database>,
    /// What the epoch file says: it is no part of a backup.
    epoch_mark: u64,
    pending: Vec<Pending>,
    clusters_made: u32,
}

#[derive(Debug, Clone)]
enum Step {
    /// A host asks to join; whether the servers can be reached from here, and whether they were looked for.
    Asks {
        host: u64,
        reachable: bool,
        looked: bool,
    },
    /// The oldest or the newest decision is stored, if nothing changed meanwhile, and then told.
    Stored {
        newest: bool,
    },
    /// A host does what it was told.
    Starts(u64),
    HandsIn(u64),
    IsReady(u64),
    Fails(u64),
    Off(u64),
    On(u64),
    Reinstalled(u64),
    /// An admin gives up a cluster that is on nobody's disk, and chooses who begins anew.
    Moved(u64),
    BackedUp,
    Restored,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let host = || 1..=HOSTS;
    let step = prop_oneof![
        8 => (host(), any::<bool>(), prop::bool::weighted(0.8)).prop_map(|(host, reachable, looked)| Step::Asks { host, reachable, looked }),
        8 => any::<bool>().prop_map(|newest| Step::Stored { newest }),
        6 => host().prop_map(Step::Starts),
        4 => host().prop_map(Step::HandsIn),
        4 => host().prop_map(Step::IsReady),
        1 => host().prop_map(Step::Fails),
        1 => host().prop_map(Step::Off),
        1 => host().prop_map(Step::On),
        2 => host().prop_map(Step::Reinstalled),
        1 => host().prop_map(Step::Moved),
        1 => Just(Step::BackedUp),
        1 => Just(Step::Restored),
    ];
    prop::collection::vec(step, 1..80)
}

fn ca(number: u32) -> String {
    format!("ca{number}")
}

impl World {
    fn new() -> Self {
        let machine = Machine {
            run: 1,
            is_on: true,
            told: None,
            disk: None,
        };
        let role = |host| if host == HOSTS { Role::Agent } else { Role::Server };
        Self {
            machines: vec![machine; usize::try_from(HOSTS).unwrap()],
            database: Database {
                cluster: cluster(),
                version: 1,
                members: (1..=HOSTS)
                    .map(|host| member(host, role(host), Stage::Networked))
                    .collect(),
                mark: 0,
            },
            backup: None,
            epoch_mark: 0,
            pending: Vec::new(),
            clusters_made: 0,
        }
    }

    fn machine(&mut self, host: u64) -> &mut Machine {
        &mut self.machines[usize::try_from(host - 1).unwrap()]
    }

    fn member(&mut self, host: u64) -> &mut Member {
        self.database
            .members
            .iter_mut()
            .find(|member| member.holder.host == host)
            .unwrap()
    }

    fn mark(&mut self) {
        self.database.mark += 1;
        self.epoch_mark = self.database.mark;
    }

    /// Whether the database knows this very installation.
    fn is_current(&mut self, host: u64) -> bool {
        let run = self.machine(host).run;
        self.member(host).holder.run == RunNumber(run)
    }

    fn sight(&self, host: u64, reachable: bool, looked: bool) -> Sight {
        let known = self.database.cluster.ca_sha256();
        let mut sight = Sight {
            has_looked: looked,
            api: Api::Unreachable,
            ..Sight::default()
        };
        for (number, machine) in (1..).zip(&self.machines) {
            let Some(disk) = machine.disk.filter(|_| reachable && machine.is_on && number != host) else {
                continue;
            };
            match known {
                Some(known) if *known == ca(disk) => sight.answering.push(number),
                _ => sight.others_answering.push(format!("n{number}")),
            }
        }
        sight
    }

    fn play(&mut self, step: &Step) {
        match *step {
            Step::Asks {
                host,
                reachable,
                looked,
            } => self.asks(host, reachable, looked),
            Step::Stored { newest } => self.stored(newest),
            Step::Starts(host) => self.starts(host),
            Step::HandsIn(host) => {
                let (run, disk) = (self.machine(host).run, self.machine(host).disk);
                if let Some(disk) = disk.filter(|_| self.is_current(host))
                    && let Ok(next) = hand_in(&self.database.cluster, &holder(host, run), &ca(disk), t0())
                {
                    self.store(next);
                    self.mark();
                }
            }
            Step::IsReady(host) => {
                if self.is_current(host)
                    && self.machine(host).disk.is_some()
                    && self.member(host).stage == Stage::Joining
                {
                    self.member(host).stage = Stage::Ready;
                }
            }
            Step::Fails(host) => {
                if self.is_current(host) && !self.member(host).stage.is_end() {
                    self.member(host).stage = Stage::Failed;
                }
            }
            Step::Off(host) => self.machine(host).is_on = false,
            Step::On(host) => self.machine(host).is_on = true,
            Step::Reinstalled(host) => self.reinstalled(host),
            Step::Moved(host) => self.moved(host),
            Step::BackedUp => self.backup = Some(self.database.clone()),
            Step::Restored => self.restored(),
        }
    }

    fn asks(&mut self, host: u64, reachable: bool, looked: bool) {
        let is_on_its_way = matches!(self.member(host).stage, Stage::Networked | Stage::Joining);
        if !self.machine(host).is_on || !self.is_current(host) || !is_on_its_way {
            return;
        }
        let sight = self.sight(host, reachable, looked);
        let run = self.machine(host).run;
        self.pending.push(Pending {
            host,
            run,
            version: self.database.version,
            decision: ask(&self.database.cluster, host, &self.database.members, &sight),
        });
    }

    fn stored(&mut self, newest: bool) {
        let Some(at) = (if newest {
            self.pending.len().checked_sub(1)
        } else {
            Some(0)
        }) else {
            return;
        };
        if self.pending.is_empty() {
            return;
        }
        let Pending {
            host,
            run,
            version,
            decision,
        } = self.pending.remove(at);
        let (next, told) = match decision {
            Decision::Init(next) => (*next, Told::Init),
            Decision::Join { next, .. } => {
                let number = next.ca_sha256().unwrap().trim_start_matches("ca").parse().unwrap();
                (*next, Told::Join(number))
            }
            Decision::Wait { .. } | Decision::Refuse { .. } => return,
        };
        if version != self.database.version {
            return;
        }
        let grants = next.init != self.database.cluster.init;
        self.store(next);
        if grants {
            self.mark();
        }
        // The answer reaches a machine that was installed again meanwhile no more.
        if self.machine(host).run == run && self.member(host).holder.run == RunNumber(run) {
            self.member(host).stage = Stage::Joining;
            self.machine(host).told = Some(told);
        }
    }

    fn store(&mut self, next: Cluster) {
        self.database.cluster = next;
        self.database.version += 1;
    }

    fn starts(&mut self, host: u64) {
        if !self.machine(host).is_on || self.machine(host).disk.is_some() {
            return;
        }
        match self.machine(host).told {
            Some(Told::Init) => {
                self.clusters_made += 1;
                self.machine(host).disk = Some(self.clusters_made);
            }
            Some(Told::Join(wanted)) => {
                let is_there = self
                    .machines
                    .iter()
                    .any(|other| other.is_on && other.disk == Some(wanted));
                if is_there {
                    self.machine(host).disk = Some(wanted);
                }
            }
            None => {}
        }
    }

    /// Armed, claimed and installed: the claim is marked, and a disk of a later run than the database knows is refused.
    fn reinstalled(&mut self, host: u64) {
        let member = self.member(host);
        if !member.stage.is_end() {
            return;
        }
        let run = member.holder.run.next();
        member.holder.run = run;
        member.stage = Stage::Networked;
        let is_refused = self.machine(host).run >= run.0;
        if is_refused {
            self.member(host).stage = Stage::Failed;
            return;
        }
        *self.machine(host) = Machine {
            run: run.0,
            is_on: true,
            told: None,
            disk: None,
        };
        self.mark();
    }

    /// As docs/clusters.md asks: only when no disk holds the old cluster, and nobody is about to begin it.
    fn moved(&mut self, host: u64) {
        let is_lost = self
            .machines
            .iter()
            .all(|machine| machine.disk.is_none() && machine.told != Some(Told::Init));
        if !is_lost || host == HOSTS {
            return;
        }
        let name = self.member(host).holder.name.clone();
        if let Ok(next) = move_init(&self.database.cluster, host, &name) {
            self.store(next);
            self.mark();
        }
    }

    fn restored(&mut self) {
        let Some(backup) = self.backup.clone() else {
            return;
        };
        self.pending.clear();
        self.database = backup;
        if self.database.mark < self.epoch_mark {
            self.database.cluster = self.database.cluster.clone().after_restore();
            self.database.mark = self.epoch_mark;
        }
        self.database.version += 1000;
    }

    fn clusters(&self) -> BTreeSet<u32> {
        self.machines.iter().filter_map(|machine| machine.disk).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn never_a_second_cluster(steps in steps()) {
        let mut world = World::new();
        for (at, step) in steps.iter().enumerate() {
            world.play(step);
            prop_assert!(world.clusters().len() <= 1, "after step {at}, {step:?}: {world:#?}");
        }
    }
}

/// The property would hold of a world in which nothing happens: this one comes to life.
#[test]
fn the_world_of_the_property_forms_clusters() {
    let mut world = World::new();
    let asks = |host| {
        [
            Step::Asks {
                host,
                reachable: true,
                looked: true,
            },
            Step::Stored { newest: true },
            Step::Starts(host),
        ]
    };
    for step in asks(1)
        .into_iter()
        .chain([Step::HandsIn(1), Step::IsReady(1)])
        .chain(asks(2))
        .chain([Step::IsReady(2)])
        .chain(asks(4))
    {
        world.play(&step);
    }
    assert_eq!(
        world.machines.iter().filter(|machine| machine.disk == Some(1)).count(),
        3
    );
}
