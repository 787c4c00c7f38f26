//! Simulated machines for what Terraform declares.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use thirdboot_simulator::{Clusters, Fault, Fleet, Hardware, Machine, Outcome, Pace, Wire};

use crate::Site;

/// So much faster than real machines: a boot takes milliseconds.
const SPEED: f64 = 2_000.0;
/// Requests under way at any moment.
const REQUESTS: usize = 8;

/// A machine to be simulated, switched on when somebody says so.
#[derive(Debug)]
pub struct Simulated {
    name: String,
    number: u32,
    joins: bool,
    boot_url: Option<String>,
    fault: Option<Fault>,
}

/// The machine of a number. It becomes no cluster's node.
#[must_use]
pub fn simulated(name: &str, number: u32) -> Simulated {
    Simulated {
        name: name.to_owned(),
        number,
        joins: false,
        boot_url: None,
        fault: None,
    }
}

impl Simulated {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its network cards.
    #[must_use]
    pub fn macs(&self) -> Vec<String> {
        Hardware::number(self.number).macs
    }

    /// Becomes a cluster's node.
    #[must_use]
    pub fn joining(mut self) -> Self {
        self.joins = true;
        self
    }

    /// Boots this URL, not what its network names.
    #[must_use]
    pub fn booting(mut self, url: &str) -> Self {
        self.boot_url = Some(url.to_owned());
        self
    }

    /// Fails in this way.
    #[must_use]
    pub fn failing(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }

    fn machine(&self, site: &Site, wire: &Wire, clusters: &Clusters) -> Machine {
        let of_network = format!("{}/boot.ipxe", site.server.endpoints.boot);
        let boot_url = self.boot_url.clone().unwrap_or(of_network);
        let hardware = Hardware::number(self.number);
        let mut machine = Machine::new(&self.name, hardware, boot_url, wire)
            .at(Pace::new(SPEED))
            .among(clusters);
        if !self.joins {
            machine = machine.without_cluster();
        }
        match self.fault {
            Some(fault) => machine.failing(fault),
            None => machine,
        }
    }

    /// Switches it on, and lives its life in the background.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn switched_on(&self, site: &Site) -> Result<Fleet> {
        switched_on(std::slice::from_ref(self), site)
    }
}

/// Switches machines on, which can form clusters, and lives their lives in the background until the fleet is dropped.
///
/// # Errors
/// When no HTTP client can be made.
pub fn switched_on(machines: &[Simulated], site: &Site) -> Result<Fleet> {
    let wire = Wire::new(REQUESTS)?;
    let clusters = Clusters::default();
    let (mut fleet, _) = Fleet::new();
    for machine in machines {
        fleet.start(machine.machine(site, &wire, &clusters), Duration::ZERO);
    }
    Ok(fleet)
}

/// Waits until every machine of a fleet is ready.
///
/// # Errors
/// When one hangs.
pub async fn all_ready(mut fleet: Fleet) -> Result<()> {
    while let Some((name, outcome)) = fleet.next_end().await {
        ensure!(outcome == Outcome::Ready, "{name}: {outcome:?}");
    }
    (fleet.under_way() == 0).then_some(()).context("machines are left")
}
