//! TLS of both listeners, by rustls with aws-lc-rs: with an own CA that the first start makes, or with certificates
//! that somebody else keeps. Either way a certificate is replaced while connections come in.

mod authority;
mod certificate;
mod given;
mod options;

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use thirdboot_store::Store;

pub(crate) use certificate::{Certificate, read_pem};
pub use options::TlsOptions;

use authority::Authority;
use given::Given;

/// How often certificates are looked at.
const PERIOD: std::time::Duration = std::time::Duration::from_secs(10);
/// Folder in the data folder.
const FOLDER: &str = "tls";

/// What this process uses for all its TLS.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// The server's certificate, and who vouches for it.
#[derive(Debug)]
pub(crate) struct Tls {
    config: Arc<ServerConfig>,
    current: Arc<Current>,
    source: Source,
}

/// Where certificates come from.
#[derive(Debug)]
enum Source {
    /// The own CA, for these names.
    Own(Box<Authority>, Vec<String>),
    /// Files that somebody else writes.
    Given(Given),
}

/// The certificate of the next handshake.
#[derive(Debug)]
struct Current(RwLock<Held>);

#[derive(Debug, Clone)]
struct Held {
    key: Arc<CertifiedKey>,
    /// When an own certificate is made anew; none for a given one.
    renew_at: Option<Timestamp>,
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.held().key)
    }
}

impl Current {
    fn held(&self) -> Held {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn replace(&self, held: Held) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = held;
    }
}

impl Tls {
    /// Given certificates, or a certificate of the own CA for `names`; the CA is made when it is not there.
    ///
    /// # Errors
    /// When a file is missing, malformed or readable by those it is not for.
    pub(crate) fn open(
        options: &TlsOptions,
        data_dir: &Path,
        names: Vec<String>,
        now: Timestamp,
    ) -> anyhow::Result<Self> {
        let source = match (&options.tls_cert, &options.tls_key) {
            (Some(cert), Some(key)) => Source::Given(Given::new(cert, key)),
            _ => Source::Own(Box::new(Authority::load_or_make(&data_dir.join(FOLDER), now)?), names),
        };
        let held = source.issue(now)?;
        say(&held, now);
        let current = Arc::new(Current(RwLock::new(held)));
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .context("TLS cannot be set up")?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            config: Arc::new(config),
            current,
            source,
        })
    }

    /// What a listener speaks with.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// The own CA as PEM; none where certificates are given.
    pub(crate) fn own_ca_pem(&self) -> Option<&str> {
        match &self.source {
            Source::Own(authority, _) => Some(authority.pem()),
            Source::Given(_) => None,
        }
    }

    /// Makes a certificate anew that will end soon, reads files again that changed. What cannot be read leaves the
    /// certificate that is in use where it is.
    pub(crate) fn look(&self, now: Timestamp) {
        let is_due = match &self.source {
            Source::Own(..) => self.current.held().renew_at.is_some_and(|at| at <= now),
            Source::Given(given) => given.has_changed(),
        };
        if !is_due {
            return;
        }
        match self.source.issue(now) {
            Ok(held) => {
                say(&held, now);
                self.current.replace(held);
            }
            Err(error) => tracing::error!(error = %format!("{error:#}"), "the certificate stays as it is"),
        }
    }

    /// Looks, for ever.
    pub(crate) async fn keep(self: Arc<Self>, store: Arc<dyn Store>) {
        let mut ticks = tokio::time::interval(PERIOD);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.look(store.now());
        }
    }
}

/// Tells the log which certificate is used from now on.
fn say(held: &Held, now: Timestamp) {
    let first = held
        .key
        .cert
        .first()
        .cloned()
        .map(|der| certificate::read(der.into_owned()));
    let Some(Ok(certificate)) = first else { return };
    let names = certificate.names.join(" ");
    if certificate.ends <= now {
        tracing::error!(%names, ended = %certificate.ends, "the certificate has ended: no client takes it");
    } else {
        tracing::info!(%names, ends = %certificate.ends, "the certificate in use");
    }
}

impl Source {
    fn issue(&self, now: Timestamp) -> anyhow::Result<Held> {
        match self {
            Self::Own(authority, names) => Ok(Held {
                key: authority.leaf(names, now)?,
                renew_at: Some(now + SignedDuration::from_hours(24 * authority::RENEWED_AFTER_DAYS)),
            }),
            Self::Given(given) => Ok(Held {
                key: given.load()?,
                renew_at: None,
            }),
        }
    }
}

#[cfg(test)]
mod tests;
