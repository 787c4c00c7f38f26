//! The real Afterburn checks a machine in with its provider, and the host's own phone home says the same.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use thirdboot_tests::host::LiveSystem;
use thirdboot_tests::host::ignition::Config;
use thirdboot_tests::metadata::{EAR, Heard, MetadataService, NAME, OLDER_NAME};
use thirdboot_tests::{Site, site};
use tokio::process::Command;

/// Where a machine's own program tells its provider, and what that needs.
const TELLS: &str = "/usr/local/bin/thirdboot-provider";
const FILES: [&str; 4] = [
    TELLS,
    "/usr/local/lib/thirdboot.sh",
    "/etc/thirdboot/reporter.env",
    "/etc/thirdboot/metadata-url",
];
/// Afterburn's unit on this platform.
const UNIT: &str = "afterburn-firstboot-checkin.service";

/// Host `a1`, at a provider whose metadata service answers it, in its live system.
async fn live(site: &Site) -> Result<LiveSystem> {
    let machine = site.machine(1)?;
    let mut host = site::host("a1", "runner", &machine.hardware);
    host["platform"] = "equinix-metal".into();
    host["provider"] = json!({"device": "7a8b0000-0000-4000-8000-0000000000d1", "metadata": true});
    site.admin.add(&host).await?;
    site.admin.arm("a1").await?;
    machine.boot_live().await
}

/// Lays down what this config brings, and has the machine tell its provider.
async fn tells(service: &MetadataService, config: &Config, how: [&str; 2]) -> Result<()> {
    let root = TempDir::new()?;
    let at = |path: &str| root.path().join(path.trim_start_matches('/'));
    for path in FILES {
        let file = at(path);
        fs::create_dir_all(file.parent().context("no folder")?)?;
        fs::write(&file, config.file(path)?)?;
        let mode = config.file_mode(path).and_then(|mode| u32::try_from(mode).ok());
        fs::set_permissions(&file, fs::Permissions::from_mode(mode.context("no mode")?))?;
    }
    let mut command = Command::new(at(TELLS));
    run(command.args(how).env("THIRDBOOT_ROOT", root.path()), service).await?;
    Ok(())
}

/// The real one, as its unit starts it but for the kernel command line, which a test has not.
async fn afterburn(service: &MetadataService, arguments: &[&str]) -> Result<()> {
    let program = std::env::var("AFTERBURN").context("AFTERBURN names the program: tests/run peers")?;
    let mut command = Command::new(program);
    run(command.args(["--provider", "packet"]).args(arguments), service).await
}

async fn run(command: &mut Command, service: &MetadataService) -> Result<()> {
    let output = command.envs(service.environment()?).output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success() && !said.contains("did not take"), "{said}");
    ensure!(service.violations().is_empty(), "{:?}", service.violations());
    Ok(())
}

/// What was asked, in order.
fn requests(heard: &[Heard]) -> Vec<&str> {
    heard.iter().map(|heard| heard.request.as_str()).collect()
}

/// The phone home, without who made it.
fn phone_home(heard: Vec<Heard>) -> Result<Heard> {
    let is_one = |heard: &Heard| heard.request == format!("POST {EAR}/phone-home");
    let mut some = heard.into_iter().filter(is_one);
    let one = some.next().context("nobody phoned home")?;
    ensure!(some.next().is_none(), "it phoned home twice");
    Ok(Heard {
        user_agent: None,
        ..one
    })
}

#[tokio::test]
async fn a_ready_machine_says_what_afterburns_check_in_says() -> Result<()> {
    let (site, service) = (Site::start().await?, MetadataService::start().await?);
    afterburn(&service, &["--check-in"]).await?;
    let theirs = service.heard();
    let metadata = format!("GET {OLDER_NAME}/metadata");
    let call = format!("POST {EAR}/phone-home");
    assert_eq!(requests(&theirs), [metadata.as_str(), &call]);

    let config = live(&site).await?.installed_config()?;
    tells(&service, &config, ["ready", "podman 5.8.0 answers"]).await?;
    let ours = service.heard();
    let (metadata, state) = (format!("GET {NAME}/metadata"), format!("POST {EAR}/events"));
    assert_eq!(requests(&ours), [metadata.as_str(), &state, &call]);
    let said: Value = serde_json::from_slice(&ours[1].body)?;
    assert_eq!(
        said,
        json!({"state": "succeeded", "code": 1000, "message": "podman 5.8.0 answers"})
    );
    let theirs = phone_home(theirs)?;
    ensure!(
        theirs
            .headers
            .get("content-type")
            .is_some_and(|kind| kind == "application/json"),
        "{theirs:?}"
    );
    assert_eq!(phone_home(ours)?, theirs, "ours is not as theirs");
    Ok(())
}

/// The live system and the installed one alike: a failure, and no phone home.
#[tokio::test]
async fn a_machine_that_failed_is_not_checked_in() -> Result<()> {
    let (site, service) = (Site::start().await?, MetadataService::start().await?);
    let live = live(&site).await?;
    for config in [&live.config, &live.installed_config()?] {
        tells(&service, config, ["failed", "the disk is busy"]).await?;
        let heard = service.heard();
        assert_eq!(
            requests(&heard),
            [format!("GET {NAME}/metadata"), format!("POST {EAR}/events")]
        );
        let said: Value = serde_json::from_slice(&heard[1].body)?;
        assert_eq!(
            said,
            json!({"state": "failed", "code": 1001, "message": "the disk is busy"})
        );
    }
    Ok(())
}

/// Its unit would do so at the first boot of the live system, before anything is installed.
#[tokio::test]
async fn afterburn_checks_nobody_in_on_its_own() -> Result<()> {
    let units = std::env::var("AFTERBURN_UNITS").context("AFTERBURN_UNITS names its units: tests/run peers")?;
    let mut of_this_platform = Vec::new();
    for file in fs::read_dir(Path::new(&units))? {
        let file = file?;
        let text = fs::read_to_string(file.path())?;
        let is_of =
            |line: &str| line.starts_with("ConditionKernelCommandLine=") && line.ends_with("platform.id=packet");
        if text.contains("--check-in") && text.lines().any(is_of) {
            of_this_platform.push(file.file_name().to_string_lossy().into_owned());
        }
    }
    assert_eq!(of_this_platform, [UNIT], "its units are not what is masked");
    let site = Site::start().await?;
    let live = live(&site).await?;
    for config in [&live.config, &live.installed_config()?] {
        let units = config.0.pointer("/systemd/units").and_then(Value::as_array);
        let unit = units.into_iter().flatten().find(|unit| unit["name"] == UNIT);
        assert_eq!(unit.context(UNIT)?["mask"], true);
    }
    Ok(())
}

/// What Afterburn makes of the stand-in's answer is what the provider's machine would be.
#[tokio::test]
async fn the_stand_in_answers_as_afterburn_expects() -> Result<()> {
    let service = MetadataService::start().await?;
    let folder = TempDir::new()?;
    let file = folder.path().join("attributes");
    afterburn(&service, &["--attributes", file.to_str().context("no text")?]).await?;
    let text = fs::read_to_string(file)?;
    let attributes: HashMap<&str, &str> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let url = format!("https://{EAR}/phone-home");
    for (name, value) in [
        ("AFTERBURN_PACKET_HOSTNAME", "a-name"),
        ("AFTERBURN_PACKET_IPV4_PUBLIC_0", "192.0.2.10"),
        ("AFTERBURN_PACKET_IPV4_PRIVATE_0", "10.25.1.3"),
        ("AFTERBURN_PACKET_IPV6_PUBLIC_0", "2001:db8::3"),
        ("AFTERBURN_PACKET_PHONE_HOME_URL", url.as_str()),
    ] {
        ensure!(attributes.get(name) == Some(&value), "{name} in {text}");
    }
    Ok(())
}
