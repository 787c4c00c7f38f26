//! How TLS is set.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::ensure;
use clap::{ArgAction, Args};

/// How TLS is set.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "TLS")]
pub struct TlsOptions {
    /// Address of the boot plane's HTTPS listener: configs, claims and reports go there unless `config_url` says
    /// otherwise; none means plain HTTP alone. For example 0.0.0.0:8443
    #[arg(long, env = "THIRDBOOT_BOOT_TLS_LISTEN", value_name = "ADDRESS")]
    pub boot_tls_listen: Option<SocketAddr>,
    /// Whether the control plane speaks HTTPS; none means that it does where it listens beyond loopback. For example
    /// true
    #[arg(long, env = "THIRDBOOT_CONTROL_TLS", value_name = "BOOL")]
    pub control_tls: Option<bool>,
    /// Whether claims, reports and joins over plain HTTP are turned away (with 503, so that hosts ask again). Hosts that
    /// were armed before HTTPS was set up know its address only once they are armed again.
    #[arg(long, env = "THIRDBOOT_REQUIRE_TLS", value_name = "BOOL", default_value_t = false, action = ArgAction::Set)]
    pub require_tls: bool,
    /// Certificate chain (PEM) of both listeners, read again when it changes; none means one of the server's own CA,
    /// made anew before it ends. For example /etc/thirdboot/tls/fullchain.pem
    #[arg(long, env = "THIRDBOOT_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Its private key (PEM), which others must not be able to read. For example /etc/thirdboot/tls/key.pem
    #[arg(long, env = "THIRDBOOT_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// CA certificates (PEM) that hosts trust for `config_url`; none means the server's own CA, or what the operating
    /// system trusts where certificates are given. For example /etc/thirdboot/tls/ca.pem
    #[arg(long, env = "THIRDBOOT_TLS_CA", value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,
    /// Further names and addresses for the own CA's certificate (repeat it): those in the base URLs, the listening
    /// addresses and loopback are in it anyway. For example boot.example.net, 192.0.2.1
    #[arg(
        long = "tls-name",
        env = "THIRDBOOT_TLS_NAMES",
        value_name = "NAME",
        value_delimiter = ','
    )]
    pub tls_names: Vec<String>,
}

impl TlsOptions {
    /// What no single value shows.
    pub(crate) fn validate(&self) -> anyhow::Result<()> {
        ensure!(
            self.tls_cert.is_some() == self.tls_key.is_some(),
            "tls_cert and tls_key go together: {} is missing",
            if self.tls_cert.is_some() { "tls_key" } else { "tls_cert" }
        );
        ensure!(
            self.tls_cert.is_none() || self.tls_names.is_empty(),
            "tls_names is for the own CA's certificate, and tls_cert gives another"
        );
        ensure!(
            !self.require_tls || self.boot_tls_listen.is_some(),
            "require_tls needs boot_tls_listen: no host could report"
        );
        Ok(())
    }
}
