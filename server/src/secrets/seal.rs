//! Documents are kept sealed: a copy of the database alone gives away no run's secrets.

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use thirdboot_lifecycle::RunNumber;
use thirdboot_store::{DocumentKind, HostId};

use super::Secrets;

/// First byte of what is sealed: how it was done.
const FORMAT: u8 = 1;
const NONCE_LEN: usize = 24;
/// Configs are text and shrink to a fifth; higher levels gain little.
const ZSTD_LEVEL: i32 = 3;
/// No document is larger; a damaged length must not fill the memory.
const MAX_DOCUMENT_BYTES: usize = 64 << 20;

/// The key of one cipher, derived from the master key.
#[derive(Clone)]
pub(super) struct SealingKey(XChaCha20Poly1305);

impl SealingKey {
    pub(super) fn derive(mut mac: Hmac<Sha256>) -> Self {
        mac.update(b"thirdboot/1 sealing of documents");
        Self(XChaCha20Poly1305::new(&mac.finalize().into_bytes()))
    }
}

/// A document that cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The system gave no random numbers, or the document is too large.
    #[error("the document cannot be sealed: {0}")]
    Seal(&'static str),
    /// Damaged, of another host or run, or sealed with another master key.
    #[error("the document cannot be opened: it is damaged, or was sealed with another master key")]
    Open,
}

/// What a sealed document belongs to: it opens nowhere else.
fn belongs_to(host: HostId, run: RunNumber, kind: DocumentKind) -> Vec<u8> {
    let mut data = host.0.to_be_bytes().to_vec();
    data.extend(run.0.to_be_bytes());
    data.extend(kind.as_str().as_bytes());
    data
}

/// A caller's name has no such byte.
fn answer_to(caller: &str, key: &str) -> Vec<u8> {
    format!("answer\0{caller}\0{key}").into_bytes()
}

impl Secrets {
    /// Compresses and encrypts a document of a run.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn seal(&self, host: HostId, run: RunNumber, kind: DocumentKind, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        self.seal_at(&belongs_to(host, run, kind), plain)
    }

    /// The document that was sealed for this host, run and kind.
    ///
    /// # Errors
    /// When it is damaged, belongs elsewhere, or was sealed with another key.
    pub fn unseal(
        &self,
        host: HostId,
        run: RunNumber,
        kind: DocumentKind,
        sealed: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        self.unseal_at(&belongs_to(host, run, kind), sealed)
    }

    /// Compresses and encrypts the answer to the request of this caller with this Idempotency-Key.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn seal_answer(&self, caller: &str, key: &str, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        self.seal_at(&answer_to(caller, key), plain)
    }

    /// The answer that was sealed for this caller and key.
    ///
    /// # Errors
    /// As [`Secrets::unseal`].
    pub fn unseal_answer(&self, caller: &str, key: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        self.unseal_at(&answer_to(caller, key), sealed)
    }

    /// Compresses and encrypts what opens at this place alone.
    pub(crate) fn seal_at(&self, place: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealError> {
        if plain.len() > MAX_DOCUMENT_BYTES {
            return Err(SealError::Seal("too large"));
        }
        let packed = zstd::bulk::compress(plain, ZSTD_LEVEL).map_err(|_| SealError::Seal("compression failed"))?;
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|_| SealError::Seal("the system has no random numbers"))?;
        let payload = Payload {
            msg: &packed,
            aad: place,
        };
        let cipher = self.sealing_key.0.encrypt(&XNonce::from(nonce), payload);
        let cipher = cipher.map_err(|_| SealError::Seal("encryption failed"))?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + cipher.len());
        sealed.push(FORMAT);
        sealed.extend(nonce);
        sealed.extend(cipher);
        Ok(sealed)
    }

    /// What was sealed at this place.
    pub(crate) fn unseal_at(&self, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (&format, rest) = sealed.split_first().ok_or(SealError::Open)?;
        let (nonce, cipher) = rest.split_first_chunk::<NONCE_LEN>().ok_or(SealError::Open)?;
        if format != FORMAT {
            return Err(SealError::Open);
        }
        let former = self.former.iter().map(|former| &former.sealing_key);
        let packed = std::iter::once(&self.sealing_key)
            .chain(former)
            .find_map(|key| {
                let payload = Payload {
                    msg: cipher,
                    aad: place,
                };
                key.0.decrypt(&XNonce::from(*nonce), payload).ok()
            })
            .ok_or(SealError::Open)?;
        zstd::bulk::decompress(&packed, MAX_DOCUMENT_BYTES).map_err(|_| SealError::Open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::MasterKey;

    #[test]
    fn a_document_opens_where_it_belongs_and_nowhere_else() {
        let secrets = Secrets::new(&MasterKey::from_bytes([1; 32]));
        let plain = b"{\"ignition\":{}}".repeat(100);
        let sealed = secrets
            .seal(HostId(1), RunNumber(2), DocumentKind::Live, &plain)
            .unwrap();
        assert!(sealed.len() < plain.len());
        let open = |host, run, kind| secrets.unseal(HostId(host), RunNumber(run), kind, &sealed);
        assert_eq!(open(1, 2, DocumentKind::Live).unwrap(), plain);
        assert!(open(2, 2, DocumentKind::Live).is_err());
        assert!(open(1, 3, DocumentKind::Live).is_err());
        assert!(open(1, 2, DocumentKind::Assets).is_err());
        let other = Secrets::new(&MasterKey::from_bytes([2; 32]));
        assert!(
            other
                .unseal(HostId(1), RunNumber(2), DocumentKind::Live, &sealed)
                .is_err()
        );
    }

    #[test]
    fn damage_is_noticed() {
        let secrets = Secrets::new(&MasterKey::from_bytes([1; 32]));
        let sealed = secrets.seal(HostId(1), RunNumber(2), DocumentKind::Live, b"x").unwrap();
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert!(
                secrets
                    .unseal(HostId(1), RunNumber(2), DocumentKind::Live, &damaged)
                    .is_err(),
                "{at}"
            );
        }
        assert!(
            secrets
                .unseal(HostId(1), RunNumber(2), DocumentKind::Live, &[])
                .is_err()
        );
    }
}
