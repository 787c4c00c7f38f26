//! A machine in a folder: its files below one root, its programs replaced by stand-ins.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const SECRET: &str = "tb_live_aaaabbbbccccdddd2345";
pub(crate) const LOCK: &str = "tb_lock_aaaabbbbccccdddd2345";
pub(crate) const BOOT_ID: &str = "11111111-2222-4333-8444-555555555555";

pub(crate) struct Machine {
    root: TempDir,
}

/// What a script left behind.
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Fails the test unless the script ended well.
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.status, 0, "{}\n{}", self.stdout, self.stderr);
        self
    }
}

impl Machine {
    /// A machine whose server is at `url`, run 3 of `node1`, with one card and a serial.
    pub(crate) fn at(url: &str) -> Self {
        let machine = Self {
            root: tempfile::tempdir().unwrap(),
        };
        let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ignition-templates/files");
        for entry in fs::read_dir(scripts).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            let text = fs::read_to_string(&path).unwrap();
            match name {
                "lib" => machine.write("usr/local/lib/thirdboot.sh", &text),
                _ => machine.program(&format!("usr/local/bin/thirdboot-{name}"), &text),
            }
        }
        machine.write(
            "etc/thirdboot/reporter.env",
            &format!("THIRDBOOT_URL={url}\nTHIRDBOOT_SECRET={SECRET}\nTHIRDBOOT_RUN=3\nTHIRDBOOT_HOST=node1\n"),
        );
        machine.write("etc/thirdboot/packages", "");
        machine.write("etc/os-release", "ID=fedora\nOSTREE_VERSION='43.20260901.3.0'\n");
        machine.write("etc/zincati/config.d/90-disable-updates.toml", "");
        machine.write(
            "etc/thirdboot/lock.env",
            &format!("THIRDBOOT_LOCK={LOCK}\nTHIRDBOOT_LOCK_ID=0af3\nTHIRDBOOT_LOCK_GROUP=prod.agent\nTHIRDBOOT_WINDOW_MINUTES=60\n"),
        );
        machine.plan(r#"{"host":"node1","run":3,"disk":null,"wipe":[],"version":"43.1","image":null}"#);
        machine.boots(BOOT_ID);
        machine.write("sys/class/dmi/id/product_serial", "S3RI4L\n");
        machine.write("sys/class/dmi/id/product_name", "Model 1\n");
        machine.write("sys/class/net/eth0/address", "52:54:00:00:00:01\n");
        machine.write("sys/class/net/eth0/type", "1\n");
        machine.write("sys/class/net/eth0/device/vendor", "");
        machine.write("sys/class/net/lo/address", "00:00:00:00:00:00\n");
        machine.write("sys/class/net/lo/type", "772\n");
        fs::create_dir_all(machine.path("etc/coreos/installer.d")).unwrap();
        for quiet in ["udevadm", "mount", "umount", "restorecon", "chgrp", "sync"] {
            machine.stub(quiet, "");
        }
        machine.stub("systemctl", "");
        machine
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.root.path().join(below)
    }

    pub(crate) fn write(&self, below: &str, text: &str) {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, below: &str) -> String {
        fs::read_to_string(self.path(below)).unwrap()
    }

    pub(crate) fn json(&self, below: &str) -> Value {
        serde_json::from_str(&self.read(below)).unwrap()
    }

    pub(crate) fn has(&self, below: &str) -> bool {
        self.path(below).exists()
    }

    pub(crate) fn link(&self, below: &str, target: &str) {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }

    pub(crate) fn plan(&self, json: &str) {
        self.write("etc/thirdboot/plan.json", json);
    }

    /// Another boot: what a reboot clears is gone.
    pub(crate) fn boots(&self, boot_id: &str) {
        let _ = fs::remove_dir_all(self.path("run/thirdboot"));
        self.write("proc/sys/kernel/random/boot_id", &format!("{boot_id}\n"));
    }

    /// A stand-in for a program: it notes its arguments, then runs `body`.
    pub(crate) fn stub(&self, name: &str, body: &str) {
        let log = self.path("calls");
        self.program(
            &format!("stubs/{name}"),
            &format!("#!/bin/bash\necho \"{name} $*\" >>{}\n{body}\n", log.display()),
        );
    }

    /// A stand-in that prints this.
    pub(crate) fn prints(&self, name: &str, text: &str) {
        self.write(&format!("canned/{name}"), text);
        self.stub(name, &format!("cat {}", self.path(&format!("canned/{name}")).display()));
    }

    /// Calls of the stand-ins, in order.
    pub(crate) fn calls(&self, name: &str) -> Vec<String> {
        let log = fs::read_to_string(self.path("calls")).unwrap_or_default();
        log.lines()
            .filter(|line| line.split(' ').next() == Some(name))
            .map(str::to_owned)
            .collect()
    }

    /// Reports that wait on disk.
    pub(crate) fn queued(&self) -> usize {
        let Ok(queue) = fs::read_dir(self.path("var/lib/thirdboot/queue")) else {
            return 0;
        };
        queue.count()
    }

    fn program(&self, below: &str, text: &str) {
        self.write(below, text);
        fs::set_permissions(self.path(below), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs `thirdboot-<script>`, without its pauses.
    pub(crate) fn run(&self, script: &str, arguments: &[&str]) -> Ran {
        let path = std::env::var("PATH").unwrap();
        let own = |below: &str| self.path(below).display().to_string();
        let Output { status, stdout, stderr } = Command::new(self.path(&format!("usr/local/bin/thirdboot-{script}")))
            .args(arguments)
            .env("PATH", format!("{}:{}:{path}", own("stubs"), own("usr/local/bin")))
            .env("THIRDBOOT_ROOT", self.root.path())
            .env("THIRDBOOT_PAUSE", "0.01")
            .output()
            .unwrap();
        Ran {
            status: status.code().unwrap_or(-1),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }
}
