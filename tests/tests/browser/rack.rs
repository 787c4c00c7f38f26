//! The server with somebody who may sign in, and machines that do as they are told.

use std::time::Duration;

use anyhow::{Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use thirdboot_simulator::{Fault, Fleet, Hardware, Machine, Pace, Wire};
use thirdboot_tests::Site;
use thirdboot_tests::wait;

use crate::driver::{Browser, Script};

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse battery";
/// So many simulated seconds pass in one.
const SPEED: f64 = 60.0;
/// Outer bound of a run.
const LIMIT: Duration = Duration::from_secs(120);
/// Requests of the fleet under way at once.
const REQUESTS: usize = 32;

/// A server, its people and its machines.
pub(crate) struct Rack {
    pub(crate) site: Site,
    fleet: Fleet,
    wire: Wire,
}

impl Rack {
    /// A server with an admin `ann`, and stages that are late soon.
    pub(crate) async fn start() -> Result<Self> {
        let site = Site::start().await?;
        let ann = json!({"name": "ann", "role": "admin", "password": PASSWORD});
        let (status, answer) = site.admin.ask(Method::POST, "/api/v1/users", Some(&ann)).await?;
        ensure!(status == 201, "{answer}");
        let (fleet, _) = Fleet::new();
        Ok(Self {
            site,
            fleet,
            wire: Wire::new(REQUESTS)?,
        })
    }

    /// Saves a version of a template that says something in a file of its name.
    pub(crate) async fn template(&self, name: &str, says: &str) -> Result<()> {
        let text = format!(
            "variant: fcos\nversion: 1.5.0\nstorage:\n  files:\n    - path: /etc/{name}\n      contents:\n        \
             inline: \"{says}\"\n"
        );
        let path = format!("/api/v1/templates/{name}");
        let body = json!({"text": text, "note": "what the doormat says"});
        let (status, answer) = self.site.admin.ask(Method::PUT, &path, Some(&body)).await?;
        if status == 428 {
            return self.site.admin.put(&path, &body).await.map(|_| ());
        }
        ensure!(status.is_success(), "{answer}");
        Ok(())
    }

    /// Lets a stage be late after so many seconds.
    pub(crate) async fn late_after(&self, stage: &str, stall_s: u32) -> Result<()> {
        let change = json!({"stages": {stage: {"stall_s": stall_s, "give_up_s": 3600}}});
        let (status, answer) = self
            .site
            .admin
            .ask(Method::PATCH, "/api/v1/settings/deadlines", Some(&change))
            .await?;
        ensure!(status == 200, "{answer}");
        Ok(())
    }

    /// Adds machine `n` as a host.
    pub(crate) async fn host(&self, n: u32, name: &str, more: Value) -> Result<()> {
        let mut host = json!({"name": name, "macs": Hardware::number(n).macs, "role": "runner"});
        if let (Some(host), Some(more)) = (host.as_object_mut(), more.as_object()) {
            host.extend(more.clone());
        }
        self.site.admin.add(&host).await.map(|_| ())
    }

    /// Presses the power button of machine `n`.
    pub(crate) fn power_on(&mut self, n: u32, name: &str, fault: Option<Fault>) {
        let machine = self.machine(n, name).without_cluster();
        self.run(machine, fault);
    }

    /// The same of a machine that joins its host's cluster.
    pub(crate) fn power_on_member(&mut self, n: u32, name: &str, fault: Option<Fault>) {
        let machine = self.machine(n, name);
        self.run(machine, fault);
    }

    fn run(&mut self, machine: Machine, fault: Option<Fault>) {
        let machine = match fault {
            Some(fault) => machine.failing(fault),
            None => machine,
        };
        self.fleet.start(machine, Duration::ZERO);
    }

    /// Presses the power button of machine `n`: it becomes ready, and goes away for an update as soon as it may.
    pub(crate) fn power_on_for_good_bye(&mut self, n: u32, name: &str) {
        let machine = self.machine(n, name).without_cluster().updating(false);
        self.fleet.start(machine, Duration::ZERO);
    }

    fn machine(&self, n: u32, name: &str) -> Machine {
        let boot_url = format!("{}/boot.ipxe", self.site.server.endpoints.boot);
        Machine::new(name, Hardware::number(n), boot_url, &self.wire).at(Pace::new(SPEED))
    }

    /// Waits until so many hosts of the group `runner` hold its slot, and so many wait for it.
    pub(crate) async fn until_locks(&self, holders: usize, waiting: usize) -> Result<()> {
        wait::until("the reboot lock", LIMIT, async || {
            let (_, group) = self.site.admin.ask(Method::GET, "/api/v1/locks/runner", None).await?;
            let count = |list: &str| group[list].as_array().map_or(0, Vec::len);
            Ok((count("holders") == holders && count("waiting") == waiting).then_some(()))
        })
        .await
    }

    /// Waits until the API says so of a host.
    pub(crate) async fn until(&self, name: &str, is_so: impl Fn(&Value) -> bool) -> Result<()> {
        wait::until(name, LIMIT, async || {
            let host = self.site.admin.host(name).await?;
            Ok(is_so(&host).then_some(()))
        })
        .await
    }

    /// A browser in which nobody is signed in.
    pub(crate) async fn browser(&self, script: Script) -> Result<Browser> {
        Browser::open(&self.site.server.endpoints.control, script).await
    }

    /// Ann's browser.
    pub(crate) async fn ann(&self, script: Script) -> Result<Browser> {
        let browser = self.browser(script).await?;
        browser.go("/").await?;
        browser.fill("input[name=name]", "ann").await?;
        browser.fill("input[name=password]", PASSWORD).await?;
        browser.click("button.primary").await?;
        browser.until("h1", "Fleet").await?;
        Ok(browser)
    }

    /// A fleet with a bit of everything, come to rest.
    pub(crate) async fn lively() -> Result<Self> {
        let mut rack = Self::start().await?;
        for stage in [
            "netbooting",
            "live",
            "installing",
            "installed",
            "first-boot",
            "layering",
            "layered-boot",
            "networked",
        ] {
            rack.late_after(stage, 15).await?;
        }
        let cast = [
            ("web-01", None),
            ("web-02", None),
            ("web-03", None),
            ("db-01", Some(Fault::InstallStuck)),
            ("db-02", Some(Fault::DiskHoldsCeph)),
            ("build-01", Some(Fault::LayeringFails)),
            ("build-02", Some(Fault::NoFirstBoot)),
            ("edge-01", Some(Fault::RootfsNotFetched)),
        ];
        for ((name, fault), n) in cast.into_iter().zip(1..) {
            let rack_label = json!({"labels": {"rack": (n % 3).to_string(), "site": "north"}});
            rack.host(n, name, rack_label).await?;
            rack.site.admin.arm(name).await?;
            // One of them gets the slot and keeps it, the other waits.
            if ["web-02", "web-03"].contains(&name) {
                rack.power_on_for_good_bye(n, name);
            } else {
                rack.power_on(n, name, fault);
            }
        }
        for (name, n) in [("spare-01", 20), ("spare-02", 21)] {
            rack.host(n, name, json!({})).await?;
        }
        rack.site.admin.hold("spare-02", "fan 3 is to be replaced").await?;
        rack.power_on(900, "stranger", None);
        for (name, _) in cast.iter().filter(|(_, fault)| fault.is_none()) {
            rack.until(name, |host| host["run"]["stage"] == "ready").await?;
        }
        for (name, _) in cast.iter().filter(|(_, fault)| fault.is_some()) {
            let is_stuck = |host: &Value| host["run"]["stalled"] == true || host["run"]["stage"] == "failed";
            rack.until(name, is_stuck).await?;
        }
        rack.until_locks(1, 1).await?;
        rack.cluster_that_waits().await?;
        for says in ["Look before you type.\\n", "This is {{ host.name }}.\\n"] {
            rack.template("motd", says).await?;
        }
        let bob = json!({"name": "bob", "role": "operator"});
        for (path, body) in [("/api/v1/users", bob), ("/api/v1/users/bob/link", json!({}))] {
            let (status, answer) = rack.site.admin.ask(Method::POST, path, Some(&body)).await?;
            ensure!(status.is_success(), "{path}: {status} {answer}");
        }
        Ok(rack)
    }

    /// A cluster whose first server died when it was to begin it: the second one waits.
    async fn cluster_that_waits(&mut self) -> Result<()> {
        self.site.cluster("prod").await?;
        let servers = [("cp-01", 30, Some(Fault::FirstServerLost)), ("cp-02", 31, None)];
        for (name, n, fault) in servers {
            self.host(n, name, json!({"role": "server", "cluster": "prod"})).await?;
            self.site.admin.arm(name).await?;
            self.power_on_member(n, name, fault);
            self.until(name, |host| {
                host["run"]["stage"] == if fault.is_some() { "joining" } else { "networked" }
            })
            .await?;
        }
        wait::until("a server that waits", LIMIT, async || {
            let cluster = self.site.admin.cluster("prod").await?;
            Ok(cluster["members"][1]["waits_for"].is_string().then_some(()))
        })
        .await
    }
}
