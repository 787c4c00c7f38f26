//! OpenPGP signatures of downloads, checked against the keys that an operator trusts.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use pgp::composed::{Deserializable as _, DetachedSignature, SignedPublicKey};
use pgp::types::KeyDetails as _;

/// The longest signature file.
pub(super) const MAX_SIGNATURE_BYTES: u64 = 64 << 10;

/// Public keys whose signatures count.
#[derive(Debug)]
pub(crate) struct Keyring(Vec<SignedPublicKey>);

impl Keyring {
    /// Reads a keyring, armored or binary. Every key must be bound to its identities and subkeys by itself.
    ///
    /// # Errors
    /// When it cannot be read, holds no key, or a key's own signatures are wrong.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Self> {
        let at = || format!("the keyring {}", file.display());
        let opened = File::open(file).with_context(at)?;
        let (keys, _) = SignedPublicKey::from_reader_many(BufReader::new(opened)).with_context(at)?;
        let keys: Vec<SignedPublicKey> = keys.collect::<Result<_, _>>().with_context(at)?;
        ensure!(!keys.is_empty(), "{} holds no public key", at());
        for key in &keys {
            key.verify_bindings()
                .with_context(|| format!("{}: key {} is not sound", at(), key.fingerprint()))?;
            ensure!(
                key.details.revocation_signatures.is_empty(),
                "{}: key {} is revoked: take it out",
                at(),
                key.fingerprint()
            );
        }
        Ok(Self(keys))
    }

    /// The fingerprint of the key that signed `file`.
    ///
    /// # Errors
    /// When no key of the ring did.
    pub(crate) fn verify(&self, file: &Path, signature: &[u8]) -> anyhow::Result<String> {
        let is_short = u64::try_from(signature.len()).is_ok_and(|length| length <= MAX_SIGNATURE_BYTES);
        ensure!(is_short, "the signature is too long");
        let (signatures, _) =
            DetachedSignature::from_reader_many(signature).context("the signature is no OpenPGP signature")?;
        let signatures: Vec<DetachedSignature> = signatures
            .collect::<Result<_, _>>()
            .context("the signature is no OpenPGP signature")?;
        for signature in &signatures {
            for key in &self.0 {
                let signers = std::iter::once(key.primary_key.legacy_key_id())
                    .chain(key.public_subkeys.iter().map(|subkey| subkey.key.legacy_key_id()));
                // Only a key that the signature names is worth reading the file for.
                if !signature
                    .signature
                    .issuer_key_id()
                    .iter()
                    .any(|named| signers.clone().any(|signer| signer == **named))
                {
                    continue;
                }
                let data = || -> anyhow::Result<_> { Ok(BufReader::with_capacity(1 << 20, File::open(file)?)) };
                if signature.signature.verify(&key.primary_key, data()?).is_ok() {
                    return Ok(key.fingerprint().to_string());
                }
                for subkey in &key.public_subkeys {
                    let may_sign = subkey.signatures.iter().any(|binding| binding.key_flags().sign());
                    if may_sign && signature.signature.verify(&subkey.key, data()?).is_ok() {
                        return Ok(key.fingerprint().to_string());
                    }
                }
            }
        }
        bail!("no key of the keyring has signed it")
    }

    /// The signature of a file that is small.
    pub(crate) fn read_signature(file: &Path) -> anyhow::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(file)?
            .take(MAX_SIGNATURE_BYTES + 1)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}
