//! Reading a newc cpio archive, as the kernel unpacks an initrd.

use anyhow::{Context, Result, bail, ensure};

/// One file of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path in the initramfs.
    pub name: String,
    /// Type and permission bits.
    pub mode: u32,
    /// Its owner's number.
    pub uid: u32,
    /// Its content.
    pub data: Vec<u8>,
}

/// Length of a newc header: the magic and thirteen fields of eight hex digits.
const HEADER: usize = 6 + 13 * 8;

/// Reads every entry up to the trailer.
///
/// # Errors
/// When the kernel would not unpack it: wrong magic, cut short, no trailer, or a size that is
/// no multiple of four, which on UEFI hides whatever initrd follows.
pub fn read(archive: &[u8]) -> Result<Vec<Entry>> {
    ensure!(
        archive.len().is_multiple_of(4),
        "{} bytes: not padded to a multiple of 4",
        archive.len()
    );
    let mut entries = Vec::new();
    let mut at = 0;
    loop {
        let header = cut(archive, at, HEADER).context("header")?;
        ensure!(&header[..6] == b"070701", "no newc magic at byte {at}");
        let field = |n: usize| -> Result<u32> {
            let digits = std::str::from_utf8(&header[6 + n * 8..14 + n * 8])?;
            u32::from_str_radix(digits, 16).with_context(|| format!("field {n}: {digits:?}"))
        };
        let (size, name_size) = (field(6)? as usize, field(11)? as usize);
        let name = cut(archive, at + HEADER, name_size).context("name")?;
        let Some((0, name)) = name.split_last() else {
            bail!("name at byte {at} does not end in NUL");
        };
        let name = String::from_utf8(name.to_vec())?;
        let start = (at + HEADER + name_size).next_multiple_of(4);
        if name == "TRAILER!!!" {
            return Ok(entries);
        }
        let data = cut(archive, start, size).context("data")?.to_vec();
        entries.push(Entry {
            name,
            mode: field(1)?,
            uid: field(2)?,
            data,
        });
        at = (start + size).next_multiple_of(4);
    }
}

fn cut(bytes: &[u8], from: usize, length: usize) -> Result<&[u8]> {
    from.checked_add(length)
        .and_then(|end| bytes.get(from..end))
        .with_context(|| format!("cut short at byte {from}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, mode: u32, data: &[u8]) -> Vec<u8> {
        let mut out = format!(
            "070701{:08X}{mode:08X}{}{:08X}{}{:08X}{:08X}",
            1,
            "00000000".repeat(4),
            data.len(),
            "00000000".repeat(4),
            name.len() + 1,
            0
        )
        .into_bytes();
        out.extend(name.as_bytes());
        out.push(0);
        out.resize(out.len().next_multiple_of(4), 0);
        out.extend(data);
        out.resize(out.len().next_multiple_of(4), 0);
        out
    }

    #[test]
    fn reads_what_an_initrd_carries() {
        let mut archive = record("config.ign", 0o100_600, b"{}!");
        archive.extend(record("TRAILER!!!", 0, b""));
        let entries = read(&archive).unwrap();
        assert_eq!(entries.len(), 1);
        assert_eq!(entries[0].name, "config.ign");
        assert_eq!(entries[0].mode, 0o100_600);
        assert_eq!(entries[0].data, b"{}!");
    }

    #[test]
    fn refuses_what_the_kernel_would_not_unpack() {
        let whole = record("config.ign", 0o100_600, b"{}");
        assert!(read(&whole).is_err(), "no trailer");
        assert!(read(&whole[..whole.len() - 4]).is_err(), "cut short");
        assert!(read(b"{}").is_err(), "not an archive");
    }
}
