//! What stands in a certificate.

use std::net::IpAddr;

use anyhow::Context as _;
use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// What stands in a certificate.
#[derive(Debug, Clone)]
pub(crate) struct Certificate {
    /// The whole of it.
    pub(crate) der: CertificateDer<'static>,
    /// Its public key, as X.509 writes it.
    pub(crate) public_key: Vec<u8>,
    /// Names and addresses that it is for.
    pub(crate) names: Vec<String>,
    /// When it ends.
    pub(crate) ends: Timestamp,
}

/// The certificates of a PEM file, in its order; anything else in it is passed over.
pub(crate) fn read_pem(pem: &[u8]) -> anyhow::Result<Vec<Certificate>> {
    CertificateDer::pem_slice_iter(pem)
        .map(|der| read(der.context("malformed PEM")?))
        .collect()
}

/// Reads one.
pub(crate) fn read(der: CertificateDer<'static>) -> anyhow::Result<Certificate> {
    let (_, parsed) = X509Certificate::from_der(&der).context("malformed certificate")?;
    let names = parsed.subject_alternative_name().context("malformed certificate")?;
    let names = names.map(|names| names.value.general_names.iter().filter_map(name).collect());
    let (public_key, ends) = (
        parsed.public_key().raw.to_vec(),
        parsed.validity().not_after.timestamp(),
    );
    Ok(Certificate {
        names: names.unwrap_or_default(),
        public_key,
        ends: Timestamp::from_second(ends).context("malformed certificate")?,
        der,
    })
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let four = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let address = four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
            address.ok().map(|address| address.to_string())
        }
        _ => None,
    }
}
