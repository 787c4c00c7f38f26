//! What is secret of a cluster, sealed for the database: it opens for that cluster and as that kind alone.

use thirdboot_lifecycle::ClusterName;

use super::{Access, Tokens};
use crate::problem::Failure;
use crate::secrets::{SealError, Secrets};

/// What is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SealedKind {
    /// Its tokens.
    Tokens,
    /// Its kubeconfig.
    Access,
}

fn belongs_to(name: &ClusterName, kind: SealedKind) -> Vec<u8> {
    let kind = match kind {
        SealedKind::Tokens => "tokens",
        SealedKind::Access => "kubeconfig",
    };
    format!("cluster\0{name}\0{kind}").into_bytes()
}

fn seal<T: serde::Serialize>(
    secrets: &Secrets,
    name: &ClusterName,
    kind: SealedKind,
    plain: &T,
) -> Result<Vec<u8>, Failure> {
    let plain = zeroize::Zeroizing::new(serde_json::to_vec(plain).map_err(Failure::internal)?);
    secrets
        .seal_at(&belongs_to(name, kind), &plain)
        .map_err(Failure::internal)
}

fn open<T: serde::de::DeserializeOwned>(
    secrets: &Secrets,
    name: &ClusterName,
    kind: SealedKind,
    sealed: &[u8],
) -> Result<T, Failure> {
    let plain = secrets
        .unseal_at(&belongs_to(name, kind), sealed)
        .map_err(Failure::internal)?;
    let plain = zeroize::Zeroizing::new(plain);
    // The error would show what it cannot read.
    serde_json::from_slice(&plain).map_err(|_| Failure::internal("a cluster's secrets are not what was sealed"))
}

/// Seals tokens.
///
/// # Errors
/// When the system has no random numbers.
pub(crate) fn seal_tokens(secrets: &Secrets, name: &ClusterName, tokens: &Tokens) -> Result<Vec<u8>, Failure> {
    seal(secrets, name, SealedKind::Tokens, tokens)
}

/// Opens tokens.
///
/// # Errors
/// When they are damaged, or belong elsewhere.
pub(crate) fn open_tokens(secrets: &Secrets, name: &ClusterName, sealed: &[u8]) -> Result<Tokens, Failure> {
    open(secrets, name, SealedKind::Tokens, sealed)
}

/// Seals what a kubeconfig says.
///
/// # Errors
/// When the system has no random numbers.
pub(crate) fn seal_access(secrets: &Secrets, name: &ClusterName, access: &Access) -> Result<Vec<u8>, Failure> {
    seal(secrets, name, SealedKind::Access, access)
}

/// Opens what a kubeconfig says.
///
/// # Errors
/// When it is damaged, or belongs elsewhere.
pub(crate) fn open_access(secrets: &Secrets, name: &ClusterName, sealed: &[u8]) -> Result<Access, Failure> {
    open(secrets, name, SealedKind::Access, sealed)
}

/// The same, sealed with the key that is used now.
///
/// # Errors
/// When no known key opens it.
pub(crate) fn seal_anew(
    secrets: &Secrets,
    name: &ClusterName,
    is_kubeconfig: bool,
    sealed: &[u8],
) -> Result<Vec<u8>, SealError> {
    let kind = if is_kubeconfig {
        SealedKind::Access
    } else {
        SealedKind::Tokens
    };
    let owner = belongs_to(name, kind);
    let plain = zeroize::Zeroizing::new(secrets.unseal_at(&owner, sealed)?);
    secrets.seal_at(&owner, &plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::{FormerKey, Keys, MasterKey};

    #[test]
    fn what_a_former_key_sealed_needs_it_no_more_once_it_is_sealed_anew() {
        let prod = "prod".parse().unwrap();
        let tokens = Tokens::generate().unwrap();
        let keys = |present: u8, former: &[u8]| Keys {
            present: MasterKey::from_bytes([present; 32]),
            former: (former.iter())
                .map(|byte| FormerKey {
                    key: MasterKey::from_bytes([*byte; 32]),
                    rotated_at: jiff::Timestamp::UNIX_EPOCH,
                })
                .collect(),
        };
        let sealed = seal_tokens(&Secrets::with(&keys(1, &[])), &prod, &tokens).unwrap();
        let (alone, both) = (Secrets::with(&keys(2, &[])), Secrets::with(&keys(2, &[1])));
        assert!(open_tokens(&alone, &prod, &sealed).is_err());
        assert_eq!(open_tokens(&both, &prod, &sealed).unwrap(), tokens);
        let anew = seal_anew(&both, &prod, false, &sealed).unwrap();
        assert_eq!(open_tokens(&alone, &prod, &anew).unwrap(), tokens);
        assert!(seal_anew(&both, &prod, true, &sealed).is_err(), "it is no kubeconfig");
    }

    #[test]
    fn tokens_open_for_their_cluster_alone() {
        let secrets = Secrets::new(&MasterKey::from_bytes([1; 32]));
        let (prod, lab) = ("prod".parse().unwrap(), "lab".parse().unwrap());
        let tokens = Tokens::generate().unwrap();
        let sealed = seal_tokens(&secrets, &prod, &tokens).unwrap();
        assert!(!String::from_utf8_lossy(&sealed).contains("tb_server_"));
        assert_eq!(open_tokens(&secrets, &prod, &sealed).unwrap(), tokens);
        assert!(open_tokens(&secrets, &lab, &sealed).is_err());
        assert!(open_access(&secrets, &prod, &sealed).is_err());
        let other = Secrets::new(&MasterKey::from_bytes([2; 32]));
        assert!(open_tokens(&other, &prod, &sealed).is_err());
    }
}
