//! Providers: what is asked of them for machines that stand at one, and what they say.
//!
//! What is wanted follows from host and run (`thirdboot_lifecycle::wanted`), and is compared with what the provider
//! shows at every look: a look carries out what differs, may be cut off anywhere, and the next one goes on where it
//! stood. What came of it goes through the one door as [`Submission::AtProvider`](thirdboot_store::Submission). Nothing
//! a provider says changes a run or a boot answer.
//!
//! This is the only room that knows which provider is which.

mod equinix;
mod job;
mod look;
mod options;

use std::sync::Arc;

use thirdboot_lifecycle::Platform;

pub use equinix::TOKEN_VARIABLE as EQUINIX_TOKEN_VARIABLE;
pub(crate) use job::run;
#[cfg(test)]
pub(crate) use look::look_at;
pub use options::PlatformOptions;

use crate::reconciler::Nudge;
use equinix::Driver;

/// The drivers, and what wakes those who use them.
#[derive(Debug, Clone)]
pub struct Platforms {
    equinix: Arc<Driver>,
    /// Has providers asked now.
    pub nudge: Nudge,
}

impl Platforms {
    /// The drivers as they are set.
    ///
    /// # Errors
    /// When a token's file cannot be used, or an address is none that a token may be sent to.
    pub fn new(options: &PlatformOptions) -> anyhow::Result<Self> {
        Ok(Self {
            equinix: Arc::new(Driver::new(options)?),
            nudge: Nudge::default(),
        })
    }

    fn driver(&self, platform: Platform) -> Option<&Driver> {
        match platform {
            Platform::Metal => None,
            Platform::EquinixMetal => Some(&self.equinix),
        }
    }

    /// Why nothing can be asked for machines of this platform, if so.
    pub fn refuses(&self, platform: Platform) -> Option<String> {
        self.driver(platform).and_then(Driver::refuses)
    }
}

#[cfg(test)]
mod stories;
#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Rust files of the product below a folder of the workspace.
    fn sources(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(path);
            }
        }
    }

    /// What stands before the tests of a file.
    fn product(text: &str) -> &str {
        let mark = "#[cfg(test)]\n";
        let is_module = |at: &usize| {
            let next = text[at + mark.len()..].lines().next();
            next.is_some_and(|line| line.contains("mod "))
        };
        let ends = text.match_indices(mark).map(|(at, _)| at);
        &text[..ends.filter(|at| is_module(at)).min().unwrap_or(text.len())]
    }

    /// The words themselves, presets of what is rendered, and this room: whoever else asks for a name should ask for a
    /// capability.
    const MAY: [&str; 4] = [
        "crates/api/src/control/words.rs",
        "crates/lifecycle/src/network/bond.rs",
        "crates/lifecycle/src/platform.rs",
        "server/src/platform/mod.rs",
    ];

    #[test]
    fn no_other_room_asks_which_platform_it_is() {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut files = Vec::new();
        for folder in ["api", "lifecycle", "render", "simulator", "store", "store-sqlite"] {
            sources(&top.join("crates").join(folder).join("src"), &mut files);
        }
        sources(&top.join("server/src"), &mut files);
        assert!(files.len() > 200, "{} files: were they moved?", files.len());
        let mut named = Vec::new();
        for file in files {
            let name = file.strip_prefix(top).unwrap().to_string_lossy().into_owned();
            let is_test = [
                "/contract/",
                "/testing/",
                "/tests/",
                "tests.rs",
                "/stories",
                "samples.rs",
            ];
            if is_test.iter().any(|part| name.contains(part)) {
                continue;
            }
            let text = std::fs::read_to_string(&file).unwrap();
            let mut code = product(&text)
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            if code.any(|line| line.contains("EquinixMetal") || line.contains("\"equinix-metal\"")) {
                named.push(name);
            }
        }
        named.sort();
        assert_eq!(named, MAY, "ask Platform::can instead");
    }
}
