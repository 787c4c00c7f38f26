//! Reading an Ignition document: its files, its child, the child's hash.

use std::io::Read as _;

use anyhow::{Context, Result, bail, ensure};
use data_encoding::{BASE64, HEXLOWER};
use flate2::read::GzDecoder;
use serde_json::Value;
use sha2::{Digest as _, Sha256, Sha512};

/// An Ignition document.
#[derive(Clone, Debug)]
pub struct Config(pub Value);

/// A document that another one names.
#[derive(Clone, Debug)]
pub struct Child {
    /// Where it is.
    pub url: String,
    /// `sha256-…` or `sha512-…` over its bytes.
    pub hash: Option<String>,
}

impl Config {
    /// Parses a document; an empty one is refused, since Ignition would boot unconfigured.
    ///
    /// # Errors
    /// When it is not JSON or has no version.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        ensure!(!bytes.is_empty(), "an empty config boots an unconfigured machine");
        let document: Value = serde_json::from_slice(bytes).context("Ignition document")?;
        let version = document.pointer("/ignition/version").and_then(Value::as_str);
        ensure!(version.is_some_and(|v| v.starts_with("3.")), "version {version:?}");
        Ok(Self(document))
    }

    /// The documents to merge.
    pub fn children(&self) -> Vec<Child> {
        let merge = self.0.pointer("/ignition/config/merge").and_then(Value::as_array);
        let text = |v: &Value, at: &str| v.pointer(at).and_then(Value::as_str).map(str::to_owned);
        merge
            .into_iter()
            .flatten()
            .filter_map(|c| {
                Some(Child {
                    url: text(c, "/source")?,
                    hash: text(c, "/verification/hash"),
                })
            })
            .collect()
    }

    /// The CAs (PEM) that children are fetched with; empty when it names none.
    ///
    /// # Errors
    /// When one is remote: nothing could vouch for it.
    pub fn authorities(&self) -> Result<Vec<u8>> {
        let named = self.0.pointer("/ignition/security/tls/certificateAuthorities");
        let sources = named.and_then(Value::as_array).into_iter().flatten();
        let mut pem = Vec::new();
        for source in sources.filter_map(|ca| ca["source"].as_str()) {
            pem.extend(decode(source, false)?);
        }
        Ok(pem)
    }

    /// The content of a file, decoded.
    ///
    /// # Errors
    /// When there is no such file, its source is remote, or it cannot be decoded.
    pub fn file(&self, path: &str) -> Result<Vec<u8>> {
        let file = self
            .file_node(path)
            .with_context(|| format!("no file {path} in the config"))?;
        let source = file
            .pointer("/contents/source")
            .and_then(Value::as_str)
            .unwrap_or("data:,");
        let gzip = file.pointer("/contents/compression").and_then(Value::as_str) == Some("gzip");
        decode(source, gzip).with_context(|| path.to_owned())
    }

    /// The mode of a file, as Ignition writes it.
    pub fn file_mode(&self, path: &str) -> Option<u64> {
        self.file_node(path)?.get("mode")?.as_u64()
    }

    /// The paths of all files.
    pub fn file_paths(&self) -> Vec<String> {
        let files = self.0.pointer("/storage/files").and_then(Value::as_array);
        let path = |f: &Value| f["path"].as_str().map(str::to_owned);
        files.into_iter().flatten().filter_map(path).collect()
    }

    fn file_node(&self, path: &str) -> Option<&Value> {
        let files = self.0.pointer("/storage/files")?.as_array()?;
        files
            .iter()
            .find(|f| f.get("path").and_then(Value::as_str) == Some(path))
    }

    /// Every source in the document that is not inline.
    pub fn remote_sources(&self) -> Vec<String> {
        let mut found = Vec::new();
        collect_remote(&self.0, &mut found);
        found
    }
}

fn collect_remote(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(source) = map.get("source").and_then(Value::as_str)
                && !source.starts_with("data:")
            {
                found.push(source.to_owned());
            }
            map.values().for_each(|v| collect_remote(v, found));
        }
        Value::Array(list) => list.iter().for_each(|v| collect_remote(v, found)),
        _ => {}
    }
}

/// Decodes a `data:` URL.
fn decode(source: &str, gzip: bool) -> Result<Vec<u8>> {
    let rest = source
        .strip_prefix("data:")
        .with_context(|| format!("remote source {source}"))?;
    let (kind, body) = rest.split_once(',').context("data URL without a comma")?;
    let bytes = percent_decoded(body)?;
    let bytes = if kind.ends_with(";base64") {
        BASE64.decode(&bytes)?
    } else {
        bytes
    };
    if !gzip {
        return Ok(bytes);
    }
    let mut plain = Vec::new();
    GzDecoder::new(bytes.as_slice())
        .read_to_end(&mut plain)
        .context("gzip")?;
    Ok(plain)
}

fn percent_decoded(text: &str) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digits = [
            bytes.next().context("% at the end")?,
            bytes.next().context("% at the end")?,
        ];
        out.push(u8::from_str_radix(std::str::from_utf8(&digits)?, 16)?);
    }
    Ok(out)
}

/// Checks bytes against `sha256-…` or `sha512-…`.
///
/// # Errors
/// When they differ, or the hash is of another kind.
pub fn verify(bytes: &[u8], hash: &str) -> Result<()> {
    let computed = match hash.split_once('-') {
        Some(("sha256", _)) => format!("sha256-{}", sha256(bytes)),
        Some(("sha512", _)) => format!("sha512-{}", HEXLOWER.encode(&Sha512::digest(bytes))),
        _ => bail!("unknown hash {hash}"),
    };
    ensure!(computed == hash, "hash is {computed}, should be {hash}");
    Ok(())
}

/// SHA-256 in lower-case hex.
pub fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn with_file(contents: &Value) -> Config {
        Config(json!({"ignition": {"version": "3.3.0"},
            "storage": {"files": [{"path": "/etc/a", "mode": 384, "contents": contents}]}}))
    }

    #[test]
    fn decodes_every_kind_of_inline_source() {
        for contents in [
            json!({"source": "data:,a%3D1%0A"}),
            json!({"source": "data:;base64,YT0xCg=="}),
            json!({"source": "data:;base64,H4sIAAAAAAACA0u0NeQCABXX5agEAAAA", "compression": "gzip"}),
        ] {
            assert_eq!(with_file(&contents).file("/etc/a").unwrap(), b"a=1\n");
        }
    }

    #[test]
    fn finds_sources_that_need_a_network() {
        let config = with_file(&json!({"source": "http://s/a"}));
        assert_eq!(config.remote_sources(), ["http://s/a"]);
        assert!(config.file("/etc/a").is_err());
    }

    #[test]
    fn an_empty_document_is_refused() {
        assert!(Config::read(b"").is_err());
        assert!(Config::read(b"{}").is_err());
    }

    #[test]
    fn a_changed_byte_fails_the_hash() {
        let hash = format!("sha256-{}", sha256(b"as it was"));
        verify(b"as it was", &hash).unwrap();
        assert!(verify(b"as it is", &hash).is_err());
    }
}
