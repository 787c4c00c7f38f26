use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    machine::{BOOT_ID, Machine},
    server::{Answer, Server, problem},
};

/// Its node is Ready in the boot that the machine of these tests is in.
const BINARY: &str = "#!/bin/bash\necho \"$(<$THIRDBOOT_ROOT/proc/sys/kernel/random/boot_id) True\"\n";

/// A server that hands out this join, the binary, and takes reports.
fn handing_out(join: impl Fn(usize) -> Answer + Send + 'static) -> Server {
    let asked = AtomicUsize::new(0);
    Server::answering(move |request| match request.path.as_str() {
        "/v1/join" => join(asked.fetch_add(1, Ordering::SeqCst)),
        "/k3s" => (200, BINARY.into()),
        _ if request.body["event"] == "ready" => (200, r#"{"stage":"ready"}"#.into()),
        _ => (200, r#"{"stage":"joining"}"#.into()),
    })
}

fn third_boot(server: &Server) -> Machine {
    let machine = Machine::at(&server.url);
    machine.write("run/thirdboot/kind", "layered-boot\n");
    machine
}

fn material(url: &str, path: &str, sha256: &str) -> Answer {
    let download = json!({"path": path, "url": format!("{url}/k3s"), "sha256": sha256, "mode": "0755"});
    let body = json!({"kind": "join", "node_name": "node1", "config": "token: K10abc\n", "downloads": [download]});
    (200, body.to_string())
}

fn sum() -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(BINARY.as_bytes()))
}

/// The server's own URL, which the join's answer needs, is in the machine's environment file.
fn handing_out_k3s(path: &'static str, sha256: String) -> (Server, Machine) {
    let binaries = Server::answering(|_| (200, BINARY.into()));
    let url = binaries.url.clone();
    let server = handing_out(move |_| material(&url, path, &sha256));
    let machine = third_boot(&server);
    (server, machine)
}

#[test]
fn the_binary_is_checked_the_config_is_private_and_ready_is_said_once_the_node_is() {
    let (server, machine) = handing_out_k3s("/usr/local/bin/k3s", sum());
    machine.run("join", &[]).ok();
    let question: Value = server.seen()[0].body.clone();
    assert_eq!(question, json!({"run": 3, "boot_id": BOOT_ID}));
    assert_eq!(machine.read("usr/local/bin/k3s"), BINARY);
    assert_eq!(machine.read("etc/rancher/k3s/config.yaml"), "token: K10abc\n");
    let mode = |below: &str| {
        std::os::unix::fs::PermissionsExt::mode(&machine.path(below).metadata().unwrap().permissions()) & 0o777
    };
    assert_eq!(
        (mode("usr/local/bin/k3s"), mode("etc/rancher/k3s/config.yaml")),
        (0o755, 0o600)
    );
    assert_eq!(server.events(), ["joining", "ready"]);
    assert_eq!(server.report("joining")["message"], "join as node1");
    let calls = machine.read("calls");
    let at = |call: &str| calls.lines().position(|line| line.trim_end() == call).unwrap();
    assert!(
        at("sync") < at("systemctl enable k3s.service"),
        "a power cut leaves an empty config beside an enabled k3s"
    );
    assert_eq!(
        machine.calls("systemctl"),
        [
            "systemctl enable k3s.service",
            "systemctl restart --no-block k3s.service",
            "systemctl --no-block restart zincati.service",
        ]
    );
    assert!(
        !machine.has("run/thirdboot/joined.json"),
        "the token is not left lying about"
    );
    assert!(machine.has("var/lib/thirdboot/ready"));
    assert!(!machine.has("etc/zincati/config.d/90-disable-updates.toml"));
}

#[test]
fn a_wrong_checksum_is_never_installed() {
    let (server, machine) = handing_out_k3s("/usr/local/bin/k3s", "0".repeat(64));
    assert_eq!(machine.run("join", &[]).status, 1);
    assert!(!machine.has("usr/local/bin/k3s") && !machine.has("usr/local/bin/k3s.new"));
    assert!(machine.read("run/thirdboot/why").contains("right checksum"));
    assert!(!server.events().contains(&"joining".to_owned()));
}

#[test]
fn a_download_may_go_to_one_folder_only() {
    for path in [
        "/etc/shadow",
        "/usr/local/bin/../../../etc/shadow",
        "/usr/local/bin/a/b",
        "/usr/local/bin/.x",
    ] {
        let (_server, machine) = handing_out_k3s(path, sum());
        assert_eq!(machine.run("join", &[]).status, 1);
        assert!(machine.read("run/thirdboot/why").contains("not allowed"), "{path}");
    }
}

#[test]
fn it_waits_for_its_turn_and_says_whose_it_is() {
    let server = handing_out(|asked| match asked {
        0 | 1 => problem(503, "about:blank", "node0 goes first"),
        2 => problem(500, "about:blank", "oops"),
        _ => (200, r#"{"kind":"none","node_name":"node1"}"#.into()),
    });
    third_boot(&server).run("join", &[]).ok();
    assert_eq!(server.events(), ["note", "joining", "ready"]);
    assert_eq!(server.report("note")["message"], "waiting to join: node0 goes first");
}

#[test]
fn a_refusal_is_final() {
    let server = handing_out(|_| problem(409, "about:blank", "a runner joins nothing"));
    let machine = third_boot(&server);
    assert_eq!(machine.run("join", &[]).status, 1);
    assert_eq!(
        machine.read("run/thirdboot/why"),
        "the join was refused: a runner joins nothing\n"
    );
}

#[test]
fn a_runner_is_ready_when_podman_answers() {
    let server = handing_out(|_| problem(409, "about:blank", "no"));
    let machine = third_boot(&server);
    machine.stub(
        "podman",
        "if (($(grep -c '^podman ' \"$THIRDBOOT_ROOT/calls\") < 3)); then exit 125; fi; echo 5.6.0",
    );
    machine.run("runner", &[]).ok();
    assert_eq!(server.events(), ["ready"]);
    assert_eq!(server.report("ready")["message"], "podman 5.6.0 answers");
}
