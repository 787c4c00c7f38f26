//! The driver of Equinix Metal's API, and of what others sell in its form.

mod client;
mod events;
mod limit;
mod power;
mod token;
mod vlans;
mod wire;

use std::time::Duration;

use serde_json::{Map, Value, json};
use thirdboot_lifecycle::{
    AtProvider, DeviceId, Mac, Provider, ProviderLook, ProviderMachine, PutVlans, Run, TroubleKind, Wanted,
};

use super::PlatformOptions;
use crate::secrets::redact;
use client::{Client, Fault};
pub(super) use power::Done;
pub use token::VARIABLE as TOKEN_VARIABLE;
use vlans::{Carried, Wish};
use wire::Device;

/// How long a look may take, retries and a batch of VLANs included.
const LOOK_LIMIT: Duration = Duration::from_secs(90);
/// The driver.
#[derive(Debug)]
pub(super) struct Driver {
    client: Client,
}

/// What a look is for.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    /// Which machine.
    pub(super) provider: &'a Provider,
    /// The host's.
    pub(super) macs: &'a [Mac],
    /// Where it must boot from: a secret. None leaves it as it is.
    pub(super) boot_url: Option<String>,
    /// What is wanted.
    pub(super) wanted: &'a Wanted,
    /// The run that waits for the machine to come, on hold or not.
    pub(super) armed: Option<&'a Run>,
    /// What was known before.
    pub(super) before: Option<&'a AtProvider>,
}

impl Asked<'_> {
    fn device(&self) -> &DeviceId {
        &self.provider.device
    }

    /// Why this machine is none of the host's: a mistyped id names somebody else's, and that must not be started.
    fn is_other(&self, device: &Device) -> Option<String> {
        let of_ports: Vec<Mac> = device.macs().collect();
        let is_known = !of_ports.is_empty() && !self.macs.is_empty();
        (is_known && !of_ports.iter().any(|mac| self.macs.contains(mac))).then(|| {
            let listed: Vec<String> = of_ports.iter().map(Mac::to_string).collect();
            format!("its ports are {}, and none of them is the host's", listed.join(", "))
        })
    }

    /// What is to be changed of the way in which this machine boots.
    fn change(&self, device: &Device) -> Option<Value> {
        let mut change = Map::new();
        if let Some(always) = self.wanted.netboot.filter(|wanted| device.netboot() != *wanted) {
            change.insert("always_pxe".to_owned(), json!(always));
        }
        let is_other = |url: &&String| device.ipxe_script_url.as_ref() != Some(*url);
        if let Some(url) = self.boot_url.as_ref().filter(is_other) {
            change.insert("ipxe_script_url".to_owned(), json!(url));
        }
        (!change.is_empty()).then(|| change.into())
    }
}

/// What a look leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Another look, at once.
    Step,
    /// Another look, at once, that asks for what must stand in the store first.
    Begins,
    /// Everything but its power is as it should be.
    Settled,
    /// Not before it has changed.
    Wait,
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

    /// Looks at a machine and carries out what differs from what is wanted, but for its power, as far as one look gets.
    pub(super) async fn look(&self, asked: &Asked<'_>) -> (ProviderLook, Next) {
        let mut look = ProviderLook::default();
        let done = match tokio::time::timeout(LOOK_LIMIT, self.carry_out(asked, &mut look)).await {
            Ok(done) => done,
            Err(_) => Err(Fault::new(
                TroubleKind::Unreachable,
                format!("it did not answer everything within {} s", LOOK_LIMIT.as_secs()),
            )),
        };
        let next = match &done {
            Ok(next) => *next,
            Err(_) => Next::Wait,
        };
        look.trouble = done.err().map(|fault| (fault.kind, redact(&fault.says).into_owned()));
        power::judge(asked, &mut look);
        (look, next)
    }

    async fn carry_out(&self, asked: &Asked<'_>, look: &mut ProviderLook) -> Result<Next, Fault> {
        let device = self.client.device(asked.device()).await?;
        if let Some(says) = asked.is_other(&device) {
            return Err(Fault::new(TroubleKind::OtherMachine, says));
        }
        let carried = asked.before.and_then(|before| before.machine.as_ref());
        look.machine = Some(ProviderMachine {
            state: client::clean(&device.state),
            netboot: Some(device.netboot()),
            vlans: carried.map(|machine| machine.vlans.clone()).unwrap_or_default(),
        });
        let done = self.converge(asked, &device, look).await;
        // Read in any case: where something failed they may say why.
        let read = events::read(&self.client, asked, look).await;
        done.and_then(|next| read.map(|()| next))
    }

    /// Network boot first, then VLANs: a machine that starts finds everything in place.
    async fn converge(&self, asked: &Asked<'_>, device: &Device, look: &mut ProviderLook) -> Result<Next, Fault> {
        let netboot = self.netboot(asked, device).await?;
        if let Some(machine) = &mut look.machine {
            machine.netboot = Some(netboot);
        }
        let known = PutVlans::of(asked.before.and_then(|before| before.put.as_ref()), asked.device());
        let mut put = known.cloned().unwrap_or_else(|| PutVlans::none(asked.device()));
        let wish = Wish {
            wanted: &asked.wanted.vlans,
            tidies: asked.wanted.tidies,
            put: &mut put,
        };
        let (vlans, next) = match vlans::converge(&self.client, device, wish).await {
            Ok(Carried::All(vlans)) => (Some(vlans), Ok(Next::Settled)),
            // The host is read again before its power is touched: this took a while.
            Ok(Carried::JustNow(vlans)) => (Some(vlans), Ok(Next::Step)),
            Ok(Carried::Begins(vlans)) => (Some(vlans), Ok(Next::Begins)),
            Ok(Carried::NotYet(vlans)) => (Some(vlans), Ok(Next::Wait)),
            Err((vlans, fault)) => (vlans, Err(fault)),
        };
        if let (Some(machine), Some(vlans)) = (&mut look.machine, vlans) {
            machine.vlans = vlans;
        }
        look.put = Some(put).filter(|put| known != Some(put) && (known.is_some() || !put.ids.is_empty()));
        next
    }

    /// Sets whether it boots from the network every time, and from where. What it is then.
    async fn netboot(&self, asked: &Asked<'_>, device: &Device) -> Result<bool, Fault> {
        let Some(change) = asked.change(device) else {
            return Ok(device.netboot());
        };
        let changed = self.client.change(asked.device(), &change).await?;
        if asked.wanted.netboot.is_some_and(|wanted| changed.netboot() != wanted) {
            let says = "it took always_pxe and did not set it: is the machine's operating system custom_ipxe?";
            return Err(Fault::new(TroubleKind::Refused, says));
        }
        Ok(changed.netboot())
    }
}
