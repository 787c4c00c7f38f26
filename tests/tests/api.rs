//! Schemathesis asks the running server whatever its OpenAPI document allows, and much that it does not: no answer is a
//! 500, has a status that is not documented, or is outside its schema. Machines are on their way meanwhile.
//!
//! `tests/run api` installs schemathesis and sets `THIRDBOOT_SCHEMATHESIS`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use thirdboot_tests::{Site, site};
use tokio::join;
use tokio::process::Command;

/// Every failure that is no matter of taste.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,missing_required_header,unsupported_method,ignored_auth";
/// What schemathesis does not know by itself: a version that is missing is 428 (RFC 6585), whatever else is missing 400
/// or 422; and long polls that nothing ends would take most of the time.
const SETTINGS: &str = r#"
[checks.missing_required_header]
expected-statuses = ["400", "401", "403", "415", "422", "428"]

[parameters]
"query.wait" = 0
"query.timeout" = 0
"#;
/// Requests of each operation in the fuzzing phase. Several `--workers` do not help: Python 3.11's `ast` fails when
/// threads share it.
const MAX_EXAMPLES: &str = "40";
/// The same requests every time.
const SEED: &str = "7";

#[tokio::test]
async fn no_answer_is_outside_the_document() -> Result<()> {
    let site = site_with_machines().await?;
    let (_, document) = site.admin.ask(Method::GET, "/api/v1/openapi.json", None).await?;
    let endless = endless(&document);
    // Each in a process of its own: the viewer sees what the admin does meanwhile.
    let (admin, viewer) = join!(run(&site, "admin", &endless), run(&site, "viewer", &endless));
    admin.and(viewer)
}

/// Hosts in several stages, one that failed, and a stranger. The examples of the document speak of node-1.
async fn site_with_machines() -> Result<Site> {
    let site = Site::start().await?;
    site.armed(1, "node-1", "runner").await?.provision(false).await?;
    let mut live = site.armed(2, "node-2", "agent").await?;
    live.boot_live().await?.install(&mut live).await?;
    site.armed(3, "node-3", "server").await?.boot_live().await?;
    site.armed(4, "node-4", "runner").await?;
    site.admin.cancel("node-4").await?;
    site.host(5, "node-5", "runner").await?;
    site.admin.hold("node-5", "the fan is loud").await?;
    let _ = site.machine(6)?.boot_live().await;
    let mut labelled = site::host("node-7", "runner", &site.machine(7)?.hardware);
    labelled["labels"] = json!({"rack": "7"});
    site.admin.add(&labelled).await?;
    Ok(site)
}

/// Operations whose answer never ends.
fn endless(document: &Value) -> Vec<String> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let operations = paths.flat_map(|(_, item)| item.as_object().into_iter().flatten());
    operations
        .filter(|(_, operation)| operation["responses"]["200"]["content"]["text/event-stream"].is_object())
        .filter_map(|(_, operation)| operation["operationId"].as_str().map(str::to_owned))
        .collect()
}

async fn run(site: &Site, role: &str, without: &[String]) -> Result<()> {
    let token = site.admin.token(&format!("schemathesis-{role}"), role).await?;
    let folder = site.path(role);
    fs::create_dir(&folder)?;
    fs::write(folder.join("schemathesis.toml"), SETTINGS)?;
    let binary = std::env::var_os("THIRDBOOT_SCHEMATHESIS").map(PathBuf::from);
    let binary = binary.context("THIRDBOOT_SCHEMATHESIS is not set: run `tests/run api`")?;
    let mut command = Command::new(binary);
    command
        .arg("--config-file")
        .arg(folder.join("schemathesis.toml"))
        .arg("run")
        .arg(format!("{}/api/v1/openapi.json", site.server.endpoints.control))
        .args(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing"])
        .args([
            "--max-examples",
            MAX_EXAMPLES,
            "--seed",
            SEED,
            "--continue-on-failure",
            "--no-shrink",
        ])
        .args([
            "--request-timeout",
            "60",
            "--suppress-health-check",
            "all",
            "--warnings",
            "off",
        ])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .current_dir(&folder)
        .env("NO_COLOR", "1");
    for operation in without {
        command.args(["--exclude-operation-id", operation]);
    }
    let done = command.output().await.context("schemathesis does not start")?;
    let said = String::from_utf8_lossy(&done.stdout);
    println!("as {role}:\n{said}");
    ensure!(
        done.status.success(),
        "as {role}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    // A run that asked nothing proves nothing.
    ensure!(said.contains("Tested: "), "nothing was tested: {said}");
    Ok(())
}
