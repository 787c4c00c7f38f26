//! The driver of Equinix Metal's API, and of what others sell in its form.

mod client;
mod events;
mod limit;
mod token;
mod vlans;
mod wire;

use std::time::Duration;

use serde_json::{Map, json};
use thirdboot_lifecycle::{AtProvider, DeviceId, Power, ProviderLook, ProviderMachine, TroubleKind, Wanted};

use super::PlatformOptions;
use crate::secrets::redact;
use client::{Client, Fault};
pub use token::VARIABLE as TOKEN_VARIABLE;
use vlans::Carried;
use wire::Device;

/// How long a look may take, retries and a batch of VLANs included.
const LOOK_LIMIT: Duration = Duration::from_secs(90);
/// States in which a machine is on its way to another one: it is left alone. What it is when it arrived proves nothing.
const ON_ITS_WAY: [&str; 9] = [
    "queued",
    "provisioning",
    "post_provisioning",
    "reinstalling",
    "deprovisioning",
    "powering_on",
    "powering_off",
    "rebooting",
    "moving",
];
/// The state of a machine that has no power.
const OFF: &str = "inactive";

/// The driver.
#[derive(Debug)]
pub(super) struct Driver {
    client: Client,
}

/// What a look is for.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    /// Which machine.
    pub(super) device: &'a DeviceId,
    /// Where it must boot from: a secret. None leaves it as it is.
    pub(super) boot_url: Option<String>,
    /// What is wanted.
    pub(super) wanted: &'a Wanted,
    /// What was known before.
    pub(super) before: Option<&'a AtProvider>,
}

impl Driver {
    pub(super) fn new(options: &PlatformOptions) -> anyhow::Result<Self> {
        Ok(Self {
            client: Client::new(options)?,
        })
    }

    /// Why nothing can be asked, if so.
    pub(super) fn refuses(&self) -> Option<String> {
        self.client.token().err().map(|error| error.to_string())
    }

    /// Looks at a machine and carries out what differs from what is wanted, as far as one look gets. Whether the next
    /// look should follow at once.
    pub(super) async fn look(&self, asked: &Asked<'_>) -> (ProviderLook, bool) {
        let mut look = ProviderLook::default();
        let done = match tokio::time::timeout(LOOK_LIMIT, self.carry_out(asked, &mut look)).await {
            Ok(done) => done,
            Err(_) => Err(Fault::new(
                TroubleKind::Unreachable,
                format!("it did not answer everything within {} s", LOOK_LIMIT.as_secs()),
            )),
        };
        let is_step = matches!(done, Ok(true));
        look.trouble = done.err().map(|fault| (fault.kind, redact(&fault.says).into_owned()));
        (look, is_step)
    }

    async fn carry_out(&self, asked: &Asked<'_>, look: &mut ProviderLook) -> Result<bool, Fault> {
        let device = self.client.device(asked.device).await?;
        let carried = asked.before.and_then(|before| before.machine.as_ref());
        look.machine = Some(ProviderMachine {
            state: client::clean(&device.state),
            netboot: Some(device.netboot()),
            vlans: carried.map(|machine| machine.vlans.clone()).unwrap_or_default(),
        });
        let done = self.converge(asked, &device, look).await;
        // Read in any case: where something failed they may say why.
        let read = events::read(&self.client, asked, look).await;
        done.and_then(|step| read.map(|()| step))
    }

    /// Network boot first, then VLANs, then power: a machine that starts finds everything in place.
    async fn converge(&self, asked: &Asked<'_>, device: &Device, look: &mut ProviderLook) -> Result<bool, Fault> {
        let netboot = self.netboot(asked, device).await?;
        if let Some(machine) = &mut look.machine {
            machine.netboot = Some(netboot);
        }
        let carried = vlans::put_on(&self.client, device, &asked.wanted.vlans).await;
        let (vlans, fault) = match carried {
            Ok(Carried::All(vlans)) => (Some(vlans), None),
            // The host is read again before its power is touched: this took a while.
            Ok(Carried::JustNow(vlans)) => (Some(vlans), Some(Ok(true))),
            Ok(Carried::NotYet(vlans)) => (Some(vlans), Some(Ok(false))),
            Err((vlans, fault)) => (vlans, Some(Err(fault))),
        };
        if let (Some(machine), Some(vlans)) = (&mut look.machine, vlans) {
            machine.vlans = vlans;
        }
        if let Some(early) = fault {
            return early;
        }
        let powered = asked.before.and_then(|before| before.powered);
        if let Some((run, power)) = asked.wanted.power
            && powered != Some(run)
            && self.power(asked.device, device, power).await?
        {
            look.powered = Some(run);
        }
        Ok(false)
    }

    /// Sets whether it boots from the network every time, and from where. What it is then.
    async fn netboot(&self, asked: &Asked<'_>, device: &Device) -> Result<bool, Fault> {
        let mut change = Map::new();
        if let Some(always) = asked.wanted.netboot.filter(|wanted| device.netboot() != *wanted) {
            change.insert("always_pxe".to_owned(), json!(always));
        }
        if let Some(url) = asked
            .boot_url
            .as_ref()
            .filter(|url| device.ipxe_script_url.as_ref() != Some(*url))
        {
            change.insert("ipxe_script_url".to_owned(), json!(url));
        }
        if change.is_empty() {
            return Ok(device.netboot());
        }
        let changed = self.client.change(asked.device, &change.into()).await?;
        if asked.wanted.netboot.is_some_and(|wanted| changed.netboot() != wanted) {
            let says = "it took always_pxe and did not set it: is the machine's operating system custom_ipxe?";
            return Err(Fault::new(TroubleKind::Refused, says));
        }
        Ok(changed.netboot())
    }

    /// Whether the provider took the request; it is left for later while the machine is on its way.
    async fn power(&self, id: &DeviceId, device: &Device, power: Power) -> Result<bool, Fault> {
        let state = device.state.as_str();
        if ON_ITS_WAY.contains(&state) {
            return Ok(false);
        }
        let action = match power {
            Power::Reboot if state == OFF => json!({"type": "power_on"}),
            Power::Reboot => json!({"type": "reboot"}),
            // The disk is wiped by nobody but a claim, as far as the provider lets one choose.
            Power::Reinstall => json!({"type": "reinstall", "preserve_data": true, "deprovision_fast": true}),
        };
        self.client.act(id, &action).await?;
        Ok(true)
    }
}
