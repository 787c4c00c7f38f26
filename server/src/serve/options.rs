//! The command line of `serve`, and the settings that follow from it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use axum::http::Uri;
use clap::{Args, ValueEnum};
use ipnet::IpNet;
use thirdboot_lifecycle::{Deadlines, DiskBoot};
use thirdboot_render::{BaseUrl, Retry};

use super::logging::{self, LogFormat};
use crate::platform::PlatformOptions;
use crate::tls::{TlsOptions, read_pem};
use crate::{Settings, reconciler};

/// Loopback and the private ranges (RFC 1918, RFC 4193, IPv6 link-local): a network of one's own is in one of them,
/// and whoever boots from public addresses says so, or gives each host its key.
const DEFAULT_ADDRESS_SOURCES: [&str; 7] = [
    "127.0.0.0/8",
    "::1/128",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "fc00::/7",
    "fe80::/10",
];

/// Where Fedora publishes its streams.
const DEFAULT_STREAMS_URL: &str = "https://builds.coreos.fedoraproject.org/streams";
/// The way back to the version of before is kept, too.
const DEFAULT_ASSETS_KEEP: usize = 2;

/// What a machine gets that matches no host.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum UnknownPolicy {
    /// It waits, polls, and is listed.
    #[default]
    Hold,
    /// It boots its disk, and is listed.
    Local,
}

/// How a server is started: flags, variables of the environment and keys of the settings file. Help that ends in "For
/// example …" gives the sample file its example.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Settings")]
pub struct ServeOptions {
    /// Settings file (TOML); `thirdboot config sample` shows one.
    #[arg(long, env = "THIRDBOOT_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder of master key, database and epoch; made when it is not there. For example /var/lib/thirdboot
    #[arg(long, env = "THIRDBOOT_DATA_DIR", value_name = "DIR")]
    pub data_dir: PathBuf,
    /// Address of the boot plane, which hosts reach; port 0 takes any free one.
    #[arg(
        long,
        env = "THIRDBOOT_BOOT_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8080"
    )]
    pub boot_listen: SocketAddr,
    /// Address of the control plane: people and programs, never hosts.
    #[arg(
        long,
        env = "THIRDBOOT_CONTROL_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8081"
    )]
    pub control_listen: SocketAddr,
    /// Base URL of scripts as hosts see it; none means the boot plane's own address. For example
    /// <http://boot.example.net:8080>
    #[arg(long, env = "THIRDBOOT_BOOT_URL", value_name = "URL", value_parser = BaseUrl::parse)]
    pub boot_url: Option<BaseUrl>,
    /// Base URL of configs, claims and reports as hosts see it; none means that of scripts, or the HTTPS listener's at
    /// the same name. Assets go with it unless it is HTTPS: iPXE and the live system know no CA of one's own.
    /// For example <https://boot.example.net:8443>
    #[arg(long, env = "THIRDBOOT_CONFIG_URL", value_name = "URL", value_parser = BaseUrl::parse)]
    pub config_url: Option<BaseUrl>,
    /// Folder of the mirrored operating system; none means `assets` in the data folder. For example
    /// /var/lib/thirdboot/assets
    #[arg(long, env = "THIRDBOOT_ASSETS_DIR", value_name = "DIR")]
    pub assets_dir: Option<PathBuf>,
    /// What a machine gets that matches no host.
    #[arg(long, env = "THIRDBOOT_UNKNOWN", value_name = "POLICY", default_value = "hold")]
    pub unknown: UnknownPolicy,
    /// Networks from which machines known by their addresses may ask for an install (repeat it); none means loopback
    /// and the private ranges. For example 10.0.0.0/8, 192.0.2.0/24
    #[arg(
        long = "address-source",
        env = "THIRDBOOT_ADDRESS_SOURCES",
        value_name = "CIDR",
        value_delimiter = ','
    )]
    pub address_sources: Vec<IpNet>,
    /// Proxies whose X-Forwarded-For is believed (repeat it); none by default. For example 192.0.2.10/32
    #[arg(
        long = "trusted-proxy",
        env = "THIRDBOOT_TRUSTED_PROXIES",
        value_name = "CIDR",
        value_delimiter = ','
    )]
    pub trusted_proxies: Vec<IpNet>,
    /// How often a machine asks a server that does not answer before it boots its disk.
    #[arg(long, env = "THIRDBOOT_BOOT_RETRIES", value_name = "TRIES", default_value_t = Retry::default().attempts)]
    pub boot_retries: u16,
    /// Seconds between two tries.
    #[arg(long, env = "THIRDBOOT_BOOT_RETRY_PAUSE", value_name = "SECONDS", default_value_t = Retry::default().pause_s)]
    pub boot_retry_pause: u16,
    /// Base URL of Fedora CoreOS' stream metadata, for `thirdboot assets pull`.
    #[arg(long, env = "THIRDBOOT_STREAMS_URL", value_name = "URL", default_value = DEFAULT_STREAMS_URL)]
    pub streams_url: String,
    /// OpenPGP public keys, armored or binary: what is pulled must be signed by one of them; none leaves signatures
    /// unchecked. For example /etc/thirdboot/fedora.gpg
    #[arg(long, env = "THIRDBOOT_ASSETS_KEYRING", value_name = "FILE")]
    pub assets_keyring: Option<PathBuf>,
    /// Versions that stay in the mirror beside those that hosts need.
    #[arg(long, env = "THIRDBOOT_ASSETS_KEEP", value_name = "COUNT", default_value_t = DEFAULT_ASSETS_KEEP)]
    pub assets_keep: usize,
    /// How a line of the log looks.
    #[arg(long, env = "THIRDBOOT_LOG_FORMAT", value_name = "FORMAT", default_value = "pretty")]
    pub log_format: LogFormat,
    /// Base URL of an OpenTelemetry collector (OTLP over HTTP) that is sent every request as a span; none by default.
    /// For example <http://127.0.0.1:4318>
    #[arg(long, env = "THIRDBOOT_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,
    /// Which part of the requests a collector is sent: 0 to 1.
    #[arg(long, env = "THIRDBOOT_OTLP_RATIO", value_name = "RATIO", default_value_t = 1.0)]
    pub otlp_ratio: f64,
    /// TLS of both planes.
    #[command(flatten)]
    pub tls: TlsOptions,
    /// Ask nothing of clusters from here, where their networks are out of reach: a node is ready by its own word then.
    #[arg(long, env = "THIRDBOOT_BLIND_TO_CLUSTERS", value_name = "BOOL", default_value_t = false, action = clap::ArgAction::Set)]
    pub blind_to_clusters: bool,
    /// Providers.
    #[command(flatten)]
    pub platforms: PlatformOptions,
    /// When a stage is late: for a demo and for tests, whose minutes are seconds.
    #[arg(skip = Deadlines::default())]
    pub deadlines: Deadlines,
    /// How often the reconciler looks.
    #[arg(skip = reconciler::PERIOD)]
    pub reconcile_every: Duration,
}

/// Where the boot plane listens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listening {
    /// For all that speaks HTTP.
    pub(crate) plain: SocketAddr,
    /// For HTTPS.
    pub(crate) tls: Option<SocketAddr>,
}

/// Base URLs as hosts see them.
#[derive(Debug, Clone)]
pub(crate) struct Urls {
    /// Of scripts.
    pub(crate) boot: BaseUrl,
    /// Of configs, claims and reports.
    pub(crate) config: BaseUrl,
}

/// The host of a base URL, an IPv6 address in its brackets.
pub(crate) fn host(url: &BaseUrl) -> anyhow::Result<String> {
    let parsed: Uri = url.as_str().parse().with_context(|| url.to_string())?;
    parsed.host().map(str::to_owned).with_context(|| url.to_string())
}

impl ServeOptions {
    /// On loopback, any free ports: for a demo, a bench, a test.
    #[must_use]
    pub fn on_loopback(data_dir: PathBuf, assets_dir: PathBuf) -> Self {
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let retry = Retry::default();
        Self {
            config: None,
            data_dir,
            boot_listen: any_port,
            control_listen: any_port,
            boot_url: None,
            config_url: None,
            assets_dir: Some(assets_dir),
            unknown: UnknownPolicy::Hold,
            address_sources: Vec::new(),
            trusted_proxies: Vec::new(),
            boot_retries: retry.attempts,
            boot_retry_pause: retry.pause_s,
            log_format: LogFormat::Pretty,
            otlp_endpoint: None,
            otlp_ratio: 1.0,
            streams_url: DEFAULT_STREAMS_URL.to_owned(),
            assets_keyring: None,
            assets_keep: DEFAULT_ASSETS_KEEP,
            tls: TlsOptions::default(),
            blind_to_clusters: true,
            platforms: PlatformOptions::default(),
            deadlines: Deadlines::default(),
            reconcile_every: reconciler::PERIOD,
        }
    }

    /// Whether a server can be started with these: what no single value shows.
    ///
    /// # Errors
    /// Says which settings do not go together.
    pub fn validate(&self) -> anyhow::Result<()> {
        ensure!(
            self.boot_url.is_some() || !self.boot_listen.ip().is_unspecified(),
            "boot_url is missing: boot_listen is {}, and no host can tell from that where the server is",
            self.boot_listen
        );
        self.tls.validate()?;
        logging::check(self)?;
        self.urls(self.nominal()).map(|_| ())
    }

    /// Where the boot plane will listen. Which port a 0 becomes is known once it is open; any stands for it here.
    pub(crate) fn nominal(&self) -> Listening {
        let any = |mut address: SocketAddr| {
            address.set_port(address.port().max(1));
            address
        };
        Listening {
            plain: any(self.boot_listen),
            tls: self.tls.boot_tls_listen.map(any),
        }
    }

    /// Whether the control plane speaks HTTPS.
    pub(crate) fn control_is_tls(&self) -> bool {
        let is_reached = !self.control_listen.ip().is_loopback();
        self.tls.control_tls.unwrap_or(is_reached)
    }

    /// Base URLs as hosts see them.
    pub(crate) fn urls(&self, listening: Listening) -> anyhow::Result<Urls> {
        let boot = match &self.boot_url {
            Some(url) => url.clone(),
            None => BaseUrl::parse(&format!("http://{}", listening.plain)).context("boot_listen")?,
        };
        let config = match (&self.config_url, listening.tls) {
            (Some(url), _) => url.clone(),
            (None, None) => boot.clone(),
            (None, Some(tls)) => {
                let url = format!("https://{}:{}", host(&boot)?, tls.port());
                BaseUrl::parse(&url).context("boot_tls_listen")?
            }
        };
        Ok(Urls { boot, config })
    }

    /// What the own CA's certificate is for.
    pub(super) fn tls_names(&self, urls: &Urls) -> anyhow::Result<Vec<String>> {
        let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        for url in [&urls.boot, &urls.config] {
            names.push(host(url)?.trim_matches(['[', ']']).to_owned());
        }
        let addresses = [
            Some(self.boot_listen),
            self.tls.boot_tls_listen,
            Some(self.control_listen),
        ];
        let addresses = addresses.into_iter().flatten().map(|address| address.ip());
        names.extend(addresses.filter(|ip| !ip.is_unspecified()).map(|ip| ip.to_string()));
        names.extend(self.tls.tls_names.iter().cloned());
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// What hosts must be told to trust for configs; none where the operating system's CAs will do.
    pub(crate) fn ca_pem(&self, config: &BaseUrl, own: Option<&str>) -> anyhow::Result<Option<String>> {
        if !config.is_https() {
            return Ok(None);
        }
        if let Some(file) = &self.tls.tls_ca {
            let at = || format!("tls_ca {}", file.display());
            let pem = std::fs::read_to_string(file).with_context(at)?;
            ensure!(
                !read_pem(pem.as_bytes()).with_context(at)?.is_empty(),
                "{} holds no certificate",
                at()
            );
            return Ok(Some(pem));
        }
        // HTTPS that somebody else speaks, with a certificate of somebody else's.
        let is_own = self.tls.boot_tls_listen.is_some();
        Ok(own.filter(|_| is_own).map(str::to_owned))
    }

    /// Validated.
    pub(super) fn settings(&self, urls: Urls, ca_pem: Option<String>) -> anyhow::Result<Settings> {
        let (boot_url, config_url) = (urls.boot, urls.config);
        let address_sources = if self.address_sources.is_empty() {
            DEFAULT_ADDRESS_SOURCES
                .iter()
                .map(|net| net.parse())
                .collect::<Result<_, _>>()?
        } else {
            self.address_sources.clone()
        };
        let assets_url = if config_url.is_https() { &boot_url } else { &config_url }.clone();
        Ok(Settings {
            boot_url,
            config_url,
            assets_url,
            ca_pem,
            require_tls: self.tls.require_tls,
            address_sources,
            trusted_proxies: self.trusted_proxies.clone(),
            unknown_boots_disk: self.unknown == UnknownPolicy::Local,
            unknown_disk_boot: DiskBoot::default(),
            assets_keep: self.assets_keep,
            retry: Retry {
                attempts: self.boot_retries,
                pause_s: self.boot_retry_pause,
            },
        })
    }
}
