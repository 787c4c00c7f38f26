//! Sample hosts and runs for the tests of this crate.

use std::io::Read as _;
use std::net::IpAddr;

use thirdboot_butane::ignition::Resource;
use thirdboot_lifecycle::{
    GroupSettings, Host, PackageSources, Permit, Provider, Purpose, Repository, Role, RunNumber,
};

use crate::{AssetNames, BaseUrl, FileName, RunFacts, Secret};

/// A host with a name and one MAC.
pub(crate) fn host(name: &str) -> Host {
    serde_json::from_str(&format!(r#"{{"name":"{name}","macs":["52:54:00:00:00:01"]}}"#)).unwrap()
}

/// A machine at its provider, with the provider's metadata service or without.
pub(crate) fn provider(metadata: bool) -> Provider {
    let device = "7a8b0000-0000-4000-8000-0000000000d1".parse().unwrap();
    Provider { device, metadata }
}

/// `node1` with this network.
pub(crate) fn with_network(json: &str) -> Host {
    let mut host = host("node1");
    host.network = serde_json::from_str(json).unwrap();
    host
}

/// A server with everything that can be said of a host.
pub(crate) fn full_host() -> Host {
    let mut host = with_network(
        r#"{"uplink":{"method":"static","addresses":["192.0.2.5/24"],"gateways":["192.0.2.1"]},
            "bond":{"ports":["52:54:00:00:00:01","52:54:00:00:00:02"],"mtu":9000},
            "vlans":[{"id":1234,"mtu":9000,"addresses":["10.8.0.5/24","fd00::5/64"]}],"dns":["192.0.2.53"]}"#,
    );
    host.role = thirdboot_lifecycle::Role::Server;
    host.cluster = Some("prod".parse().unwrap());
    host.serial = Some("S3R14L".parse().unwrap());
    host.uuid = Some("4c4c4544-0042-4a10-8035-b8c04f4d3132".parse().unwrap());
    host.labels = [
        ("rack".to_owned(), "r7".to_owned()),
        ("example.net/row".to_owned(), "2".to_owned()),
    ]
    .into();
    host.ssh_keys = vec!["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA someone".into()];
    host.console_password_hash = Some("$y$j9T$abc$def".into());
    host.time_servers = vec!["192.0.2.123".into()];
    host.packages = vec!["k3s-selinux".into()];
    host.install.disk = Some("/dev/disk/by-id/nvme-X_1".parse().unwrap());
    host.install.console = vec!["tty0".into()];
    host.install.kernel_arguments = vec!["mitigations=auto".into()];
    host.install.version = Some("43.20260901.3.0".into());
    host
}

pub(crate) fn secret(purpose: &str) -> Secret {
    Secret::parse(&format!("tb_{purpose}_aaaabbbbccccdddd2345")).unwrap()
}

/// Everything of a run but its host, owned.
pub(crate) struct Run {
    pub(crate) permit: Permit,
    pub(crate) base: BaseUrl,
    pub(crate) assets: AssetNames,
    secrets: [Secret; 4],
    pub(crate) ca_pem: Option<&'static str>,
    pub(crate) sources: PackageSources,
    pub(crate) peers: Vec<IpAddr>,
    pub(crate) updates: GroupSettings,
}

impl Run {
    pub(crate) fn new(purpose: Purpose) -> Self {
        Self {
            permit: Permit {
                purpose,
                issued_at: "2026-01-01T00:00:00Z".parse().unwrap(),
                expires_at: "2026-01-02T00:00:00Z".parse().unwrap(),
                attempts: 3,
                power: None,
                voided: None,
            },
            base: BaseUrl::parse("http://192.0.2.1:8080").unwrap(),
            assets: assets(),
            secrets: ["live", "host", "lock", "conf"].map(secret),
            ca_pem: None,
            sources: PackageSources::default(),
            peers: Vec::new(),
            updates: GroupSettings::default(),
        }
    }

    pub(crate) fn facts<'a>(&'a self, host: &'a Host) -> RunFacts<'a> {
        let [live, host_secret, lock, conf] = &self.secrets;
        RunFacts {
            host,
            run: RunNumber(3),
            permit: &self.permit,
            config_base: &self.base,
            assets_base: &self.base,
            live,
            host_secret,
            lock,
            conf,
            assets: &self.assets,
            sources: &self.sources,
            updates: &self.updates,
            peers: &self.peers,
            join_vlan: Some(1234),
            ca_pem: self.ca_pem,
            overlay: crate::Overlay::NONE,
        }
    }
}

/// A repository with a key of the right shape.
pub(crate) fn repository(name: &str, roles: &[Role]) -> Repository {
    let key = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxgQEAAAB\n-----END PGP PUBLIC KEY BLOCK-----";
    Repository {
        name: name.parse().unwrap(),
        url: format!("https://packages.example.net/{name}").parse().unwrap(),
        gpg_key: key.to_owned(),
        roles: roles.to_vec(),
    }
}

pub(crate) fn install() -> Purpose {
    Purpose::Install {
        disk: None,
        wipe: Vec::new(),
    }
}

pub(crate) fn assets() -> AssetNames {
    let name = |part: &str| FileName::parse(&format!("fedora-coreos-43.20260901.3.0-live-{part}")).unwrap();
    AssetNames {
        version: "43.20260901.3.0".into(),
        kernel: name("kernel.x86_64"),
        initramfs: name("initramfs.x86_64.img"),
        rootfs: name("rootfs.x86_64.img"),
        image: None,
    }
}

/// The text that a resource carries.
pub(crate) fn text(resource: &Resource) -> String {
    let source = resource.source.as_deref().expect("a source");
    let bytes = match source.strip_prefix("data:;base64,") {
        Some(base64) => data_encoding::BASE64.decode(base64.as_bytes()).unwrap(),
        None => unescaped(source.strip_prefix("data:,").expect("a data URL")),
    };
    if resource.compression.as_deref() != Some("gzip") {
        return String::from_utf8(bytes).unwrap();
    }
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes.as_slice())
        .read_to_string(&mut text)
        .unwrap();
    text
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            let hex = [rest.next().unwrap(), rest.next().unwrap()];
            u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap()
        } else {
            byte
        });
    }
    bytes
}
