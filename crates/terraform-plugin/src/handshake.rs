//! go-plugin's handshake: what Terraform says in the environment of the process, and the line that it reads.

use std::net::SocketAddr;

use data_encoding::BASE64_NOPAD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::serve::ServeError;

/// A courtesy to users, no secret: whoever does not set it is not Terraform.
const COOKIE: (&str, &str) = (
    "TF_PLUGIN_MAGIC_COOKIE",
    "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
);
/// Protocol versions that Terraform takes, separated by commas.
const VERSIONS: &str = "PLUGIN_PROTOCOL_VERSIONS";
/// Terraform's own certificate, in PEM.
const CLIENT_CERTIFICATE: &str = "PLUGIN_CLIENT_CERT";
/// The version of go-plugin's own protocol.
const CORE_VERSION: u8 = 1;
/// The version of Terraform's protocol that is spoken here.
const VERSION: &str = "6";

/// What Terraform said.
#[derive(Debug)]
pub(crate) struct Handshake {
    /// The certificate of the only client that is let in.
    pub(crate) client: CertificateDer<'static>,
}

impl Handshake {
    /// Reads it by `variable`.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ServeError> {
        if variable(COOKIE.0).as_deref() != Some(COOKIE.1) {
            return Err(ServeError::NotTerraform);
        }
        let versions = variable(VERSIONS);
        if let Some(versions) =
            versions.filter(|versions| !versions.split(',').any(|version| version.trim() == VERSION))
        {
            return Err(ServeError::Version(versions));
        }
        let pem = variable(CLIENT_CERTIFICATE).ok_or(ServeError::NoClientCertificate)?;
        let client = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|error| ServeError::BadClientCertificate(error.to_string()))?;
        Ok(Self { client })
    }
}

/// The line that tells Terraform where to connect and whom to expect there.
pub(crate) fn line(address: SocketAddr, server: &CertificateDer<'_>) -> String {
    let server = BASE64_NOPAD.encode(server);
    format!("{CORE_VERSION}|{VERSION}|tcp|{address}|grpc|{server}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables<'a>(set: &'a [(&str, &str)]) -> impl Fn(&str) -> Option<String> + 'a {
        |name| {
            set.iter()
                .find(|(set, _)| *set == name)
                .map(|(_, value)| (*value).to_owned())
        }
    }

    #[test]
    fn whoever_is_not_terraform_is_told_so() {
        assert!(matches!(Handshake::read(variables(&[])), Err(ServeError::NotTerraform)));
        let wrong = [(COOKIE.0, "x")];
        assert!(matches!(
            Handshake::read(variables(&wrong)),
            Err(ServeError::NotTerraform)
        ));
    }

    #[test]
    fn an_older_terraform_is_told_what_it_lacks() {
        let old = [COOKIE, (VERSIONS, "4,5")];
        let refused = Handshake::read(variables(&old)).unwrap_err();
        assert!(refused.to_string().contains("version 6"), "{refused}");
    }

    #[test]
    fn without_a_certificate_nobody_is_let_in() {
        let none = [COOKIE, (VERSIONS, "5,6")];
        assert!(matches!(
            Handshake::read(variables(&none)),
            Err(ServeError::NoClientCertificate)
        ));
        let bad = [COOKIE, (CLIENT_CERTIFICATE, "-----BEGIN NOTHING-----")];
        assert!(matches!(
            Handshake::read(variables(&bad)),
            Err(ServeError::BadClientCertificate(_))
        ));
    }

    #[test]
    fn the_line_is_what_go_plugin_reads() {
        let server = CertificateDer::from(vec![1, 2, 3, 4]);
        let line = line("127.0.0.1:4711".parse().unwrap(), &server);
        assert_eq!(line, "1|6|tcp|127.0.0.1:4711|grpc|AQIDBA");
    }
}
