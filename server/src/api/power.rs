//! Power by arming: whether the provider can be asked for it.

use thirdboot_api::control::PowerAction;
use thirdboot_lifecycle::{Capability, Host, Power};

use crate::App;
use crate::problem::Failure;

/// The domain's word for it.
pub(super) fn wanted(power: PowerAction) -> Power {
    match power {
        PowerAction::Reboot => Power::Reboot,
        PowerAction::Reinstall => Power::Reinstall,
    }
}

/// Refuses what nobody could be asked for: the run would wait for power that never comes.
pub(super) fn check(app: &App, host: &Host, power: Option<Power>, is_inspection: bool) -> Result<(), Failure> {
    let Some(power) = power else { return Ok(()) };
    let refuse = |why: String| Err(Failure::field("power", why));
    if !host.platform.can(Capability::Power) {
        let platform = host.platform.as_str();
        return refuse(format!(
            "platform {platform} has nobody to ask for power: expected none"
        ));
    }
    if host.provider.is_none() {
        return refuse(
            "the host names no machine at its provider: set provider.device, or power it by hand".to_owned(),
        );
    }
    if is_inspection && power == Power::Reinstall {
        let why = "an inspection writes nothing, and a provider may clear a disk to reinstall: expected reboot";
        return refuse(why.to_owned());
    }
    match app.platforms.refuses(host.platform) {
        Some(why) => refuse(why),
        None => Ok(()),
    }
}
