//! `manifest.json`: which files make a version of the operating system.

use serde::{Deserialize, Serialize};
use thirdboot_lifecycle::Arch;
use thirdboot_render::{AssetNames, FileName, InvalidFileName};

/// The longest name of a file or version.
const MAX_NAME_LEN: usize = 200;

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AssetRole {
    /// The live kernel.
    Kernel,
    /// The live initramfs.
    Initramfs,
    /// The live root file system.
    Rootfs,
    /// A disk image.
    Image,
    /// Its signature.
    ImageSignature,
}

/// The files of one version. Kept with each run, so that a run is served one version only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Fedora CoreOS version; the folder's name.
    pub version: String,
    /// Architecture, as Fedora CoreOS names it.
    pub arch: String,
    files: Files,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Files {
    kernel: AssetFile,
    initramfs: AssetFile,
    rootfs: AssetFile,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image: Option<AssetFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image_signature: Option<AssetFile>,
}

/// One file of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetFile {
    /// Its name in the version's folder and in URLs.
    pub name: String,
    /// Its SHA-256 in hex.
    pub sha256: String,
    /// Its length in bytes.
    pub size: u64,
}

/// A name that is one step of a path and nothing else.
pub(super) fn is_plain_name(name: &str) -> bool {
    (1..=MAX_NAME_LEN).contains(&name.len())
        && !name.starts_with('.')
        && name
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-' | b'+'))
}

impl Manifest {
    /// Every file with its role.
    pub fn files(&self) -> impl Iterator<Item = (AssetRole, &AssetFile)> {
        let files = &self.files;
        [
            (AssetRole::Kernel, Some(&files.kernel)),
            (AssetRole::Initramfs, Some(&files.initramfs)),
            (AssetRole::Rootfs, Some(&files.rootfs)),
            (AssetRole::Image, files.image.as_ref()),
            (AssetRole::ImageSignature, files.image_signature.as_ref()),
        ]
        .into_iter()
        .filter_map(|(role, file)| file.map(|file| (role, file)))
    }

    /// The file of that name. The signature answers to the image's name with `.sig`, too: the installer asks for that.
    pub(crate) fn named(&self, name: &str) -> Option<(AssetRole, &AssetFile)> {
        let signed = name.strip_suffix(".sig");
        self.files().find(|(role, file)| {
            let is_its_signature = *role == AssetRole::ImageSignature
                && signed.is_some()
                && self.files.image.as_ref().map(|image| image.name.as_str()) == signed;
            file.name == name || is_its_signature
        })
    }

    /// The names that scripts and configs carry.
    pub(crate) fn names(&self) -> Result<AssetNames, InvalidFileName> {
        let files = &self.files;
        Ok(AssetNames {
            version: self.version.clone(),
            kernel: FileName::parse(&files.kernel.name)?,
            initramfs: FileName::parse(&files.initramfs.name)?,
            rootfs: FileName::parse(&files.rootfs.name)?,
            image: files
                .image
                .as_ref()
                .map(|file| FileName::parse(&file.name))
                .transpose()?,
        })
    }

    /// What is wrong with it, if anything.
    pub(super) fn check(&self, arch: Arch, version: Option<&str>) -> Result<(), String> {
        if self.arch != arch.as_str() {
            return Err(format!("arch is {}, expected {}", self.arch, arch.as_str()));
        }
        if let Some(version) = version.filter(|version| *version != self.version) {
            return Err(format!("version is {}, expected {version}", self.version));
        }
        if !is_plain_name(&self.version) {
            return Err(format!("version {:?} is not the name of a folder", self.version));
        }
        for (_, file) in self.files() {
            if !is_plain_name(&file.name) {
                return Err(format!("{:?} is not the name of a file", file.name));
            }
            if file.sha256.len() != 64 || !file.sha256.bytes().all(|c| c.is_ascii_hexdigit()) {
                return Err(format!("sha256 of {} is not 64 hex digits", file.name));
            }
            if file.size == 0 {
                return Err(format!("{} is empty", file.name));
            }
        }
        if self.files.image.is_some() != self.files.image_signature.is_some() {
            return Err("expected image and image-signature, or neither: the installer checks one by the other".into());
        }
        self.names().map(|_| ()).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(name: &str) -> Manifest {
        let file = |name: &str| serde_json::json!({"name": name, "sha256": "a5".repeat(32), "size": 1});
        let files = serde_json::json!({"kernel": file(name), "initramfs": file("i"), "rootfs": file("r")});
        serde_json::from_value(serde_json::json!({"version": "43.1", "arch": "x86_64", "files": files})).unwrap()
    }

    #[test]
    fn a_file_is_found_by_its_name_only() {
        let manifest = manifest("k.x86_64");
        assert!(manifest.check(Arch::X86_64, None).is_ok());
        assert_eq!(manifest.named("k.x86_64").unwrap().0, AssetRole::Kernel);
        assert!(manifest.named("kernel").is_none());
    }

    #[test]
    fn a_signature_answers_to_its_images_name() {
        let mut manifest = manifest("k");
        let file = |name: &str| AssetFile {
            name: name.into(),
            sha256: "a5".repeat(32),
            size: 1,
        };
        manifest.files.image = Some(file("disk.xz"));
        assert!(
            manifest.check(Arch::X86_64, None).is_err(),
            "an image without its signature"
        );
        manifest.files.image_signature = Some(file("signature"));
        assert!(manifest.check(Arch::X86_64, None).is_ok());
        for name in ["disk.xz.sig", "signature"] {
            assert_eq!(manifest.named(name).unwrap().0, AssetRole::ImageSignature);
        }
        assert!(manifest.named("k.sig").is_none() && manifest.named(".sig").is_none());
    }

    #[test]
    fn a_name_that_leaves_the_folder_is_refused() {
        for name in ["../k", "a/b", "/etc/passwd", ".hidden", "", "a\\b", "a b", "ä"] {
            assert!(manifest(name).check(Arch::X86_64, None).is_err(), "{name:?}");
        }
        assert!(manifest("k").check(Arch::Aarch64, None).is_err());
        assert!(manifest("k").check(Arch::X86_64, Some("43.2")).is_err());
    }
}
