//! A kubeconfig, reduced to what counts.
//!
//! It comes from a host, or from a person's file. kubectl and its libraries would run programs and read files that it
//! names; so only certificates and keys that stand in it are taken, anything else is refused by name, and the file that
//! is given out is written anew from them.

use data_encoding::BASE64;
use kube::config::{AuthInfo, Cluster, Kubeconfig};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroize;

/// A kubeconfig is a few KiB.
const MAX_BYTES: usize = 64 << 10;

/// The CA of a cluster, and its admin's certificate and key. PEM.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize)]
#[zeroize(drop)]
pub(crate) struct Access {
    pub(super) ca: String,
    pub(super) certificate: String,
    pub(super) key: String,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Access(…)")
    }
}

/// A kubeconfig that is not taken. Says nothing of its contents.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the kubeconfig is not taken: {0}")]
pub(crate) struct InvalidAccess(&'static str);

impl Access {
    /// Reads a kubeconfig as k3s writes it.
    ///
    /// # Errors
    /// When it is none, or names programs, files or anything else than certificates of one cluster and one user.
    pub(crate) fn read(kubeconfig: &str) -> Result<Self, InvalidAccess> {
        if kubeconfig.len() > MAX_BYTES {
            return Err(InvalidAccess("it is longer than a kubeconfig can be"));
        }
        let file = Kubeconfig::from_yaml(kubeconfig)
            .map_err(|_| InvalidAccess("expected the YAML file that k3s writes to /etc/rancher/k3s/k3s.yaml"))?;
        let [cluster] = file.clusters.as_slice() else {
            return Err(InvalidAccess("expected one cluster in it"));
        };
        let [user] = file.auth_infos.as_slice() else {
            return Err(InvalidAccess("expected one user in it"));
        };
        let cluster = cluster.cluster.as_ref().ok_or(InvalidAccess("its cluster is empty"))?;
        let user = user.auth_info.as_ref().ok_or(InvalidAccess("its user is empty"))?;
        let access = Self {
            ca: pem(ca_of(cluster)?)?,
            certificate: pem(certificate_of(user)?)?,
            key: pem(user.client_key_data.as_ref().map_or("", |key| key.expose_secret()))?,
        };
        let is_certificate = |text: &str| {
            let mut certificates = CertificateDer::pem_slice_iter(text.as_bytes()).peekable();
            certificates.peek().is_some() && certificates.all(|certificate| certificate.is_ok())
        };
        if !is_certificate(&access.ca) || !is_certificate(&access.certificate) {
            return Err(InvalidAccess(
                "expected PEM certificates in certificate-authority-data and client-certificate-data",
            ));
        }
        PrivateKeyDer::from_pem_slice(access.key.as_bytes())
            .map_err(|_| InvalidAccess("expected a PEM key in client-key-data"))?;
        Ok(access)
    }

    /// The hash by which k3s' tokens pin the CA: of the file as it stands on a server's disk.
    pub(crate) fn ca_sha256(&self) -> String {
        hex(&Sha256::digest(self.ca.as_bytes()))
    }

    /// Whether a CA hash that k3s makes is of this CA. Of a bundle k3s hashes the root certificate, not the file.
    pub(crate) fn is_pinned_by(&self, ca_sha256: &str) -> bool {
        self.ca_sha256() == ca_sha256 || {
            let ders = self.ca_ders();
            ders.len() > 1 && ders.iter().any(|der| hex(&Sha256::digest(der)) == ca_sha256)
        }
    }

    /// The CA's certificates in DER.
    pub(super) fn ca_ders(&self) -> Vec<Vec<u8>> {
        CertificateDer::pem_slice_iter(self.ca.as_bytes())
            .filter_map(|certificate| Some(certificate.ok()?.to_vec()))
            .collect()
    }

    /// For the Kubernetes client.
    pub(super) fn auth_info(&self) -> AuthInfo {
        AuthInfo {
            client_certificate_data: Some(BASE64.encode(self.certificate.as_bytes())),
            client_key_data: Some(BASE64.encode(self.key.as_bytes()).into()),
            ..AuthInfo::default()
        }
    }

    /// A kubeconfig for people, for the API server at this URL.
    pub(crate) fn kubeconfig(&self, cluster: &str, server: &str) -> String {
        let data = |text: &str| BASE64.encode(text.as_bytes());
        format!(
            "apiVersion: v1\n\
             kind: Config\n\
             clusters:\n\
             - name: \"{cluster}\"\n\
             \x20 cluster:\n\
             \x20   server: \"{server}\"\n\
             \x20   certificate-authority-data: {ca}\n\
             users:\n\
             - name: \"{cluster}\"\n\
             \x20 user:\n\
             \x20   client-certificate-data: {certificate}\n\
             \x20   client-key-data: {key}\n\
             contexts:\n\
             - name: \"{cluster}\"\n\
             \x20 context:\n\
             \x20   cluster: \"{cluster}\"\n\
             \x20   user: \"{cluster}\"\n\
             current-context: \"{cluster}\"\n",
            ca = data(&self.ca),
            certificate = data(&self.certificate),
            key = data(&self.key),
        )
    }
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

fn ca_of(cluster: &Cluster) -> Result<&str, InvalidAccess> {
    if cluster.certificate_authority.is_some() || cluster.proxy_url.is_some() || cluster.tls_server_name.is_some() {
        return Err(InvalidAccess(
            "its cluster names a file, a proxy or another server name",
        ));
    }
    if cluster.insecure_skip_tls_verify == Some(true) {
        return Err(InvalidAccess("its cluster checks no certificate"));
    }
    cluster
        .certificate_authority_data
        .as_deref()
        .ok_or(InvalidAccess("certificate-authority-data is missing"))
}

fn certificate_of(user: &AuthInfo) -> Result<&str, InvalidAccess> {
    if user.exec.is_some() || user.auth_provider.is_some() {
        return Err(InvalidAccess("its user names a program to run"));
    }
    if user.client_certificate.is_some() || user.client_key.is_some() || user.token_file.is_some() {
        return Err(InvalidAccess("its user names files"));
    }
    if user.username.is_some() || user.password.is_some() || user.token.is_some() || user.impersonate.is_some() {
        return Err(InvalidAccess("expected a user with a certificate, as k3s writes it"));
    }
    user.client_certificate_data
        .as_deref()
        .ok_or(InvalidAccess("client-certificate-data is missing"))
}

fn pem(base64: &str) -> Result<String, InvalidAccess> {
    let refuse = || InvalidAccess("expected base64 in its *-data fields");
    let bytes = BASE64.decode(base64.trim().as_bytes()).map_err(|_| refuse())?;
    String::from_utf8(bytes).map_err(|_| refuse())
}
