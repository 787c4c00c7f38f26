//! A desk: a server, and the binary pointed at it.

use std::path::PathBuf;
use std::process::{Command, Output};

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
        let folder = tempfile::tempdir().unwrap();
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
        command
            .env("THIRDBOOT_ENDPOINT", self.server.control_url())
            .env("THIRDBOOT_TOKEN_FILE", self.token_file());
        spoken(command).await
    }
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
    for name in [
        "THIRDBOOT_CA",
        "THIRDBOOT_ENDPOINT",
        "THIRDBOOT_TOKEN",
        "THIRDBOOT_TOKEN_FILE",
    ] {
        command.env_remove(name);
    }
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
