//! Fedora CoreOS stream metadata: which files make the latest version, and the same document for who asks our mirror.
//!
//! Only `architectures.<arch>.artifacts.metal` is looked at; `location` is used as it stands, since files were renamed
//! between releases.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use thirdboot_lifecycle::Arch;

use super::manifest::{AssetRole, is_plain_name};
use super::release::Release;

/// As much of a stream's document as is needed.
#[derive(Debug, Deserialize)]
pub(super) struct Stream {
    stream: String,
    architectures: BTreeMap<String, Architecture>,
}

#[derive(Debug, Deserialize)]
struct Architecture {
    artifacts: Artifacts,
}

#[derive(Debug, Deserialize)]
struct Artifacts {
    metal: Option<Metal>,
}

#[derive(Debug, Deserialize)]
struct Metal {
    release: String,
    formats: BTreeMap<String, BTreeMap<String, Artifact>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Artifact {
    location: String,
    #[serde(default)]
    signature: String,
    sha256: String,
    uncompressed_sha256: Option<String>,
}

/// A file that a pull downloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// What it is for.
    pub(super) role: AssetRole,
    /// Format and artifact, as the document names them.
    pub(super) format: &'static str,
    pub(super) artifact: &'static str,
    /// Where it is.
    pub(super) location: reqwest::Url,
    /// Its name there, and here.
    pub(super) name: String,
    /// Where its signature is, if it has one.
    pub(super) signature: Option<reqwest::Url>,
    /// In lower-case hex.
    pub(super) sha256: String,
    pub(super) uncompressed_sha256: Option<String>,
}

/// What a version is made of.
#[derive(Debug)]
pub(super) struct Latest {
    pub(super) version: String,
    pub(super) files: Vec<Wanted>,
}

pub(super) const PXE: [(AssetRole, &str); 3] = [
    (AssetRole::Kernel, "kernel"),
    (AssetRole::Initramfs, "initramfs"),
    (AssetRole::Rootfs, "rootfs"),
];

impl Stream {
    /// Reads a document; the error says what is not as it must be.
    pub(super) fn read(bytes: &[u8], name: &str) -> Result<Self, String> {
        let stream: Self = serde_json::from_slice(bytes).map_err(|error| format!("no stream metadata: {error}"))?;
        if stream.stream == name {
            Ok(stream)
        } else {
            Err(format!(
                "it describes the stream {:?}, expected {name:?}",
                stream.stream
            ))
        }
    }

    /// The latest version for an architecture.
    pub(super) fn latest(&self, arch: Arch, with_image: bool) -> Result<Latest, String> {
        let known = || self.architectures.keys().cloned().collect::<Vec<_>>().join(", ");
        let metal = self
            .architectures
            .get(arch.as_str())
            .ok_or_else(|| format!("it has no architecture {}: expected one of {}", arch.as_str(), known()))?
            .artifacts
            .metal
            .as_ref()
            .ok_or_else(|| format!("it has no artifacts.metal for {}", arch.as_str()))?;
        if !is_plain_name(&metal.release) {
            return Err(format!("release {:?} is not the name of a folder", metal.release));
        }
        let mut files = Vec::new();
        for (role, artifact) in PXE {
            files.push(metal.wanted(role, "pxe", artifact)?);
        }
        if with_image {
            files.push(metal.wanted(AssetRole::Image, "raw.xz", "disk")?);
        }
        Ok(Latest {
            version: metal.release.clone(),
            files,
        })
    }
}

impl Metal {
    fn wanted(&self, role: AssetRole, format: &'static str, artifact: &'static str) -> Result<Wanted, String> {
        let at = format!("metal.formats[{format:?}].{artifact}");
        let found = self
            .formats
            .get(format)
            .and_then(|artifacts| artifacts.get(artifact))
            .ok_or_else(|| format!("{at} is missing"))?;
        let location = http_url(&found.location).ok_or_else(|| format!("{at}.location is no URL"))?;
        let name = location
            .path_segments()
            .and_then(|mut segments| segments.next_back().map(str::to_owned))
            .filter(|name| is_plain_name(name))
            .ok_or_else(|| format!("{at}.location does not end in the name of a file"))?;
        let sha256 = found.sha256.to_ascii_lowercase();
        if !is_sha256(&sha256) {
            return Err(format!("{at}.sha256 is not 64 hex digits"));
        }
        let signature = match found.signature.as_str() {
            "" => None,
            url => Some(http_url(url).ok_or_else(|| format!("{at}.signature is no URL"))?),
        };
        Ok(Wanted {
            role,
            format,
            artifact,
            location,
            name,
            signature,
            sha256,
            uncompressed_sha256: found.uncompressed_sha256.clone(),
        })
    }
}

fn http_url(text: &str) -> Option<reqwest::Url> {
    reqwest::Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// Whether it is a SHA-256 in hex.
pub(super) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|c| c.is_ascii_hexdigit())
}

/// The document of a stream whose files are at `base`, as `coreos-installer` reads it.
pub(crate) fn document(stream: &str, releases: &[Release], base: &str) -> Value {
    let architectures: serde_json::Map<String, Value> = releases
        .iter()
        .map(|release| (release.arch.clone(), architecture(release, base)))
        .collect();
    json!({
        "stream": stream,
        "metadata": {"generator": concat!("thirdboot ", env!("CARGO_PKG_VERSION"))},
        "architectures": architectures,
    })
}

fn architecture(release: &Release, base: &str) -> Value {
    let url = |name: &str| format!("{base}/mirror/{}/{}/{name}", release.arch, release.version);
    let mut formats = json!({});
    for file in &release.files {
        let mut artifact = json!({
            "location": url(&file.file.name),
            // Whoever asks for a signature that upstream has not gets 404.
            "signature": url(&format!("{}.sig", file.file.name)),
            "sha256": file.file.sha256,
        });
        if let Some(sha256) = &file.uncompressed_sha256 {
            artifact["uncompressed-sha256"] = sha256.as_str().into();
        }
        formats[&file.format][&file.artifact] = artifact;
    }
    json!({"artifacts": {"metal": {"release": release.version, "formats": formats}}})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Value {
        let artifact = |name: &str| {
            json!({
                "location": format!("https://builds.example/prod/{name}"),
                "signature": format!("https://builds.example/prod/{name}.sig"),
                "sha256": "AB".repeat(32),
            })
        };
        let pxe = json!({"kernel": artifact("live-kernel.x86_64"), "initramfs": artifact("i.img"), "rootfs": artifact("r.img")});
        let metal = json!({"release": "43.1", "formats": {"pxe": pxe, "raw.xz": {"disk": artifact("m.raw.xz")}, "iso": {"disk": artifact("l.iso")}}});
        json!({"stream": "stable", "metadata": {"last-modified": "2026-09-01T00:00:00Z"},
            "architectures": {"x86_64": {"artifacts": {"metal": metal, "aws": {"release": "43.1", "formats": {}}}, "images": {}}}})
    }

    fn latest(document: &Value, with_image: bool) -> Result<Latest, String> {
        Stream::read(document.to_string().as_bytes(), "stable")?.latest(Arch::X86_64, with_image)
    }

    #[test]
    fn the_files_of_the_latest_version_are_found() {
        let found = latest(&sample(), true).unwrap();
        assert_eq!(found.version, "43.1");
        let names: Vec<_> = found.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["live-kernel.x86_64", "i.img", "r.img", "m.raw.xz"]);
        assert_eq!(found.files[0].sha256, "ab".repeat(32));
        assert_eq!(latest(&sample(), false).unwrap().files.len(), 3);
    }

    #[test]
    fn what_is_not_as_it_must_be_is_named() {
        let kernel = "/architectures/x86_64/artifacts/metal/formats/pxe/kernel";
        let cases = [
            ("/stream", json!("testing"), "the stream \"testing\""),
            ("/architectures", json!({}), "no architecture x86_64"),
            ("/architectures/x86_64/artifacts", json!({}), "no artifacts.metal"),
            (
                "/architectures/x86_64/artifacts/metal/release",
                json!("../43"),
                "name of a folder",
            ),
            (
                "/architectures/x86_64/artifacts/metal/formats/pxe",
                json!({}),
                "kernel is missing",
            ),
            (
                &format!("{kernel}/location"),
                json!("file:///etc/passwd"),
                "location is no URL",
            ),
            (
                &format!("{kernel}/location"),
                json!("https://x.example/a/.hidden"),
                "name of a file",
            ),
            (&format!("{kernel}/sha256"), json!("12"), "64 hex digits"),
            (&format!("{kernel}/signature"), json!("nowhere"), "signature is no URL"),
        ];
        for (at, value, expected) in cases {
            let mut document = sample();
            *document.pointer_mut(at).unwrap() = value;
            let error = latest(&document, false).unwrap_err();
            assert!(error.contains(expected), "{at}: {error}");
        }
    }
}
