//! ASCII-armored `OpenPGP` (RFC 9580, section 6): enough of it to tell a whole public key from anything else.

use data_encoding::BASE64;

/// A key file is at most this long, in bytes.
const MAX_BYTES: usize = 64 * 1024;
const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const END: &str = "-----END PGP PUBLIC KEY BLOCK-----";
/// The packet type of a public key (section 5.5.1.1).
const PUBLIC_KEY: u8 = 6;

/// Text that is no public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an OpenPGP public key in ASCII armor, whole and alone: {0}")]
pub struct InvalidKey(&'static str);

/// Whether `text` is one public key, as `gpg --export --armor` writes it.
pub(super) fn check(text: &str) -> Result<(), InvalidKey> {
    if text.len() > MAX_BYTES {
        return Err(InvalidKey("it is longer than 64 KiB"));
    }
    if text.contains("PRIVATE KEY") {
        return Err(InvalidKey("this is a private key"));
    }
    let text = text.trim().replace('\r', "");
    let body = text
        .strip_prefix(BEGIN)
        .ok_or(InvalidKey("it does not begin with BEGIN PGP PUBLIC KEY BLOCK"))?;
    let body = body.strip_suffix(END).ok_or(InvalidKey(
        "it does not end with END PGP PUBLIC KEY BLOCK: it may have been cut",
    ))?;
    // Headers such as `Version:` stand before the first empty line.
    let (headers, data) = body
        .split_once("\n\n")
        .ok_or(InvalidKey("there is no empty line before its data"))?;
    if !headers.lines().all(|line| line.is_empty() || line.contains(": ")) {
        return Err(InvalidKey("a header is not of the form `Name: value`"));
    }
    let (data, sum) = match data.rsplit_once("\n=") {
        Some((data, sum)) => (data, Some(sum)),
        None => (data, None),
    };
    let joined: String = data.split_ascii_whitespace().collect();
    let bytes = BASE64
        .decode(joined.as_bytes())
        .map_err(|_| InvalidKey("its data is not base64"))?;
    if let Some(sum) = sum {
        let expected = BASE64.encode(&crc24(&bytes).to_be_bytes()[1..]);
        if sum.trim() != expected {
            return Err(InvalidKey("its checksum does not fit: it was changed or cut"));
        }
    }
    // The old form of a packet's head has bit 6 clear, and the type in the four bits above the last two.
    let kind = match bytes.first() {
        Some(head) if head & 0xc0 == 0xc0 => head & 0x3f,
        Some(head) if head & 0x80 == 0x80 => head >> 2 & 0x0f,
        _ => return Err(InvalidKey("its data is no OpenPGP packet")),
    };
    if kind == PUBLIC_KEY {
        Ok(())
    } else {
        Err(InvalidKey("its first packet is no public key"))
    }
}

/// The checksum of RFC 9580, section 6.1.1.
fn crc24(bytes: &[u8]) -> u32 {
    let mut crc = 0x00b7_04ce_u32;
    for byte in bytes {
        crc ^= u32::from(*byte) << 16;
        for _ in 0..8 {
            crc <<= 1;
            if crc & 0x0100_0000 != 0 {
                crc ^= 0x0186_4cfb;
            }
        }
    }
    crc & 0x00ff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;

    fn armored(bytes: &[u8], sum: &str) -> String {
        format!("{BEGIN}\nComment: a test\n\n{}\n{sum}{END}\n", BASE64.encode(bytes))
    }

    #[test]
    fn a_whole_public_key_passes() {
        // Heads of a version 4 key in the new and in the old form.
        for head in [0xc6, 0x99] {
            let bytes = [head, 0x04, 4, 0, 0, 1];
            let sum = format!("={}\n", BASE64.encode(&crc24(&bytes).to_be_bytes()[1..]));
            assert_eq!(check(&armored(&bytes, &sum)), Ok(()));
            assert_eq!(check(&armored(&bytes, "").replace('\n', "\r\n")), Ok(()));
        }
        // The check value of this CRC in every catalogue of them.
        assert_eq!(crc24(b"123456789"), 0x21_cf02);
    }

    #[test]
    fn anything_else_is_told_apart() {
        let good = armored(&[0xc6, 4, 4, 0, 0, 1], "");
        let why = |text: &str| check(text).unwrap_err().to_string();
        assert!(why("").contains("does not begin"));
        assert!(why("https://example.net/key.asc").contains("does not begin"));
        assert!(why(&good[..good.len() - 8]).contains("cut"));
        assert!(why(&good.replace("PUBLIC", "PRIVATE")).contains("private key"));
        assert!(why(&good.replace("\n\n", "\n")).contains("empty line"));
        assert!(why(&good.replace("xg", "x*")).contains("not base64"));
        assert!(why(&armored(&[0xc6, 4, 4, 0, 0, 1], "=AAAA\n")).contains("checksum"));
        assert!(why(&armored(&[0xc2, 4, 4, 0, 0, 1], "")).contains("no public key"));
    }
}
