//! The iPXE scripts: askama templates (in `ipxe/`) over validated values only.

use askama::Template;
use thirdboot_lifecycle::{Arch, DiskBoot, HoldReason, Host, HostName, RunNumber, Script};

use crate::{AssetNames, BaseUrl, RenderError, Secret, values};

/// Seconds between two polls of a machine that is held.
const HOLD_PAUSE_S: u16 = 20;

/// Seconds that dracut waits for a carrier: LACP and spanning tree take their time.
const CARRIER_TIMEOUT_S: u16 = 30;

/// How long a script goes on when nobody answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How many times it asks.
    pub attempts: u16,
    /// Seconds between two attempts.
    pub pause_s: u16,
}

impl Default for Retry {
    /// Two minutes where connections are refused; twice that where packets vanish.
    fn default() -> Self {
        Self {
            attempts: 12,
            pause_s: 10,
        }
    }
}

/// What a script needs beside the decision.
#[derive(Debug, Clone, Copy)]
pub struct ScriptFacts<'a> {
    /// Where the script asks again.
    pub boot_base: &'a BaseUrl,
    /// The boot secret, where the request came with one.
    pub key: Option<&'a Secret>,
    /// The host; none for an unknown machine.
    pub host: Option<&'a Host>,
    /// What is installed; required for an install script, not looked at for others.
    pub install: Option<InstallFacts<'a>>,
    /// How an unknown machine boots its disk.
    pub unknown_disk_boot: DiskBoot,
    /// How often a fetch is tried.
    pub retry: Retry,
}

/// Where an install script fetches from.
#[derive(Debug, Clone, Copy)]
pub struct InstallFacts<'a> {
    /// Base of all that iPXE and the initramfs fetch: plain HTTP, unless both trust the CA.
    pub assets_base: &'a BaseUrl,
    /// The run's secret in the path of configs and assets.
    pub conf: &'a Secret,
    /// The files.
    pub assets: &'a AssetNames,
}

/// The URL that is asked for a script, with iPXE's own settings left for iPXE to fill in.
struct Ask<'a> {
    base: &'a BaseUrl,
    key: Option<&'a Secret>,
}

impl std::fmt::Display for Ask<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/ipxe", self.base)?;
        if let Some(key) = self.key {
            write!(f, "/{}", key.as_str())?;
        }
        f.write_str(concat!(
            "?mac=${net0/mac}&uuid=${uuid}&serial=${serial:uristring}&manufacturer=${manufacturer:uristring}",
            "&product=${product:uristring}&arch=${buildarch}&platform=${platform}"
        ))
    }
}

#[derive(Template)]
#[template(path = "boot.ipxe")]
struct Boot<'a> {
    ask: Ask<'a>,
    retry: Retry,
}

#[derive(Template)]
#[template(path = "install.ipxe")]
struct Install<'a> {
    ask: Ask<'a>,
    host: &'a HostName,
    run: RunNumber,
    platform: &'static str,
    assets: String,
    pointer: String,
    names: &'a AssetNames,
    carrier_timeout_s: u16,
    arguments: String,
    retry: Retry,
}

#[derive(Template)]
#[template(path = "local.ipxe")]
struct Local<'a> {
    host: Option<&'a HostName>,
    command: &'static str,
}

#[derive(Template)]
#[template(path = "hold.ipxe")]
struct Hold<'a> {
    ask: Ask<'a>,
    host: Option<&'a HostName>,
    reason: &'static str,
    says: &'static str,
    pause_s: u16,
}

/// `/boot.ipxe`: gathers what the machine knows of itself and chains; boots the disk when nobody answers.
#[must_use]
pub fn boot_script(base: &BaseUrl, key: Option<&Secret>, retry: Retry) -> String {
    write(&Boot {
        ask: Ask { base, key },
        retry,
    })
}

/// The script for this decision.
///
/// # Errors
/// An install without a host or files, and a host whose kernel arguments cannot stand on a script line.
pub fn script(script: Script, facts: &ScriptFacts<'_>) -> Result<String, RenderError> {
    let ask = Ask {
        base: facts.boot_base,
        key: facts.key,
    };
    let host = facts.host.map(|host| &host.name);
    match script {
        Script::Install(run) => install(ask, run, facts),
        Script::Local => Ok(write(&Local {
            host,
            command: match facts.host {
                Some(host) => disk_boot(host.install.disk_boot, host.arch),
                None => disk_boot(facts.unknown_disk_boot, Arch::default()),
            },
        })),
        Script::Hold(reason) => Ok(write(&Hold {
            ask,
            host,
            reason: reason.as_str(),
            says: says(reason),
            pause_s: HOLD_PAUSE_S,
        })),
    }
}

fn install(ask: Ask<'_>, run: RunNumber, facts: &ScriptFacts<'_>) -> Result<String, RenderError> {
    let (Some(host), Some(from)) = (facts.host, facts.install) else {
        return Err(RenderError::NothingToInstall);
    };
    let consoles = values::consoles(host)?
        .into_iter()
        .map(|console| format!(" console={console}"));
    let further = values::kernel_arguments(host)?
        .into_iter()
        .map(|argument| format!(" {argument}"));
    let (base, conf) = (from.assets_base, from.conf.as_str());
    Ok(write(&Install {
        ask,
        host: &host.name,
        run,
        platform: host.ignition_platform(),
        assets: format!("{base}/assets/{conf}"),
        pointer: format!("{base}/ignition/{conf}/pointer.cpio"),
        names: from.assets,
        carrier_timeout_s: CARRIER_TIMEOUT_S,
        arguments: consoles.chain(further).collect(),
        retry: facts.retry,
    }))
}

/// How iPXE hands over to the disk. What fails on the way falls through to the next boot device.
fn disk_boot(how: DiskBoot, arch: Arch) -> &'static str {
    match (how, arch) {
        (DiskBoot::Exit, _) => "exit",
        (DiskBoot::Exit1, _) => "exit 1",
        (DiskBoot::Sanboot, _) => "sanboot --no-describe --drive 0x80 || exit",
        // Fedora CoreOS labels its EFI system partition EFI-SYSTEM; iPXE opens a local volume by that label.
        (DiskBoot::ChainEfi, Arch::X86_64) => "chain file://EFI-SYSTEM/EFI/BOOT/BOOTX64.EFI || exit 1",
        (DiskBoot::ChainEfi, Arch::Aarch64) => "chain file://EFI-SYSTEM/EFI/BOOT/BOOTAA64.EFI || exit 1",
    }
}

/// The reason in words for whoever stands at the console. iPXE reads these: no `${`, `&&`, `||`.
fn says(reason: HoldReason) -> &'static str {
    match reason {
        HoldReason::Unknown => "no host has these identifiers; adopt this machine, or add it to a host",
        HoldReason::Held => "an admin holds this host; it goes on when released",
        HoldReason::Conflict => "its MAC, serial and UUID are not those of one host; the alert says what differs",
        HoldReason::Attempts => "every attempt of its permit is used up and its disk is in pieces; arm it again",
        HoldReason::FailedAfterClaim => "its install ended half-way and its disk is in pieces; arm it again",
        HoldReason::Adopted => "adopted, and neither armed nor released yet",
    }
}

#[expect(
    clippy::expect_used,
    reason = "writing values whose Display cannot fail into a String cannot fail"
)]
fn write(template: &impl Template) -> String {
    let mut script = template.render().expect("a String takes every write");
    // askama takes the template's last line end away.
    script.push('\n');
    script
}

#[cfg(test)]
mod tests;
