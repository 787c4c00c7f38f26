use proptest::prelude::*;
use thirdboot_lifecycle::{KnownBy, Platform};

use super::*;
use crate::samples;

/// One-line set-up: this host's script, with everything to install from.
fn script_for(host: Option<&Host>, what: Script, key: Option<&Secret>) -> Result<String, RenderError> {
    let base = BaseUrl::parse("http://192.0.2.1:8080").unwrap();
    let (conf, assets) = (samples::secret("conf"), samples::assets());
    let facts = ScriptFacts {
        boot_base: &base,
        key,
        host,
        install: Some(InstallFacts {
            assets_base: &base,
            conf: &conf,
            assets: &assets,
        }),
        unknown_disk_boot: DiskBoot::Exit,
        retry: Retry::default(),
    };
    script(what, &facts)
}

const INSTALL: Script = Script::Install(RunNumber(3));

#[test]
fn boot_gathers_chains_and_ends_at_the_disk() {
    let base = BaseUrl::parse("http://192.0.2.1:8080").unwrap();
    insta::assert_snapshot!("boot", boot_script(&base, None, Retry::default()));
    let key = samples::secret("boot");
    let retry = Retry {
        attempts: 3,
        pause_s: 1,
    };
    insta::assert_snapshot!("boot_by_key", boot_script(&base, Some(&key), retry));
}

#[test]
fn install_of_a_host_known_by_address() {
    let host = samples::host("node1");
    insta::assert_snapshot!("install", script_for(Some(&host), INSTALL, None).unwrap());
}

#[test]
fn install_of_a_host_known_by_key_with_consoles_and_arguments() {
    let mut host = samples::host("node2");
    host.known_by = KnownBy::Key;
    host.platform = Platform::EquinixMetal;
    host.install.console = vec!["tty0".into(), "ttyS1,115200n8".into()];
    host.install.kernel_arguments = vec!["mitigations=auto".into()];
    let key = samples::secret("boot");
    insta::assert_snapshot!("install_by_key", script_for(Some(&host), INSTALL, Some(&key)).unwrap());
}

/// Where the metadata service answers, Ignition is told of the provider; the console is the platform's either way.
#[test]
fn install_at_a_provider() {
    let mut host = samples::host("node3");
    host.platform = Platform::EquinixMetal;
    let line = |host: &Host| {
        let script = script_for(Some(host), INSTALL, None).unwrap();
        script
            .lines()
            .find(|line| line.starts_with("kernel"))
            .unwrap()
            .to_owned()
    };
    assert!(line(&host).contains("ignition.platform.id=metal "));
    host.provider = Some(samples::provider(true));
    insta::assert_snapshot!("install_at_a_provider", line(&host));
    host.install.console = vec!["tty0".into()];
    assert!(line(&host).ends_with("console=tty0 || goto again"));
}

#[test]
fn local_in_every_way_of_booting_a_disk() {
    let mut host = samples::host("node1");
    let mut all = script_for(None, Script::Local, None).unwrap();
    for (how, arch) in [
        (DiskBoot::Exit, Arch::X86_64),
        (DiskBoot::Exit1, Arch::X86_64),
        (DiskBoot::Sanboot, Arch::X86_64),
        (DiskBoot::ChainEfi, Arch::X86_64),
        (DiskBoot::ChainEfi, Arch::Aarch64),
    ] {
        (host.install.disk_boot, host.arch) = (how, arch);
        all.push_str(&script_for(Some(&host), Script::Local, None).unwrap());
    }
    insta::assert_snapshot!("local", all);
}

#[test]
fn hold_for_every_reason() {
    let host = samples::host("node1");
    let mut all = script_for(None, Script::Hold(HoldReason::Unknown), None).unwrap();
    for reason in [
        HoldReason::Held,
        HoldReason::Conflict,
        HoldReason::Attempts,
        HoldReason::FailedAfterClaim,
        HoldReason::Adopted,
    ] {
        all.push_str(&script_for(Some(&host), Script::Hold(reason), None).unwrap());
    }
    insta::assert_snapshot!("hold", all);
}

#[test]
fn nothing_to_install_from_is_an_error_and_no_script() {
    assert_eq!(script_for(None, INSTALL, None), Err(RenderError::NothingToInstall));
}

/// iPXE's own settings that our scripts use; nothing else may be expanded.
const SETTINGS: [&str; 9] = [
    "${attempt}",
    "${net0/ip}",
    "${net0/mac}",
    "${uuid}",
    "${serial:uristring}",
    "${manufacturer:uristring}",
    "${product:uristring}",
    "${buildarch}",
    "${platform}",
];

/// A script's shape: its commands, without what host and run fill in.
fn commands(script: &str) -> Vec<String> {
    let first_word = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    script.lines().map(first_word).collect()
}

proptest! {
    /// Whatever a host's record holds: the script is refused, or has the same lines as any other host's.
    #[test]
    fn no_value_of_a_host_breaks_out_of_its_line(
        name in "\\PC{0,20}|[a-z0-9-]{1,20}",
        console in proptest::collection::vec("\\PC{0,20}|tty[0-9],\\PC{0,5}|ttyS[0-9],115200n8", 0..3),
        arguments in proptest::collection::vec("\\PC{0,20}|[a-z]+=(\\$\\{|&&|\\|\\||#|\n|[a-z ]){0,4}|[a-z.]{1,9}=[a-z0-9,/]{0,9}", 0..4),
    ) {
        let plain = script_for(Some(&samples::host("node1")), INSTALL, None).unwrap();
        let mut host = samples::host("node1");
        if let Ok(name) = name.parse() {
            host.name = name;
        }
        host.install.console = console;
        host.install.kernel_arguments = arguments;
        if let Ok(script) = script_for(Some(&host), INSTALL, None) {
            prop_assert_eq!(commands(&script), commands(&plain));
            let rest = SETTINGS.iter().fold(script.clone(), |rest, setting| rest.replace(setting, ""));
            prop_assert!(!rest.contains('$') && script.is_ascii(), "{}", script);
            for (line, plain) in script.lines().zip(plain.lines()) {
                for operator in ["&&", "||", "#", "\r"] {
                    prop_assert_eq!(line.matches(operator).count(), plain.matches(operator).count(), "{}", line);
                }
            }
        }
    }
}
