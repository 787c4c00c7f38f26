//! Reading Ignition configs as far as a simulated host needs them.

use std::io::Read as _;

use flate2::read::GzDecoder;
use serde_json::Value;
use sha2::{Digest as _, Sha256, Sha512};

use crate::wire::Trouble;

/// A file is not unpacked beyond this many bytes.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// An Ignition config.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Config(Value);

/// Where a pointer points.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Child<'a> {
    /// The config's URL.
    pub(crate) url: &'a str,
    /// Its digest, as `sha512-<hex>` or `sha256-<hex>`.
    pub(crate) hash: Option<&'a str>,
}

impl Config {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Trouble> {
        serde_json::from_slice(bytes)
            .map(Self)
            .map_err(|error| Trouble::unreadable("config", error.to_string()))
    }

    /// The config that this one is replaced by or merged with.
    pub(crate) fn child(&self) -> Option<Child<'_>> {
        let config = self.0.pointer("/ignition/config")?;
        let child = [config.get("replace"), config.pointer("/merge/0")]
            .into_iter()
            .flatten()
            .find(|child| child.get("source").is_some_and(Value::is_string))?;
        Some(Child {
            url: child.get("source")?.as_str()?,
            hash: child.pointer("/verification/hash").and_then(Value::as_str),
        })
    }

    /// The content of a file, if the config writes it.
    pub(crate) fn file(&self, path: &str) -> Result<Option<Vec<u8>>, Trouble> {
        self.files().find(|file| is_at(file, path)).map(content).transpose()
    }

    /// The contents of every file below a folder.
    pub(crate) fn files_below(&self, folder: &str) -> Result<Vec<String>, Trouble> {
        self.files()
            .filter(|file| {
                file.get("path")
                    .and_then(Value::as_str)
                    .is_some_and(|path| path.starts_with(folder))
            })
            .map(|file| content(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
            .collect()
    }

    fn files(&self) -> impl Iterator<Item = &Value> {
        self.0
            .pointer("/storage/files")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    }
}

fn is_at(file: &Value, path: &str) -> bool {
    file.get("path").and_then(Value::as_str) == Some(path)
}

fn content(file: &Value) -> Result<Vec<u8>, Trouble> {
    let source = file
        .pointer("/contents/source")
        .and_then(Value::as_str)
        .unwrap_or("data:,");
    let bytes = data_url(source).ok_or_else(|| Trouble::unreadable("config", "a file whose source is no data URL"))?;
    if file.pointer("/contents/compression").and_then(Value::as_str) != Some("gzip") {
        return Ok(bytes);
    }
    let mut plain = Vec::new();
    GzDecoder::new(bytes.as_slice())
        .take(MAX_FILE_BYTES)
        .read_to_end(&mut plain)
        .map_err(|error| Trouble::unreadable("config", error.to_string()))?;
    Ok(plain)
}

/// The bytes of a `data:` URL (RFC 2397).
fn data_url(url: &str) -> Option<Vec<u8>> {
    let (header, data) = url.strip_prefix("data:")?.split_once(',')?;
    let plain = percent_decoded(data)?;
    if header.ends_with(";base64") {
        data_encoding::BASE64.decode(&plain).ok()
    } else {
        Some(plain)
    }
}

fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            out.extend(data_encoding::HEXUPPER_PERMISSIVE.decode(&digits).ok()?);
        } else {
            out.push(byte);
        }
    }
    Some(out)
}

/// Whether `bytes` have the digest that a pointer names.
pub(crate) fn has_digest(bytes: &[u8], digest: &str) -> bool {
    let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
    match digest.split_once('-') {
        Some(("sha512", expected)) => hex(&Sha512::digest(bytes)) == expected,
        Some(("sha256", expected)) => hex(&Sha256::digest(bytes)) == expected,
        _ => false,
    }
}

/// Hex SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use serde_json::json;

    use super::*;

    fn config(source: &str, compression: Option<&str>) -> Config {
        let contents = json!({"source": source, "compression": compression});
        Config(json!({"storage": {"files": [{"path": "/etc/other"}, {"path": "/etc/a", "contents": contents}]}}))
    }

    #[test]
    fn a_file_is_read_however_it_is_written() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(b"A=1\n").unwrap();
        let gzip = data_encoding::BASE64.encode(&gzip.finish().unwrap());
        for (source, compression) in [
            ("data:,A%3D1%0a".to_owned(), None),
            ("data:text/plain;charset=utf-8;base64,QT0xCg==".to_owned(), Some("")),
            (format!("data:;base64,{gzip}"), Some("gzip")),
        ] {
            let file = config(&source, compression).file("/etc/a").unwrap();
            assert_eq!(file.as_deref(), Some(&b"A=1\n"[..]), "{source}");
        }
    }

    #[test]
    fn an_empty_file_has_no_source() {
        assert_eq!(config("data:,x", None).file("/etc/other").unwrap(), Some(Vec::new()));
        assert_eq!(config("data:,x", None).file("/etc/none").unwrap(), None);
        assert!(config("http://s/x", None).file("/etc/a").is_err());
        assert!(config("data:,%4", None).file("/etc/a").is_err());
    }

    #[test]
    fn a_pointer_points_by_replace_or_merge() {
        for key in ["replace", "merge"] {
            let child = json!({"source": "http://s/l", "verification": {"hash": "sha256-00"}});
            let child = if key == "merge" { json!([child]) } else { child };
            let pointer = Config(json!({"ignition": {"config": {key: child}}}));
            assert_eq!(
                pointer.child(),
                Some(Child {
                    url: "http://s/l",
                    hash: Some("sha256-00")
                })
            );
        }
        assert_eq!(Config(json!({})).child(), None);
    }

    #[test]
    fn a_digest_is_compared_as_the_pointer_names_it() {
        let sha = sha256(b"x");
        assert!(has_digest(b"x", &format!("sha256-{sha}")) && !has_digest(b"y", &format!("sha256-{sha}")));
        assert!(!has_digest(b"x", &sha) && !has_digest(b"x", "md5-00"));
    }
}
