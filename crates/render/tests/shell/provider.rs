//! The provider is told how it went, and never held up for.

use serde_json::{Value, json};

use crate::{
    machine::{Machine, SECRET},
    server::{Request, Server},
};

/// A provider whose metadata names its own URLs.
fn provider(takes: bool) -> Server {
    Server::answering(move |request| {
        let status = if takes { 200 } else { 500 };
        match request.path.as_str() {
            "/metadata" => (200, String::new()),
            _ => (status, String::new()),
        }
    })
}

/// A machine whose metadata service answers with this.
fn machine(url: &str, metadata: &Value) -> Machine {
    let text = metadata.to_string();
    let service = Server::answering(move |_| (200, text.clone()));
    let machine = Machine::at(url);
    machine.write("etc/thirdboot/metadata-url", &format!("{}/metadata\n", service.url));
    machine.prints("journalctl", "");
    machine
}

fn urls(provider: &Server) -> Value {
    let url = |path: &str| format!("{}{path}", provider.url);
    json!({"id": "d1", "user_state_url": url("/events"), "phone_home_url": url("/phone-home")})
}

fn bodies(provider: &Server) -> Vec<(String, Value)> {
    let seen = provider.seen().into_iter();
    seen.map(|Request { path, body, .. }| (path, body)).collect()
}

#[test]
fn a_ready_machine_phones_home_and_says_that_it_succeeded() {
    let (server, provider) = (Server::in_stage("ready"), provider(true));
    let machine = machine(&server.url, &urls(&provider));
    machine.write("run/thirdboot/kind", "layered-boot\n");
    machine.prints("podman", "5.8.0");
    machine.run("runner", &[]).ok();
    assert_eq!(server.events(), ["ready"]);
    assert_eq!(
        bodies(&provider),
        [
            (
                "/events".to_owned(),
                json!({"state": "succeeded", "code": 1000, "message": "podman 5.8.0 answers"})
            ),
            ("/phone-home".to_owned(), Value::Null)
        ]
    );
    // Afterburn's check-in says the same of its empty body (tests/tests/afterburn.rs).
    assert!(
        provider
            .seen()
            .iter()
            .all(|request| request.content_type == "application/json")
    );
    assert!(machine.has("var/lib/thirdboot/ready"));
}

#[test]
fn a_failure_is_told_without_what_is_secret_and_without_a_phone_home() {
    let (server, provider) = (Server::in_stage("failed"), provider(true));
    let machine = machine(&server.url, &urls(&provider));
    machine.write(
        "run/thirdboot/why",
        &format!("the claim was refused: {SECRET} \u{1b}[31mheld\n"),
    );
    machine.run("failed", &["thirdboot-precheck.service"]).ok();
    assert_eq!(
        bodies(&provider),
        [(
            "/events".to_owned(),
            json!({"state": "failed", "code": 1001, "message": "thirdboot-precheck: the claim was refused: tb_live_***  [31mheld"})
        )]
    );
    assert!(provider.seen().iter().all(|request| request.authorization.is_empty()));
    // A note is no failure of the run.
    machine.run("failed", &["thirdboot-network.service"]).ok();
    assert_eq!(provider.seen().len(), 1);
}

#[test]
fn a_provider_that_does_not_answer_holds_nobody_up() {
    let (server, provider) = (Server::in_stage("ready"), provider(false));
    for metadata in [
        urls(&provider),
        json!({}),
        json!({"user_state_url": "file:///etc/shadow"}),
        json!("moved"),
    ] {
        let machine = machine(&server.url, &metadata);
        machine.write("run/thirdboot/kind", "layered-boot\n");
        machine.prints("podman", "5.8.0");
        machine.run("runner", &[]).ok();
        assert!(machine.has("var/lib/thirdboot/ready"), "{metadata}");
    }
    let machine = Machine::at(&server.url);
    machine.write("etc/thirdboot/metadata-url", "http://127.0.0.1:9/metadata\n");
    machine.prints("journalctl", "");
    machine.run("failed", &["thirdboot-runner.service"]).ok();
    assert_eq!(
        server.report("join-failed")["message"],
        "thirdboot-runner: failed, see the log"
    );
}
