use std::fmt::Write as _;

use thirdboot_butane::ignition::{File, from_slice};
use thirdboot_lifecycle::{DiskSelector, Host, Platform, Purpose, Role};

use super::*;
use crate::{
    BaseUrl, FileName, Overlay, RunFacts, Template,
    samples::{self, Run},
    template::SCRIPTS,
};

/// A document as a person would look at it: every file decoded, scripts by name.
fn readable(document: &[u8]) -> String {
    let (config, report) = from_slice(document).unwrap();
    assert!(report.is_empty(), "{report}");
    let mut text = format!("ignition {}\n", config.ignition.version);
    for user in &config.passwd.users {
        let _ = writeln!(
            text,
            "user {} keys={:?} password={:?}",
            user.name, user.ssh_authorized_keys, user.password_hash
        );
    }
    for file in &config.storage.files {
        let _ = writeln!(text, "\n--- {} {:04o}", file.path, file.mode.unwrap());
        text.push_str(&content(file));
    }
    for unit in &config.systemd.units {
        let enabled = if unit.enabled == Some(true) { " enabled" } else { "" };
        let masked = if unit.mask == Some(true) { " masked" } else { "" };
        let _ = writeln!(text, "\n--- {}{enabled}{masked}", unit.name);
        text.push_str(unit.contents.as_deref().unwrap_or_default());
        for dropin in &unit.dropins {
            let _ = writeln!(text, "+ {}", dropin.name);
            text.push_str(dropin.contents.as_deref().unwrap_or_default());
        }
    }
    text
}

fn content(file: &File) -> String {
    let text = samples::text(&file.contents);
    match SCRIPTS.iter().find(|(_, script)| *script == text) {
        Some((name, _)) => format!("(ignition-templates/files/{name})\n"),
        None if file.path == "/etc/thirdboot/installed.ign" => "(the installed config)\n".to_owned(),
        None => text,
    }
}

fn file<'a>(config: &'a Config, path: &str) -> &'a File {
    config
        .storage
        .files
        .iter()
        .find(|file| file.path == path)
        .expect("a file of that path")
}

fn agent() -> Host {
    samples::host("node1")
}

/// A server with everything that can be said of a host.
fn server() -> Host {
    let mut host = samples::with_network(
        r#"{"bond":{"ports":["52:54:00:00:00:01","52:54:00:00:00:02"],"mtu":9000},
            "vlans":[{"id":1234,"mtu":9000,"addresses":["10.8.0.5/24","fd00::5/64"]}],"dns":["192.0.2.53"]}"#,
    );
    host.role = Role::Server;
    host.cluster = Some("prod".parse().unwrap());
    host.ssh_keys = vec!["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA someone".into()];
    host.console_password_hash = Some("$y$j9T$abc$def".into());
    host.time_servers = vec!["192.0.2.123".into(), "time.example.net".into()];
    host.packages = vec!["k3s-selinux".into(), "vim-enhanced".into()];
    host.install.console = vec!["tty0".into(), "ttyS1,115200n8".into(), "hvc0".into()];
    host.install.kernel_arguments = vec!["mitigations=auto".into()];
    host
}

fn runner() -> Host {
    let mut host = samples::with_network(
        r#"{"uplink":{"method":"static","addresses":["192.0.2.5/24"],"gateways":["192.0.2.1"]},"dns":["192.0.2.53"]}"#,
    );
    host.role = Role::Runner;
    host
}

/// The power may be cut between Ignition's work and what marks its boot complete: it runs again, over its own files.
#[test]
fn the_installed_config_can_be_applied_over_itself() {
    let run = Run::new(samples::install());
    let own = Template::parse(
        "own",
        "variant: fcos\nversion: 1.5.0\nstorage:\n  files:\n    - path: /etc/plain\n      contents: {inline: mine}\n    \
         - path: /etc/more\n      append: [{inline: mine}]\n    \
         - path: /etc/once\n      overwrite: false\n      contents: {inline: mine}\n",
    )
    .unwrap();
    for host in [agent(), server(), runner()] {
        let facts = RunFacts {
            overlay: Overlay(&[&own]),
            ..run.facts(&host)
        };
        let documents = documents(&facts).unwrap();
        let (config, _) = from_slice(&documents.installed).unwrap();
        let stops: Vec<&str> = config
            .storage
            .files
            .iter()
            .filter(|file| file.overwrite != Some(true))
            .map(|file| file.path.as_str())
            .collect();
        // What has no contents of its own stops at nothing, and what its template says is heeded.
        assert_eq!(stops, ["/etc/more", "/etc/once"]);
        assert_eq!(samples::text(&file(&config, "/etc/plain").contents), "mine");
    }
}

#[test]
fn an_agent_with_defaults() {
    let run = Run::new(samples::install());
    let documents = documents(&run.facts(&agent())).unwrap();
    insta::assert_snapshot!("agent_live", readable(&documents.live));
    insta::assert_snapshot!("agent_installed", readable(&documents.installed));
}

#[test]
fn a_server_with_everything() {
    let disk: DiskSelector = "/dev/disk/by-id/nvme-X_1".parse().unwrap();
    let mut run = Run::new(Purpose::Install {
        disk: Some(disk.clone()),
        wipe: vec![disk, "S3RI4L".parse().unwrap()],
    });
    run.base = BaseUrl::parse("https://boot.example.net:8443").unwrap();
    run.ca_pem = Some("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
    run.assets.image = Some(FileName::parse("fedora-coreos-43.raw.xz").unwrap());
    let documents = documents(&run.facts(&server())).unwrap();
    insta::assert_snapshot!("server_live", readable(&documents.live));
    insta::assert_snapshot!("server_installed", readable(&documents.installed));
}

#[test]
fn a_runner_with_fixed_addresses() {
    let run = Run::new(samples::install());
    let documents = documents(&run.facts(&runner())).unwrap();
    insta::assert_snapshot!("runner_installed", readable(&documents.installed));
}

#[test]
fn a_runner_at_a_provider() {
    let mut host = samples::host("node1");
    (host.role, host.platform) = (Role::Runner, Platform::EquinixMetal);
    let run = Run::new(samples::install());
    let without = documents(&run.facts(&host)).unwrap();
    assert!(!readable(&without.installed).contains("metadata"));
    host.provider = Some(samples::provider(true));
    let documents = documents(&run.facts(&host)).unwrap();
    let (live, _) = from_slice(&documents.live).unwrap();
    let keys = file(&live, "/etc/coreos/installer.d/50-thirdboot.yaml");
    insta::assert_snapshot!("provider_installer_keys", samples::text(&keys.contents));
    assert!(readable(&documents.live).contains("--- /etc/thirdboot/metadata-url 0644"));
    insta::assert_snapshot!("provider_installed", readable(&documents.installed));
}

#[test]
fn addresses_from_metadata_are_taken_by_a_unit_before_the_network_is_proven() {
    let run = Run::new(samples::install());
    for (network, profile) in [
        (r#"{"uplink":{"method":"metadata"}}"#, "uplink"),
        (
            r#"{"uplink":{"method":"metadata"},"bond":{"ports":["52:54:00:00:00:01"]}}"#,
            "bond0",
        ),
    ] {
        let mut host = samples::with_network(network);
        host.platform = Platform::EquinixMetal;
        host.provider = Some(samples::provider(true));
        let installed = documents(&run.facts(&host)).unwrap().installed;
        let (config, _) = from_slice(&installed).unwrap();
        let unit = config
            .systemd
            .units
            .iter()
            .find(|unit| unit.name == "thirdboot-metadata.service");
        let contents = unit.unwrap().contents.as_deref().unwrap();
        assert!(
            contents.contains(&format!("ExecStart=/usr/local/bin/thirdboot-metadata {profile}\n")),
            "{contents}"
        );
        assert!(contents.contains("Before=thirdboot-network.service"));
        let keyfile = file(
            &config,
            &format!("/etc/NetworkManager/system-connections/{profile}.nmconnection"),
        );
        assert!(samples::text(&keyfile.contents).contains("method=auto"));
    }
    assert!(!readable(&documents(&run.facts(&agent())).unwrap().installed).contains("thirdboot-metadata"));
}

#[test]
fn an_inspection_has_nothing_that_writes() {
    let run = Run::new(Purpose::Inspect);
    let documents = documents(&run.facts(&agent())).unwrap();
    let text = readable(&documents.live);
    for writer in ["installer.d", "precheck", "installed.ign", "thirdboot-installed"] {
        assert!(!text.contains(writer), "{writer}");
    }
    insta::assert_snapshot!("inspect_live", text);
}

#[test]
fn the_same_facts_give_the_same_bytes() {
    for host in [agent(), server(), runner()] {
        let run = Run::new(samples::install());
        assert_eq!(
            documents(&run.facts(&host)).unwrap(),
            documents(&run.facts(&host)).unwrap()
        );
    }
}

#[test]
fn the_installed_config_travels_inside_the_live_one() {
    let run = Run::new(samples::install());
    let documents = documents(&run.facts(&agent())).unwrap();
    let (live, _) = from_slice(&documents.live).unwrap();
    let inside = samples::text(&file(&live, "/etc/thirdboot/installed.ign").contents);
    assert_eq!(inside.as_bytes(), documents.installed);
    let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(inside.as_bytes()));
    assert_eq!(digest, documents.installed_sha256);
}

#[test]
fn every_unit_that_can_fail_the_run_has_someone_to_report_it() {
    let run = Run::new(samples::install());
    for host in [agent(), server(), runner()] {
        let documents = documents(&run.facts(&host)).unwrap();
        for document in [&documents.live, &documents.installed] {
            let (config, _) = from_slice(document).unwrap();
            for unit in config.systemd.units.iter().filter(|unit| unit.enabled == Some(true)) {
                // Fedora's own unit, only switched on.
                let Some(contents) = unit.contents.as_deref() else {
                    assert_eq!(unit.name, "podman.socket");
                    continue;
                };
                let reports = contents.contains("OnFailure=thirdboot-failed@%n.service");
                assert!(reports || unit.name == "thirdboot-send.timer", "{}", unit.name);
            }
        }
    }
}

#[test]
fn secrets_stand_only_in_files_that_root_alone_reads() {
    let run = Run::new(samples::install());
    let documents = documents(&run.facts(&server())).unwrap();
    for document in [&documents.live, &documents.installed] {
        let (config, _) = from_slice(document).unwrap();
        let public = config.storage.files.iter().filter(|file| file.mode != Some(0o600));
        let with_secret: Vec<&str> = public
            .filter(|file| samples::text(&file.contents).contains("tb_"))
            .map(|file| file.path.as_str())
            .collect();
        // The failure script names the prefix it redacts.
        let known = "/usr/local/bin/thirdboot-failed";
        assert!(with_secret.iter().all(|path| *path == known), "{with_secret:?}");
        for unit in &config.systemd.units {
            assert!(
                !unit.contents.as_deref().unwrap_or_default().contains("tb_"),
                "{}",
                unit.name
            );
        }
    }
}

#[test]
fn a_host_that_cannot_be_rendered_says_which_field() {
    let mut host = agent();
    host.packages = vec!["--uninstall=kernel".into()];
    let run = Run::new(samples::install());
    assert_eq!(documents(&run.facts(&host)).unwrap_err().field(), Some("packages[0]"));
}
