//! The demo's run: hosts are added and armed over the API, their machines are powered on, and both are watched.

use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use thirdboot_api::HostQuery;
use thirdboot_api::control::{ArmBody, Role};
use thirdboot_simulator::{Clusters, Fleet, Machine, Pace, Progress, Wire};
use tokio::sync::mpsc::UnboundedReceiver;

use super::cast::{self, Part};
use super::scene::Scene;
use super::screen::Screen;
use super::site::Site;
use super::{DemoOptions, verdict};
use crate::cli::Failure;
use crate::cli::output::say;

/// How often the server is asked and the screen drawn.
const FRAME_PERIOD: Duration = Duration::from_millis(250);
/// From the first machine's power button to the last one's, in simulated time.
const POWERED_ON_WITHIN: Duration = Duration::from_secs(24);
/// Hosts that are added and armed side by side.
const ARMED_AT_ONCE: usize = 16;
/// With `--once` the server is restarted after so much simulated time: machines must not mind.
const RESTART_AFTER: Duration = Duration::from_secs(160);
/// `--once` waits for every end no longer than this, in simulated time and in real time.
const LIMIT: Duration = Duration::from_secs(1800);
const SHORTEST_LIMIT: Duration = Duration::from_secs(60);
/// Requests of the fleet under way at once.
const REQUESTS: usize = 128;

/// How the demo ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Every host came to its end.
    AsMeant,
    /// Some did not.
    Missed,
    /// Somebody pressed Ctrl-C.
    Interrupted,
}

/// Plays until every host came to its end (`--once`), or for ever.
pub(super) async fn play(site: &mut Site, options: &DemoOptions) -> Result<Ending, Failure> {
    let mut scene = Scene {
        parts: cast::cast(options.hosts),
        control_url: site.control_url.clone(),
        token_file: site.token_file().display().to_string(),
        ..Scene::default()
    };
    let pace = Pace::new(f64::from(options.speed));
    let rack = Rack {
        pace,
        wire: Wire::new(REQUESTS)?,
        clusters: Clusters::default(),
    };
    let (mut late, early): (Vec<Part>, Vec<Part>) = scene.parts.iter().cloned().partition(Part::is_late);
    let (mut fleet, mut progress) = rack.power_on(site, &early).await?;
    let started = Instant::now();
    let mut screen = Screen::open(&scene, options.json).map_err(anyhow::Error::from)?;
    let mut restart_at = options.once.then(|| pace.real(RESTART_AFTER));
    let limit = pace.real(LIMIT).max(SHORTEST_LIMIT);
    loop {
        scene.elapsed = started.elapsed();
        look(site, &mut scene, &mut progress).await;
        if !late.is_empty() && scene.has_neighbour() {
            for part in late.drain(..) {
                fleet.start(rack.machine(site, &part).await?, Duration::ZERO);
            }
        }
        // A large fleet takes long to list: most of the time is the machines'.
        let pause = (started.elapsed().saturating_sub(scene.elapsed) * 3).max(FRAME_PERIOD);
        screen.show(&scene).map_err(anyhow::Error::from)?;
        if restart_at.is_some_and(|at| scene.elapsed >= at) {
            restart_at = None;
            site.restart().await?;
            scene.notice = Some("the server was stopped and started again: no machine may mind".to_owned());
        }
        let all_ended = scene.as_meant() == scene.parts.len() && verdict::is_stranger_held(&scene);
        if options.once && restart_at.is_none() && (all_ended || scene.elapsed >= limit) {
            drop(screen);
            fleet.stop().await;
            return conclude(&scene, &rack.clusters, all_ended, options.json);
        }
        tokio::time::sleep(pause).await;
    }
}

/// What all machines share.
struct Rack {
    pace: Pace,
    wire: Wire,
    clusters: Clusters,
}

impl Rack {
    /// Adds and arms every host over the API, and powers its machine on.
    async fn power_on(&self, site: &Site, parts: &[Part]) -> Result<(Fleet, UnboundedReceiver<Progress>), Failure> {
        for cluster in cast::clusters(&site.k3s_sha256) {
            site.client.add_cluster(&cluster).await?;
        }
        let machines: Vec<Machine> = stream::iter(parts)
            .map(|part| self.machine(site, part))
            .buffered(ARMED_AT_ONCE)
            .try_collect()
            .await?;
        let (mut fleet, progress) = Fleet::new();
        // However large the fleet, its power buttons are pressed within the same time.
        let pause = self.pace.real(POWERED_ON_WITHIN) / u32::try_from(machines.len().max(1)).unwrap_or(u32::MAX);
        for (machine, at) in machines.into_iter().zip(0_u32..) {
            fleet.start(machine, pause * at);
        }
        let stranger = Machine::new("stranger", cast::stranger(), network_boot(site), &self.wire).at(self.pace);
        fleet.start(stranger, Duration::ZERO);
        Ok((fleet, progress))
    }

    /// Adds and arms a host, and builds its machine.
    async fn machine(&self, site: &Site, part: &Part) -> Result<Machine, Failure> {
        site.client.add_host(&part.spec()).await?;
        site.client.arm(&part.name, &ArmBody::confirming(&part.name)).await?;
        let boot_url = if part.is_keyed() {
            site.client.boot_url(&part.name).await?.url
        } else {
            network_boot(site)
        };
        let machine = Machine::new(&part.name, part.hardware(), boot_url, &self.wire).among(&self.clusters);
        let mut machine = machine.at(self.pace.of_machine(part.number));
        if part.role == Role::Runner {
            machine = machine.without_cluster();
        }
        if let Some(fault) = part.fault {
            machine = machine.failing(fault);
        }
        Ok(machine)
    }
}

fn network_boot(site: &Site) -> String {
    format!("{}/boot.ipxe", site.boot_url)
}

/// Asks the server, and hears the machines. A server that does not answer now is asked again with the next frame.
async fn look(site: &Site, scene: &mut Scene, progress: &mut UnboundedReceiver<Progress>) {
    while let Ok(progress) = progress.try_recv() {
        scene.take_progress(progress);
    }
    match site.client.all_hosts(&HostQuery::default(), None).await {
        Ok(views) => scene.take_views(views),
        Err(error) => scene.notice = Some(error.to_string()),
    }
    if let Ok(unknown) = site.client.unknown_machines().await {
        scene.unknown = unknown.items.len();
    }
}

/// A line a host, or all of it as JSON.
fn conclude(scene: &Scene, clusters: &Clusters, all_ended: bool, is_json: bool) -> Result<Ending, Failure> {
    let astray = verdict::astray(scene);
    if is_json {
        say(&format!("{:#}\n", verdict::answer(scene, &astray, clusters.count())))?;
    } else {
        say(&format!(
            "\n{}\n{}{} of {} hosts came to the end meant for them in {} s; clusters that formed: {}\n",
            verdict::lines(scene),
            astray.iter().flat_map(|line| [line.as_str(), "\n"]).collect::<String>(),
            scene.as_meant(),
            scene.parts.len(),
            scene.elapsed.as_secs(),
            clusters.count(),
        ))?;
    }
    // A second one is never meant.
    let is_one = clusters.count() <= 1;
    Ok(if all_ended && is_one && astray.is_empty() {
        Ending::AsMeant
    } else {
        Ending::Missed
    })
}
