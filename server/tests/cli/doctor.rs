//! `thirdboot doctor`: each thing that can be wrong, found and told with what to mend.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;
use thirdboot::serve::ServeOptions;

use crate::desk::{Desk, Said, binary, spoken};

/// A running server, and the settings file that it could have been started with.
async fn examined(change: impl FnOnce(&mut ServeOptions), more: &str, flags: &str) -> (Desk, Value, i32) {
    let desk = Desk::with(change).await;
    let address = |url: &str| url.rsplit('/').next().unwrap().to_owned();
    let folder = desk.folder.path().display();
    let mut file = format!(
        "data_dir = '{folder}/data'\nassets_dir = '{folder}/assets'\nboot_listen = '{}'\ncontrol_listen = '{}'\n{more}",
        address(desk.server.boot_url()),
        address(desk.server.control_url()),
    );
    if let Some(url) = desk.server.boot_tls_url() {
        file = format!("{file}boot_tls_listen = '{}'\n", address(url));
    }
    let (told, said) = told_by(desk.folder.path(), &file, flags).await;
    (desk, told, said.code)
}

async fn told_by(folder: &Path, file: &str, flags: &str) -> (Value, Said) {
    let path = folder.join("tb.toml");
    // Not the default ports: something else may run there.
    let listens = ["boot_listen", "control_listen"].map(|key| {
        if file.contains(key) {
            String::new()
        } else {
            format!("{key} = '127.0.0.1:0'\n")
        }
    });
    std::fs::write(&path, format!("{}{file}", listens.concat())).unwrap();
    let said = spoken(binary(&format!("doctor --json --config {} {flags}", path.display()))).await;
    (
        serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{said:?}")),
        said,
    )
}

/// The verdict of the finding that says this, which must tell what to mend when it is not well.
fn verdict<'a>(told: &'a Value, says: &str) -> &'a str {
    let findings = told["findings"].as_array().unwrap();
    let found = findings
        .iter()
        .find(|finding| finding["found"].as_str().unwrap().contains(says));
    let found = found.unwrap_or_else(|| panic!("nothing says {says:?} in {told:#}"));
    assert_eq!(found["mend"].is_null(), found["verdict"] == "ok", "{found}");
    found["verdict"].as_str().unwrap()
}

fn over_https(options: &mut ServeOptions) {
    options.tls.boot_tls_listen = Some(([127, 0, 0, 1], 0).into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_runs_is_seen_as_hosts_see_it() {
    let (desk, told, code) = examined(over_https, "", "").await;
    assert_eq!(code, 0, "{told:#}");
    for url in [desk.server.boot_url(), desk.server.boot_tls_url().unwrap()] {
        assert_eq!(verdict(&told, &format!("{url}/boot.ipxe answers as it should")), "ok");
    }
    assert_eq!(verdict(&told, "data is its owner's alone"), "ok");
    assert_eq!(verdict(&told, "master.key is there"), "ok");
    assert_eq!(verdict(&told, "tls/ca.pem ends at"), "ok");
    assert_eq!(verdict(&told, "nothing can be installed"), "warn");
    assert_eq!(verdict(&told, "which is this machine only"), "warn");
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_that_others_can_read_are_told() {
    let desk = Desk::open().await;
    let data = desk.folder.path().join("data");
    for name in ["", "master.key", "admin-token", "tls/ca.key"] {
        let mode = if name.is_empty() { 0o755 } else { 0o644 };
        std::fs::set_permissions(data.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let (told, said) = told_by(desk.folder.path(), &format!("data_dir = '{}'\n", data.display()), "").await;
    assert_eq!(said.code, 1);
    assert_eq!(verdict(&told, "can be entered or read by others (mode 755)"), "warn");
    for name in ["master.key", "admin-token", "ca.key"] {
        assert_eq!(
            verdict(&told, &format!("{name} can be read by others (mode 644)")),
            "broken"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_master_key_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("thirdboot.db"), "").unwrap();
    let (told, said) = told_by(
        folder.path(),
        &format!("data_dir = '{}'\n", folder.path().display()),
        "",
    )
    .await;
    assert_eq!(said.code, 1);
    assert_eq!(verdict(&told, "is missing although the database is there"), "broken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_up_before_its_first_start_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let file = format!(
        "data_dir = '{}/data'\nboot_listen = '127.0.0.1:0'\ncontrol_listen = '127.0.0.1:0'\n",
        folder.path().display()
    );
    let (told, said) = told_by(folder.path(), &file, "").await;
    assert_eq!(said.code, 0, "{told:#}");
    assert_eq!(verdict(&told, "data is not there"), "warn");
    assert_eq!(verdict(&told, "no server listens"), "warn");
    assert!(!folder.path().join("data").exists(), "a doctor changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_cannot_be_had_and_settings_that_clash_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    let file = format!("data_dir = '{at}'\nboot_listen = '192.0.2.77:8080'\ncontrol_listen = '127.0.0.1:0'\n");
    let (told, said) = told_by(folder.path(), &file, "").await;
    assert_eq!(
        (said.code, verdict(&told, "boot_listen 192.0.2.77:8080 cannot be had")),
        (1, "broken")
    );
    let (told, said) = told_by(
        folder.path(),
        &format!("data_dir = '{at}'\nboot_listen = '0.0.0.0:8080'\n"),
        "",
    )
    .await;
    assert_eq!((said.code, verdict(&told, "boot_url is missing")), (1, "broken"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_leads_elsewhere_is_told() {
    let other = Desk::open().await;
    let more = format!("boot_url = '{}'\n", other.server.boot_url());
    let (_desk, told, code) = examined(|_| {}, &more, "").await;
    assert_eq!(
        (code, verdict(&told, "/boot.ipxe answers as it should")),
        (0, "ok"),
        "another of the same name may"
    );
    let more = format!("boot_url = '{}'\n", other.server.control_url());
    let (_desk, told, code) = examined(|_| {}, &more, "").await;
    assert_eq!((code, verdict(&told, "answers 404")), (1, "broken"));
    let (_desk, told, code) = examined(|_| {}, "boot_url = 'http://127.0.0.1:9'\n", "").await;
    assert_eq!((code, verdict(&told, "http://127.0.0.1:9/boot.ipxe: ")), (1, "broken"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_no_host_would_trust_is_told() {
    let other = Desk::open().await;
    let ca = other.folder.path().join("data/tls/ca.pem");
    let (_desk, told, code) = examined(over_https, &format!("tls_ca = '{}'\n", ca.display()), "").await;
    assert_eq!((code, verdict(&told, "invalid peer certificate")), (1, "broken"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_mirror_is_told() {
    let desk = Desk::open().await;
    let version = desk.folder.path().join("assets/x86_64/1.2.3");
    std::fs::create_dir_all(&version).unwrap();
    std::os::unix::fs::symlink("1.2.3", version.with_file_name("current")).unwrap();
    let file = |name: &str| serde_json::json!({"name": name, "sha256": "0".repeat(64), "size": 3});
    let files = serde_json::json!({"kernel": file("k"), "initramfs": file("i"), "rootfs": file("r")});
    let manifest = serde_json::json!({"version": "1.2.3", "arch": "x86_64", "files": files});
    std::fs::write(version.join("manifest.json"), manifest.to_string()).unwrap();
    let look = async || {
        let at = desk.folder.path().display();
        let file = format!("data_dir = '{at}/data'\nassets_dir = '{at}/assets'\n");
        told_by(desk.folder.path(), &file, "").await.0
    };
    assert_eq!(verdict(&look().await, "x86_64/1.2.3/k: No such file"), "broken");
    for name in ["k", "i", "r"] {
        std::fs::write(version.join(name), if name == "r" { "four" } else { "abc" }).unwrap();
    }
    assert_eq!(verdict(&look().await, "r has 4 bytes, its manifest says 3"), "broken");
    std::fs::write(version.join("r"), "abc").unwrap();
    assert_eq!(verdict(&look().await, "x86_64 1.2.3 is current and whole"), "ok");
    std::fs::write(version.join("manifest.json"), "{}").unwrap();
    assert_eq!(verdict(&look().await, "is not as it must be"), "broken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dnsmasq_that_leads_elsewhere_is_told() {
    let desk = Desk::open().await;
    let conf = desk.folder.path().join("dnsmasq.conf");
    std::fs::write(&conf, "dhcp-boot=tag:ipxe,http://192.0.2.9/boot.ipxe\n").unwrap();
    let file = format!(
        "data_dir = '{}/data'\nboot_url = 'http://192.0.2.1:8080'\n",
        desk.folder.path().display()
    );
    let flags = format!("--dnsmasq {}", conf.display());
    let (told, said) = told_by(desk.folder.path(), &file, &flags).await;
    assert_eq!(
        (said.code, verdict(&told, "leads iPXE to http://192.0.2.9/boot.ipxe")),
        (1, "broken")
    );
    std::fs::write(&conf, "dhcp-boot=tag:ipxe,http://192.0.2.1:8080/boot.ipxe\n").unwrap();
    let (told, _) = told_by(desk.folder.path(), &file, &flags).await;
    assert_eq!(verdict(&told, "it leads iPXE to http://192.0.2.1:8080/boot.ipxe"), "ok");
    let of_dnsmasq = told["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["check"] == "dnsmasq");
    assert_eq!(
        of_dnsmasq.count(),
        1,
        "a dnsmasq that is here takes the file, too: {told:#}"
    );
    let (told, said) = told_by(desk.folder.path(), &file, "--dnsmasq /nowhere/dnsmasq.conf").await;
    assert_eq!(
        (said.code, verdict(&told, "/nowhere/dnsmasq.conf: No such file")),
        (1, "broken")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn people_read_lines_and_what_to_mend() {
    let folder = tempfile::tempdir().unwrap();
    let line = format!(
        "doctor --data-dir {} --boot-listen 0.0.0.0:8080",
        folder.path().display()
    );
    let said = spoken(binary(&line)).await;
    assert_eq!(said.code, 1, "{said:?}");
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(
        lines[0].starts_with("BROKEN  settings     boot_url is missing"),
        "{said:?}"
    );
    assert!(
        lines[1].trim_start().starts_with("-> `thirdboot config check`"),
        "{said:?}"
    );
}
