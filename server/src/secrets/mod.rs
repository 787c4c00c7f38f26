//! Secrets are derived from one master key, never stored; whatever stands in the log or the database is redacted or
//! sealed.

mod base32;
mod keys;
mod master_key;
mod redact;
mod seal;

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use thirdboot_lifecycle::RunNumber;
use thirdboot_store::HostId;

pub use keys::{FormerKey, Keys, MASTER_KEY_VARIABLE};
pub(crate) use master_key::is_private;
pub use master_key::{MasterKey, write_private};
pub use redact::redact;
pub use seal::SealError;

/// Bytes of a secret that say whose it is: host 8, run 4, key generation 2.
const CLAIM_LEN: usize = 14;
/// Bytes of the HMAC that follow: 144 bits are beyond guessing, and 32 bytes in all make 52 characters.
const TAG_LEN: usize = 18;
const RAW_LEN: usize = CLAIM_LEN + TAG_LEN;

/// What a secret is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Per host, in its iPXE URL.
    Boot,
    /// Per host, in its FleetLock path.
    Lock,
    /// Per run: configs and assets.
    Conf,
    /// Per run: live reports and the claim.
    Live,
    /// Per run: reports of the installed system, and its join.
    Host,
    /// Per run: what its join names to be fetched.
    Join,
}

impl Purpose {
    /// The word in the secret.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Boot => "boot",
            Self::Lock => "lock",
            Self::Conf => "conf",
            Self::Live => "live",
            Self::Host => "host",
            Self::Join => "join",
        }
    }
}

/// A secret as text. It shows itself only to who calls [`Secret::expose`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    purpose: &'static str,
    text: String,
}

impl Secret {
    /// The text, for a URL, a header or a sealed document.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tb_{}_[redacted]", self.purpose)
    }
}

/// What a genuine secret says. Whether it is still good is for the caller to compare with the host's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opened {
    /// Whose.
    pub host: HostId,
    /// Of which run; 0 where it belongs to the host.
    pub run: RunNumber,
    /// The host's key generation it was made with.
    pub generation: u16,
    /// Made with a master key that was rotated away then: good for nothing that began later.
    pub rotated_at: Option<Timestamp>,
}

fn claim_bytes(host: HostId, run: RunNumber, generation: u16) -> [u8; CLAIM_LEN] {
    let mut bytes = [0; CLAIM_LEN];
    bytes[..8].copy_from_slice(&host.0.to_be_bytes());
    bytes[8..12].copy_from_slice(&run.0.to_be_bytes());
    bytes[12..].copy_from_slice(&generation.to_be_bytes());
    bytes
}

impl Opened {
    /// Whether a run that was armed then can have been given this secret: one of a former key belongs to runs from
    /// before the rotation only, whoever may have copied that key.
    pub fn fits_run_armed_at(&self, armed_at: Timestamp) -> bool {
        self.rotated_at.is_none_or(|rotated_at| armed_at <= rotated_at)
    }

    fn from_bytes(bytes: &[u8; CLAIM_LEN], rotated_at: Option<Timestamp>) -> Self {
        let number =
            |range: std::ops::Range<usize>| bytes[range].iter().fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
        Self {
            host: HostId(number(0..8)),
            run: RunNumber(u32::try_from(number(8..12)).unwrap_or_default()),
            generation: u16::try_from(number(12..14)).unwrap_or_default(),
            rotated_at,
        }
    }
}

/// Random text that nobody guesses, for tokens.
///
/// # Errors
/// When the system has no random numbers.
pub fn random_text() -> anyhow::Result<String> {
    let mut bytes = [0; RAW_LEN];
    getrandom::fill(&mut bytes)?;
    Ok(base32::LOWER.encode(&bytes))
}

/// Makes and opens every secret, and seals what is kept.
#[derive(Clone)]
pub struct Secrets {
    // Keyed once: a request costs two rounds of SHA-256, not four.
    mac: Hmac<Sha256>,
    sealing_key: seal::SealingKey,
    former: Arc<[Former]>,
}

/// A master key of before.
struct Former {
    mac: Hmac<Sha256>,
    sealing_key: seal::SealingKey,
    rotated_at: Timestamp,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

impl Secrets {
    /// Derives from this key.
    pub fn new(key: &MasterKey) -> Self {
        let mac = key.hmac();
        let sealing_key = seal::SealingKey::derive(mac.clone());
        Self {
            mac,
            sealing_key,
            former: Arc::default(),
        }
    }

    /// Derives from the present key, and opens what former ones made.
    pub fn with(keys: &Keys) -> Self {
        let former = keys.former.iter().map(|former| {
            let mac = former.key.hmac();
            Former {
                sealing_key: seal::SealingKey::derive(mac.clone()),
                mac,
                rotated_at: former.rotated_at,
            }
        });
        Self {
            former: former.collect(),
            ..Self::new(&keys.present)
        }
    }

    /// The secret of a host or run: the same every time.
    pub fn derive(&self, purpose: Purpose, host: HostId, run: RunNumber, generation: u16) -> Secret {
        let claim = claim_bytes(host, run, generation);
        let mut raw = [0; RAW_LEN];
        raw[..CLAIM_LEN].copy_from_slice(&claim);
        raw[CLAIM_LEN..].copy_from_slice(&tag_of(&self.mac, purpose, &claim));
        let mut text = String::with_capacity(60);
        text.push_str("tb_");
        text.push_str(purpose.as_str());
        text.push('_');
        base32::LOWER.encode_append(&raw, &mut text);
        Secret {
            purpose: purpose.as_str(),
            text,
        }
    }

    /// What a secret of this purpose says, if it is genuine. Stateless, and no faster for a good guess than for a bad one.
    pub fn open(&self, purpose: Purpose, text: &str) -> Option<Opened> {
        let opaque = text
            .strip_prefix("tb_")?
            .strip_prefix(purpose.as_str())?
            .strip_prefix('_')?;
        if opaque.len() != base32::TEXT_LEN {
            return None;
        }
        let mut raw = [0; base32::DECODED_LEN];
        let decoded = base32::LOWER.decode_mut(opaque.as_bytes(), &mut raw).ok()?;
        let (claim, tag) = raw.get(..decoded)?.split_first_chunk::<CLAIM_LEN>()?;
        let is_by = |mac: &Hmac<Sha256>| bool::from(tag_of(mac, purpose, claim).ct_eq(tag));
        if is_by(&self.mac) {
            return Some(Opened::from_bytes(claim, None));
        }
        let former = self.former.iter().find(|former| is_by(&former.mac))?;
        Some(Opened::from_bytes(claim, Some(former.rotated_at)))
    }
}

fn tag_of(mac: &Hmac<Sha256>, purpose: Purpose, claim: &[u8; CLAIM_LEN]) -> [u8; TAG_LEN] {
    let mut mac = mac.clone();
    mac.update(b"thirdboot/1");
    mac.update(purpose.as_str().as_bytes());
    mac.update(claim);
    let full = mac.finalize().into_bytes();
    let mut tag = [0; TAG_LEN];
    tag.copy_from_slice(&full[..TAG_LEN]);
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(byte: u8) -> Secrets {
        Secrets::new(&MasterKey::from_bytes([byte; 32]))
    }

    #[test]
    fn a_secret_says_whose_it_is() {
        let secrets = secrets(1);
        let secret = secrets.derive(Purpose::Conf, HostId(7), RunNumber(3), 2);
        assert_eq!(secret.expose().len(), "tb_conf_".len() + 52);
        assert_eq!(
            secrets.open(Purpose::Conf, secret.expose()),
            Some(Opened {
                host: HostId(7),
                run: RunNumber(3),
                generation: 2,
                rotated_at: None
            })
        );
        assert_eq!(secrets.derive(Purpose::Conf, HostId(7), RunNumber(3), 2), secret);
    }

    #[test]
    fn a_secret_is_good_for_one_purpose_only() {
        let secrets = secrets(1);
        let live = secrets.derive(Purpose::Live, HostId(7), RunNumber(3), 0);
        assert_eq!(secrets.open(Purpose::Host, live.expose()), None);
        assert_eq!(
            secrets.open(Purpose::Host, &live.expose().replace("_live_", "_host_")),
            None
        );
    }

    #[test]
    fn another_key_or_a_changed_character_opens_nothing() {
        let (ours, theirs) = (secrets(1), secrets(2));
        let secret = ours.derive(Purpose::Boot, HostId(1), RunNumber(0), 0);
        assert_eq!(theirs.open(Purpose::Boot, secret.expose()), None);
        for at in "tb_boot_".len()..secret.expose().len() {
            let mut bytes = secret.expose().as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'a' { b'b' } else { b'a' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(ours.open(Purpose::Boot, &changed), None, "{changed}");
        }
        for text in [
            "",
            "tb_boot_",
            "tb_boot_a",
            "boot",
            &secret.expose().to_uppercase(),
            &format!("{}a", secret.expose()),
        ] {
            assert_eq!(ours.open(Purpose::Boot, text), None, "{text}");
        }
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        let secret = secrets(1).derive(Purpose::Live, HostId(1), RunNumber(1), 0);
        assert_eq!(format!("{secret:?}"), "tb_live_[redacted]");
    }
}
