//! Power: what is asked is decided on what the provider has just said, asked once, and looked for when its answer is lost.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use thirdboot_lifecycle::{DeviceId, Power, PowerStep, ProviderEvent, ProviderLook, TroubleKind};

use super::client::Fault;
use super::wire::Device;
use super::{Asked, Driver, vlans};

/// What a machine's state may be old when its power is decided on.
const MAX_AGE: Duration = Duration::from_secs(5);
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
/// Kinds of events in which a machine was powered have one of these words in them.
const OF_POWER: [&str; 4] = ["power", "reboot", "reinstall", "provision"];

/// A machine as it was a moment ago.
#[derive(Debug)]
pub(in crate::platform) struct Fresh {
    device: Device,
    /// VLANs on its bond; none where it has no bond, and where none were asked after.
    carried: Vec<u16>,
    read_at: Instant,
}

/// What the provider is to be asked for, decided on the machine's state at that moment.
#[derive(Debug)]
pub(in crate::platform) struct Action {
    body: Value,
    read_at: Instant,
}

/// What came of it.
#[derive(Debug)]
pub(in crate::platform) enum Done {
    /// The provider took it.
    Took,
    /// It was certainly not carried out.
    Declined(Fault),
    /// It may have been carried out.
    Uncertain(Fault),
}

impl Driver {
    /// Reads the machine anew: its bond, where VLANs are wanted of it, and then the machine, which must be young.
    pub(in crate::platform) async fn fresh(&self, id: &DeviceId, wants_vlans: bool) -> Result<Fresh, Fault> {
        let carried = if wants_vlans {
            vlans::carried(&self.client, &self.client.device(id).await?).await?
        } else {
            Vec::new()
        };
        let read_at = Instant::now();
        let device = self.client.device(id).await?;
        Ok(Fresh {
            device,
            carried,
            read_at,
        })
    }

    /// Asks, once. What is to be asked for must stand in the store by then.
    pub(in crate::platform) async fn act(&self, id: &DeviceId, action: &Action) -> Done {
        if action.read_at.elapsed() > MAX_AGE {
            let limit = MAX_AGE.as_secs();
            let says = format!(
                "it took more than {limit} s to tell how the machine is, and power is asked for on nothing older"
            );
            return Done::Declined(Fault::new(TroubleKind::Unreachable, says));
        }
        match self.client.act(id, &action.body).await {
            Ok(()) => Done::Took,
            Err(fault) if fault.may_be_done => Done::Uncertain(fault),
            Err(fault) => Done::Declined(fault),
        }
    }
}

impl Fresh {
    /// What to ask for, or why nothing: somebody may have changed the machine since it was found as it should be. The
    /// provider takes no condition, so what changes after this is not seen.
    pub(in crate::platform) fn action(self, asked: &Asked<'_>, power: Power) -> Result<Action, &'static str> {
        let (device, wanted) = (&self.device, asked.wanted);
        if asked.is_other(device).is_some() {
            return Err("it is another machine than the host describes");
        }
        if asked.change(device).is_some() {
            return Err("its network boot is not as it was set");
        }
        if wanted.vlans.iter().any(|id| !self.carried.contains(id)) {
            return Err("its bond does not carry its VLANs any more");
        }
        let body = body(device, power).ok_or("it is on its way to another state")?;
        Ok(Action {
            body,
            read_at: self.read_at,
        })
    }
}

fn body(device: &Device, power: Power) -> Option<Value> {
    let state = device.state.as_str();
    if ON_ITS_WAY.contains(&state) {
        return None;
    }
    Some(match power {
        Power::Reboot if state == OFF => json!({"type": "power_on"}),
        Power::Reboot => json!({"type": "reboot"}),
        // The disk is wiped by nobody but a claim, as far as the provider lets one choose.
        Power::Reinstall => json!({"type": "reinstall", "preserve_data": true, "deprovision_fast": true}),
    })
}

/// Where a request's answer was lost: does the provider show that it was carried out? If it does not, a person is told.
pub(super) fn judge(asked: &Asked<'_>, look: &mut ProviderLook) {
    let (Some(before), Some(armed)) = (asked.before, asked.armed) else {
        return;
    };
    let (run, Some(power)) = (armed.number, armed.permit.power) else {
        return;
    };
    if before.asked.is_none_or(|open| open.run != run) {
        return;
    }
    let is_on_its_way = look
        .machine
        .as_ref()
        .is_some_and(|machine| ON_ITS_WAY.contains(&machine.state.as_str()));
    // Events were read, and kept, right before it was asked.
    let is_told = |event: &ProviderEvent| before.events.is_new(event) && is_of_power(event);
    if is_on_its_way || look.events.iter().any(is_told) {
        look.power = Some(PowerStep::Took(run));
    } else if look.trouble.is_none() {
        let says = format!(
            "the answer to the {} of run {run} was lost, and the provider does not show that it was carried out",
            power.as_str()
        );
        look.trouble = Some((TroubleKind::PowerUncertain, says));
    }
}

fn is_of_power(event: &ProviderEvent) -> bool {
    let kind = event.says.split(':').next().unwrap_or_default();
    OF_POWER.iter().any(|word| kind.contains(word))
}

#[cfg(test)]
mod tests {
    use thirdboot_fake_equinix::FakeEquinix;
    use thirdboot_lifecycle::{Provider, Wanted};

    use super::*;
    use crate::platform::PlatformOptions;
    use crate::secrets::write_private;

    fn driver(folder: &std::path::Path, url: &str) -> Driver {
        let file = folder.join("token");
        if !file.exists() {
            write_private(&file, b"equinix-1").unwrap();
        }
        Driver::new(&PlatformOptions {
            equinix_url: url.to_owned(),
            equinix_token_file: Some(file),
        })
        .unwrap()
    }

    const ID: &str = "7a8b0000-0000-4000-8000-0000000000d1";

    /// What to ask for while nothing else is wanted.
    async fn decided(driver: &Driver, power: Power) -> Action {
        let device: DeviceId = ID.parse().unwrap();
        let provider = Provider {
            device,
            metadata: false,
        };
        let asked = Asked {
            provider: &provider,
            macs: &[],
            boot_url: None,
            wanted: &Wanted::default(),
            armed: None,
            before: None,
        };
        let fresh = driver.fresh(&provider.device, false).await.unwrap();
        fresh.action(&asked, power).unwrap()
    }

    #[tokio::test]
    async fn power_is_not_decided_on_what_was_read_a_while_ago() {
        let folder = tempfile::tempdir().unwrap();
        let provider = FakeEquinix::start("equinix-1").await.unwrap();
        provider.add(ID, "http://old.example/script", &[]);
        let driver = driver(folder.path(), provider.url());
        let id = ID.parse().unwrap();
        let mut action = decided(&driver, Power::Reinstall).await;
        let fresh = action.read_at;
        action.read_at = fresh.checked_sub(MAX_AGE).unwrap();
        let done = driver.act(&id, &action).await;
        assert!(
            matches!(&done, Done::Declined(fault) if fault.says.contains("more than 5 s")),
            "{done:?}"
        );
        assert_eq!(provider.count("POST"), 0);
        action.read_at = fresh;
        assert!(matches!(driver.act(&id, &action).await, Done::Took));
        assert_eq!(provider.count("POST"), 1);
    }

    #[tokio::test]
    async fn power_that_could_not_be_asked_for_is_decided_on_anew() {
        let folder = tempfile::tempdir().unwrap();
        let provider = FakeEquinix::start("equinix-1").await.unwrap();
        provider.add(ID, "http://old.example/script", &[]);
        let (driver, nowhere) = (
            driver(folder.path(), provider.url()),
            driver(folder.path(), "http://127.0.0.1:9/metal/v1"),
        );
        let id = ID.parse().unwrap();
        let action = decided(&driver, Power::Reboot).await;
        provider.fail_next([thirdboot_fake_equinix::Fault::TooMany { after_s: 0 }]);
        let done = driver.act(&id, &action).await;
        assert!(matches!(done, Done::Declined(_)), "{done:?}");
        assert_eq!(provider.count("POST"), 1);
        // Nobody listens at all.
        let done = nowhere.act(&id, &action).await;
        assert!(matches!(done, Done::Declined(_)), "{done:?}");
    }
}
