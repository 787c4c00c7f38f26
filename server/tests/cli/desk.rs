//! A desk: a server, and the binary pointed at it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::json;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use thirdboot::serve::{self, Running, ServeOptions};

/// A server with a token, and the binary pointed at both.
pub(crate) struct Desk {
    pub(crate) server: Running,
    pub(crate) folder: TempDir,
}

impl Desk {
    pub(crate) async fn open() -> Self {
        Self::with(|_| {}).await
    }

    /// With other settings than usual.
    pub(crate) async fn with(change: impl FnOnce(&mut ServeOptions)) -> Self {
        Self::on(tempfile::tempdir().unwrap(), change).await
    }

    /// On what another desk left in its folder.
    pub(crate) async fn on(folder: TempDir, change: impl FnOnce(&mut ServeOptions)) -> Self {
        let (data, assets) = (folder.path().join("data"), folder.path().join("assets"));
        let mut options = ServeOptions::on_loopback(data, assets);
        change(&mut options);
        let server = serve::start(options).await.unwrap();
        Self { server, folder }
    }

    fn token_file(&self) -> PathBuf {
        self.folder.path().join("data/admin-token")
    }

    /// Types a line; the server answers from another thread.
    pub(crate) async fn types(&self, line: &str) -> Said {
        let mut command = binary(line);
        self.points(&mut command);
        spoken(command).await
    }

    /// Points a command at the server, with its first token.
    pub(crate) fn points<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .env("THIRDBOOT_ENDPOINT", self.server.control_url())
            .env("THIRDBOOT_TOKEN_FILE", self.token_file())
    }

    /// Arms a host; the mirror is made when it is needed first.
    pub(crate) async fn arms(&self, name: &str) {
        mirror(&self.folder.path().join("assets"));
        let armed = self.types(&format!("host arm {name} --confirm {name}")).await;
        assert_eq!(armed.code, 0, "{armed:?}");
    }

    /// A machine asks the boot plane.
    pub(crate) async fn boots(&self, path: &str) {
        let url = format!("{}{path}", self.server.boot_url());
        let answer = reqwest::get(url).await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
    }
}

/// Three small files that stand for an operating system.
fn mirror(root: &Path) {
    let folder = root.join("x86_64/43.1");
    if folder.exists() {
        return;
    }
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str| {
        std::fs::write(folder.join(name), name).unwrap();
        let sha256 = data_encoding::HEXLOWER.encode(&Sha256::digest(name.as_bytes()));
        json!({"name": name, "sha256": sha256, "size": name.len()})
    };
    let files = json!({"kernel": file("kernel"), "initramfs": file("initramfs.img"), "rootfs": file("rootfs.img")});
    let manifest = json!({"version": "43.1", "arch": "x86_64", "files": files});
    std::fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
    std::os::unix::fs::symlink("43.1", root.join("x86_64/current")).unwrap();
}

/// What a command said, and its exit code.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// The binary, with nothing of this test's own environment.
pub(crate) fn binary(line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_thirdboot"));
    command.args(line.split_whitespace());
    for name in thirdboot::cli::VARIABLES {
        command.env_remove(name);
    }
    command.env("THIRDBOOT_PROFILES", "/nowhere/profiles.toml");
    command
}

/// Runs it beside the server.
pub(crate) async fn spoken(mut command: Command) -> Said {
    let run = tokio::task::spawn_blocking(move || command.output());
    let Output { status, stdout, stderr } = run.await.unwrap().unwrap();
    Said {
        code: status.code().unwrap(),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    }
}
