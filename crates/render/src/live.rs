//! The live system's config: fragments, the plan that the pre-install check follows, and the installed config inside.

use serde_json::json;
use thirdboot_butane::ignition::Config;
use thirdboot_lifecycle::{DiskSelector, Purpose};

use crate::{
    RenderError, RunFacts,
    files::{PRIVATE, file},
    fragments,
    installed::{connections, reporter},
    values,
};

/// Where the live system keeps what the installer embeds.
const INSTALLED: &str = "/etc/thirdboot/installed.ign";

/// Composes it around the finished installed config.
pub(crate) fn live(facts: &RunFacts<'_>, installed: &[u8]) -> Result<Config, RenderError> {
    let mut config = fragments::live(facts)?;
    let files = &mut config.storage.files;
    reporter(files, facts, facts.live);
    // The same as in its initramfs, which hands its own over only where the root has none.
    connections(files, facts.host)?;
    let Purpose::Install { disk, wipe } = &facts.permit.purpose else {
        return Ok(config);
    };
    let plan = plan(facts, disk.as_ref(), wipe)?;
    files.push(file("/etc/thirdboot/plan.json", PRIVATE, plan.as_bytes()));
    files.push(file(INSTALLED, PRIVATE, installed));
    // The check adds 60-thirdboot-disk.yaml with the disk that was granted: without it the installer has no target.
    let keys = installer_keys(facts)?;
    files.push(file(
        "/etc/coreos/installer.d/50-thirdboot.yaml",
        PRIVATE,
        keys.as_bytes(),
    ));
    Ok(config)
}

fn plan(facts: &RunFacts<'_>, disk: Option<&DiskSelector>, wipe: &[DiskSelector]) -> Result<String, RenderError> {
    let version = values::version("install.version", &facts.assets.version)?;
    let plan = json!({
        "host": facts.host.name,
        "run": facts.run,
        "disk": disk,
        "wipe": wipe,
        "version": version,
        "image": image_url(facts),
    });
    Ok(format!("{plan}\n"))
}

/// Signed by Fedora, and fetched by a program that does not know our CA.
fn image_url(facts: &RunFacts<'_>) -> Option<String> {
    let image = facts.assets.image.as_ref()?;
    Some(format!("{}/assets/{}/{image}", facts.assets_base, facts.conf.as_str()))
}

/// The installer's config file. JSON is YAML.
fn installer_keys(facts: &RunFacts<'_>) -> Result<String, RenderError> {
    let (known, other): (Vec<&str>, Vec<&str>) = values::consoles(facts.host)?
        .into_iter()
        .partition(|console| installer_knows(console));
    let consoles = other.into_iter().map(|console| format!("console={console}"));
    let further = values::kernel_arguments(facts.host)?.into_iter().map(str::to_owned);
    let arguments: Vec<String> = consoles.chain(further).collect();
    let mut keys = serde_json::Map::new();
    keys.insert("ignition-file".into(), json!(INSTALLED));
    if !known.is_empty() {
        keys.insert("console".into(), json!(known));
    }
    if !arguments.is_empty() {
        keys.insert("append-karg".into(), json!(arguments));
    }
    if facts.host.has_metadata() {
        keys.insert("platform".into(), json!(facts.host.ignition_platform()));
    }
    if let Some(url) = image_url(facts) {
        keys.insert("image-url".into(), json!(url));
    }
    Ok(format!("{}\n", serde_json::Value::Object(keys)))
}

/// The installer sets up GRUB for these; any other console is a kernel argument only.
fn installer_knows(console: &str) -> bool {
    let (device, options) = console.split_once(',').unwrap_or((console, ""));
    let number = ["ttyS", "ttyAMA", "tty"]
        .iter()
        .find_map(|prefix| device.strip_prefix(prefix))
        .unwrap_or("x");
    let is_numbered = !number.is_empty() && number.bytes().all(|c| c.is_ascii_digit());
    let digits = options.bytes().take_while(u8::is_ascii_digit).count();
    let (parity, bits) = options[digits..].split_at(options.len().min(digits + 1) - digits);
    let is_serial = device.starts_with("ttyS") || device.starts_with("ttyAMA");
    let options_are_known = options.is_empty()
        || is_serial && digits > 0 && ["", "n", "o", "e"].contains(&parity) && ["", "5", "6", "7", "8"].contains(&bits);
    is_numbered && options_are_known
}

#[cfg(test)]
mod tests {
    use super::installer_knows;

    #[test]
    fn the_installer_knows_screens_and_serial_ports() {
        for known in [
            "tty0",
            "ttyS1",
            "ttyS1,115200",
            "ttyS1,115200n",
            "ttyS1,115200n8",
            "ttyAMA0,9600",
        ] {
            assert!(installer_knows(known), "{known}");
        }
        for other in [
            "hvc0",
            "ttyUSB0",
            "ttyS",
            "ttyS0,fast",
            "tty0,9600",
            "ttyS0,9600n9",
            "ttyS0,9600n8r",
        ] {
            assert!(!installer_knows(other), "{other}");
        }
    }
}
