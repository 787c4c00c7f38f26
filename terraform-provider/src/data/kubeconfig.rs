//! What stands in a kubeconfig.

use data_encoding::BASE64;
use serde::Deserialize;

/// Where a cluster is and how to get in.
pub(super) struct Access {
    pub(super) endpoint: String,
    pub(super) ca_certificate: Option<String>,
    pub(super) client_certificate: Option<String>,
    pub(super) client_key: Option<String>,
}

#[derive(Deserialize)]
struct File {
    clusters: Vec<NamedCluster>,
    users: Vec<NamedUser>,
}

#[derive(Deserialize)]
struct NamedCluster {
    cluster: Cluster,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Cluster {
    server: String,
    certificate_authority_data: Option<String>,
}

#[derive(Deserialize)]
struct NamedUser {
    user: User,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct User {
    client_certificate_data: Option<String>,
    client_key_data: Option<String>,
}

impl Access {
    /// Reads a kubeconfig of one cluster and one user, as the server writes it. What is wrong is told without its text.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let file: File =
            serde_saphyr::from_str(text).map_err(|_| "It is no kubeconfig: expected clusters and users.".to_owned())?;
        let (Some(cluster), Some(user)) = (file.clusters.into_iter().next(), file.users.into_iter().next()) else {
            return Err("It has no cluster or no user.".to_owned());
        };
        Ok(Self {
            endpoint: cluster.cluster.server,
            ca_certificate: pem(cluster.cluster.certificate_authority_data)?,
            client_certificate: pem(user.user.client_certificate_data)?,
            client_key: pem(user.user.client_key_data)?,
        })
    }
}

fn pem(data: Option<String>) -> Result<Option<String>, String> {
    let Some(data) = data else { return Ok(None) };
    let bytes = BASE64.decode(data.trim().as_bytes()).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.map(Some)
        .ok_or_else(|| "A certificate or key in it is no base64.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "apiVersion: v1\nkind: Config\nclusters:\n- name: c\n  cluster:\n    server: https://10.0.0.1:6443\n    \
        certificate-authority-data: Q0E=\nusers:\n- name: u\n  user:\n    client-certificate-data: Q0VSVA==\n    client-key-data: S0VZ\n";

    #[test]
    fn a_kubeconfig_is_taken_apart() {
        let access = Access::read(FILE).unwrap();
        assert_eq!(access.endpoint, "https://10.0.0.1:6443");
        assert_eq!(
            (
                access.ca_certificate.as_deref(),
                access.client_certificate.as_deref(),
                access.client_key.as_deref()
            ),
            (Some("CA"), Some("CERT"), Some("KEY"))
        );
    }

    #[test]
    fn what_is_none_is_told_without_its_text() {
        for text in [
            "",
            "s3cr3t",
            "clusters: []\nusers: []",
            &FILE.replace("S0VZ", "s3cr3t!"),
        ] {
            let why = Access::read(text).err().unwrap();
            assert!(!why.contains("s3cr3t"), "{why}");
        }
    }
}
