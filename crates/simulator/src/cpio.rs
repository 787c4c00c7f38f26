//! Reading a newc cpio archive, as the kernel unpacks an initrd.

use crate::wire::Trouble;

/// What every newc header begins with.
pub(crate) const MAGIC: &[u8] = b"070701";

/// Length of a newc header: the magic and thirteen fields of eight hex digits.
const HEADER: usize = MAGIC.len() + 13 * 8;

/// Index of the header's fields that matter here.
const FILE_SIZE: usize = 6;
const NAME_SIZE: usize = 11;

/// The content of the file `name`, if the archive has it.
pub(crate) fn file<'a>(archive: &'a [u8], name: &str) -> Result<Option<&'a [u8]>, Trouble> {
    let mut at = 0;
    loop {
        let header = slice(archive, at, HEADER)?;
        if !header.starts_with(MAGIC) {
            return Err(Trouble::unreadable("initrd", format!("no newc header at byte {at}")));
        }
        let field = |n: usize| number(header, MAGIC.len() + n * 8);
        let (size, name_size) = (field(FILE_SIZE)?, field(NAME_SIZE)?);
        let found = slice(archive, at + HEADER, name_size)?;
        let start = (at + HEADER + name_size).next_multiple_of(4);
        match found.strip_suffix(b"\0") {
            Some(b"TRAILER!!!") => return Ok(None),
            Some(found) if found == name.as_bytes() => return slice(archive, start, size).map(Some),
            _ => at = (start + size).next_multiple_of(4),
        }
    }
}

fn number(header: &[u8], at: usize) -> Result<usize, Trouble> {
    let digits = slice(header, at, 8)?;
    std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| usize::from_str_radix(digits, 16).ok())
        .ok_or_else(|| Trouble::unreadable("initrd", format!("no number at byte {at} of a header")))
}

fn slice(bytes: &[u8], from: usize, length: usize) -> Result<&[u8], Trouble> {
    from.checked_add(length)
        .and_then(|end| bytes.get(from..end))
        .ok_or_else(|| Trouble::unreadable("initrd", format!("cut short at byte {from}")))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An archive of regular files.
    pub(crate) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, data) in files.iter().chain([&("TRAILER!!!", &b""[..])]) {
            let mut fields = [0_usize; 13];
            fields[1] = 0o100_600;
            fields[FILE_SIZE] = data.len();
            fields[NAME_SIZE] = name.len() + 1;
            out.extend(MAGIC);
            for field in fields {
                out.extend(format!("{field:08X}").into_bytes());
            }
            out.extend(name.as_bytes());
            out.push(0);
            out.resize(out.len().next_multiple_of(4), 0);
            out.extend(*data);
            out.resize(out.len().next_multiple_of(4), 0);
        }
        out
    }

    #[test]
    fn finds_a_file_among_others() {
        let archive = archive(&[("etc", b"x"), ("config.ign", b"{\"a\":1}")]);
        assert_eq!(file(&archive, "config.ign").unwrap(), Some(&b"{\"a\":1}"[..]));
        assert_eq!(file(&archive, "other").unwrap(), None);
    }

    #[test]
    fn a_cut_or_foreign_archive_is_an_error() {
        let archive = archive(&[("config.ign", b"{}")]);
        for end in [0, 50, 112, archive.len() / 2] {
            assert!(file(&archive[..end], "x").is_err(), "{end}");
        }
        assert!(file(&[0; 200], "x").is_err());
    }
}
