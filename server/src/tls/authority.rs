//! The server's own CA: made once, kept in the data folder, pinned by hosts.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData as _, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use super::provider;
use crate::secrets::{is_private, write_private};

/// How long the CA is good: hosts pin it when they are installed, and stay for years.
const CA_DAYS: u64 = 20 * 365;
/// How long a certificate is good.
const LEAF_DAYS: u64 = 90;
/// When it is made anew.
pub(super) const RENEWED_AFTER_DAYS: i64 = 60;
/// How far back both begin: a machine with an empty clock battery wakes up years ago, and sets its clock only after
/// its configs. Together with [`LEAF_DAYS`] below the 825 days that browsers take of a private CA.
const BACKDATED_DAYS: u64 = 700;
const DAY_S: u64 = 24 * 60 * 60;

/// The CA with its key.
pub(super) struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority([redacted])")
    }
}

impl Authority {
    /// The CA in `folder`, which is made when it holds none.
    ///
    /// # Errors
    /// When it is malformed, others can read its key, or the key is gone: a new CA would be trusted by no host.
    pub(super) fn load_or_make(folder: &Path, now: Timestamp) -> anyhow::Result<Self> {
        let at = || folder.display().to_string();
        let (key_file, cert_file) = (folder.join("ca.key"), folder.join("ca.pem"));
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(at)?;
        if !key_file.exists() {
            ensure!(
                !cert_file.exists(),
                "{} is missing although {} is there: restore it; hosts trust what it signs and nothing else",
                key_file.display(),
                cert_file.display()
            );
            let key = KeyPair::generate().context("a key for the CA")?;
            write_private(&key_file, Zeroizing::new(key.serialize_pem()).as_bytes())?;
        }
        // Another start may have been faster, and one may have been cut off between the two files: what is there counts.
        let key = read_key(&key_file)?;
        let pem = match fs::read_to_string(&cert_file) {
            Ok(pem) => pem,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let pem = ca_params(now)?.self_signed(&key).context("the CA's certificate")?.pem();
                write_private(&cert_file, pem.as_bytes())?;
                // It is for everybody; who may enter the folder is another matter.
                fs::set_permissions(&cert_file, fs::Permissions::from_mode(0o644)).with_context(at)?;
                tracing::info!(file = %cert_file.display(), "a CA was made");
                fs::read_to_string(&cert_file).with_context(at)?
            }
            Err(error) => return Err(error).with_context(|| cert_file.display().to_string()),
        };
        if !pem_holds_key(&pem, &key)? {
            bail!(
                "{} and {} do not belong together",
                cert_file.display(),
                key_file.display()
            );
        }
        let issuer = Issuer::from_ca_cert_pem(&pem, key).with_context(|| cert_file.display().to_string())?;
        Ok(Self { pem, issuer })
    }

    /// The CA's certificate.
    pub(super) fn pem(&self) -> &str {
        &self.pem
    }

    /// A new key with a certificate for these names and addresses.
    pub(super) fn leaf(&self, names: &[String], now: Timestamp) -> anyhow::Result<Arc<CertifiedKey>> {
        let key = KeyPair::generate().context("a key for the certificate")?;
        let mut params = CertificateParams::new(names).context("tls_names")?;
        params.distinguished_name = named("Thirdboot");
        valid(&mut params, now, LEAF_DAYS);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let cert = params.signed_by(&key, &self.issuer).context("the certificate")?;
        let chain = vec![CertificateDer::from(cert.der().to_vec())];
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let key = CertifiedKey::from_der(chain, der, &provider()).context("the certificate")?;
        Ok(Arc::new(key))
    }
}

fn read_key(file: &Path) -> anyhow::Result<KeyPair> {
    let at = || file.display().to_string();
    let mode = fs::metadata(file).with_context(at)?.permissions().mode() & 0o777;
    ensure!(
        is_private(mode),
        "{} can be read by others (mode {mode:o}): chmod 600 it, and make a new CA if others may have seen it",
        at()
    );
    let text = Zeroizing::new(fs::read_to_string(file).with_context(at)?);
    KeyPair::from_pem(&text).with_context(|| format!("{} is no private key", at()))
}

fn pem_holds_key(pem: &str, key: &KeyPair) -> anyhow::Result<bool> {
    let certificates = super::read_pem(pem.as_bytes()).context("ca.pem")?;
    let first = certificates.first().context("ca.pem holds no certificate")?;
    Ok(first.public_key == key.subject_public_key_info())
}

fn ca_params(now: Timestamp) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::default();
    let mut tag = [0; 4];
    getrandom::fill(&mut tag).context("the system has no random numbers")?;
    // A name of its own: two CAs of one name are taken for one another.
    let name = format!("Thirdboot CA {}", data_encoding::HEXLOWER.encode(&tag));
    params.distinguished_name = named(&name);
    valid(&mut params, now, CA_DAYS);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

fn valid(params: &mut CertificateParams, now: Timestamp, days: u64) {
    let now = Duration::from_secs(u64::try_from(now.as_second()).unwrap_or_default());
    let now = date_time_ymd(1970, 1, 1) + now;
    params.not_before = now - Duration::from_secs(BACKDATED_DAYS * DAY_S);
    params.not_after = now + Duration::from_secs(days * DAY_S);
}
