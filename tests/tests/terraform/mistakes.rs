//! Bad input ends while Terraform plans, at the line that is wrong; what only the server can know ends at its attribute.

use anyhow::{Result, ensure};
use serde_json::json;
use thirdboot_tests::Site;
use thirdboot_tests::terraform::Folder;

use crate::{says, says_not};

/// Each mistake on the line that is named.
const MISTAKES: [(&str, usize, &str); 11] = [
    (
        "resource \"thirdboot_host\" \"a\" {\n  name = \"Node_A\"\n}",
        2,
        "expected 1 to 63 of a-z",
    ),
    (
        "resource \"thirdboot_host\" \"a\" {\n  name = \"a\"\n  macs = [\n    \"52:54:00:aa:bb:01\",\n    \"52:54:00\",\n  ]\n}",
        5,
        "expected a MAC such as",
    ),
    (
        "resource \"thirdboot_host\" \"a\" {\n  name = \"a\"\n  role = \"master\"\n}",
        3,
        "expected one of server, agent, runner",
    ),
    (
        "resource \"thirdboot_host\" \"a\" {\n  name = \"a\"\n  network = {\n    vlans = [{\n      id = 1\n    }]\n  }\n}",
        3,
        "1: expected a whole number from 2 to 4094",
    ),
    (
        "resource \"thirdboot_host\" \"a\" {\n  name = \"a\"\n  network = {\n    uplink = {\n      addresses = [\"10.0.0.1\"]\n    }\n  }\n}",
        3,
        "192.0.2.10/24",
    ),
    (
        "resource \"thirdboot_host\" \"a\" {\n  name = \"a\"\n  role = \"runner\"\n  cluster = \"c\"\n}",
        4,
        "A runner joins no cluster",
    ),
    (
        "resource \"thirdboot_provision\" \"a\" {\n  host = \"a\"\n  timeout = \"soon\"\n}",
        3,
        "such as 45m",
    ),
    (
        "resource \"thirdboot_provision\" \"a\" {\n  host = \"a\"\n  wait_for = \"redy\"\n}",
        3,
        "expected one of armed",
    ),
    (
        "resource \"thirdboot_provision\" \"a\" {\n  host = \"a\"\n  run = 3\n  disk = \"S1\"\n}",
        4,
        "armed elsewhere",
    ),
    (
        "resource \"thirdboot_token\" \"a\" {\n  name = \"-\"\n  role = \"admin\"\n}",
        2,
        "the first a letter or digit",
    ),
    (
        "resource \"thirdboot_cluster\" \"a\" {\n  name = \"c\"\n  k3s = { version = \"v1\", binaries = { x86 = { sha256 = \"00\" } } }\n}",
        3,
        "expected a SHA-256",
    ),
];

#[tokio::test]
async fn a_mistake_is_told_at_its_line_before_anything_is_asked() -> Result<()> {
    let mut folder = Folder::new().await?;
    // No server is needed to be wrong.
    folder.set("THIRDBOOT_TOKEN", "none");
    folder.set("THIRDBOOT_ENDPOINT", "http://127.0.0.1:1");
    for (config, line, why) in MISTAKES {
        folder.write(config)?;
        let said = folder.run(&["validate", "-no-color"]).await?.failed()?;
        says!(said, &format!("on main.tf line {line}"), why);
    }
    Ok(())
}

#[tokio::test]
async fn what_only_the_server_knows_lands_on_its_attribute() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.host(1, "first", "runner").await?;
    let folder = Folder::of(&site).await?;
    let mac = &machine.hardware.macs[0];
    for (config, line, why) in [
        (
            format!("resource \"thirdboot_host\" \"b\" {{\n  name = \"second\"\n  macs = [\"{mac}\"]\n}}\n"),
            3,
            "first",
        ),
        (
            "resource \"thirdboot_host\" \"b\" {\n  name = \"first\"\n}\n".to_owned(),
            2,
            "terraform import thirdboot_host.<label> first",
        ),
        (
            "resource \"thirdboot_host\" \"b\" {\n  name = \"second\"\n  ssh_keys = [\n    \"ssh-ed25519 AAAA cut\"\n  ]\n}\n".to_owned(),
            4,
            "OpenSSH public key",
        ),
        (
            "resource \"thirdboot_host\" \"b\" {\n  name = \"second\"\n  labels = {\n    \"a b\" = \"c\"\n  }\n}\n".to_owned(),
            4,
            "expected a key of",
        ),
    ] {
        folder.write(&config)?;
        let said = folder.apply_fails().await?;
        says!(said, &format!("on main.tf line {line}"), why);
        ensure!(folder.state().await?.is_empty(), "something is in the state");
    }
    Ok(())
}

#[tokio::test]
async fn what_fails_halfway_is_taken_up_again() -> Result<()> {
    let site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    let hosts = |mac: &str| {
        format!(
            "resource \"thirdboot_host\" \"a\" {{\n  name = \"a\"\n  macs = [\"52:54:00:00:00:01\"]\n}}\n\
             resource \"thirdboot_host\" \"b\" {{\n  name = \"b\"\n  macs = [\"{mac}\"]\n  depends_on = [thirdboot_host.a]\n}}\n"
        )
    };
    folder.write(&hosts("52:54:00:00:00:01"))?;
    folder.apply_fails().await?;
    ensure!(
        folder.state().await? == ["thirdboot_host.a"],
        "{:?}",
        folder.state().await?
    );
    folder.write(&hosts("52:54:00:00:00:02"))?;
    says!(folder.apply().await?, "1 added, 0 changed, 0 destroyed");
    folder.plan_is_empty().await
}

#[tokio::test]
async fn a_host_whose_run_is_under_way_is_not_removed_on_the_side() -> Result<()> {
    let site = Site::start().await?;
    let folder = Folder::of(&site).await?;
    folder.write("resource \"thirdboot_host\" \"a\" {\n  name = \"a\"\n  macs = [\"52:54:00:00:00:01\"]\n  role = \"runner\"\n}\n")?;
    folder.apply().await?;
    site.admin.arm("a").await?;
    let said = folder.run(&["destroy", "-auto-approve", "-no-color"]).await?.failed()?;
    says!(said, "The host a cannot be removed", "thirdboot host cancel a");
    ensure!(folder.state().await? == ["thirdboot_host.a"], "it left the state");
    ensure!(site.admin.stage("a").await? == "armed", "its run was ended");
    site.admin.cancel("a").await?;
    folder.destroy().await?;
    Ok(())
}

#[tokio::test]
async fn a_refused_token_says_where_it_comes_from() -> Result<()> {
    let site = Site::start().await?;
    let mut folder = Folder::of(&site).await?;
    folder.write("resource \"thirdboot_token\" \"a\" {\n  name = \"ci\"\n  role = \"viewer\"\n}\n")?;
    folder.set("THIRDBOOT_TOKEN", "tb_api_nonsense");
    let said = folder.apply_fails().await?;
    says!(said, "The server does not know this token", "THIRDBOOT_TOKEN");
    says_not!(said, "tb_api_nonsense");
    let made = site.admin.token("viewer-1", "viewer").await?;
    folder.set("THIRDBOOT_TOKEN", &made);
    says!(folder.apply_fails().await?, "The token's role does not reach");
    folder.set("THIRDBOOT_TOKEN", "");
    let without = folder.apply_fails().await?;
    says!(without, "There is no API token", "THIRDBOOT_TOKEN_FILE");
    Ok(())
}

#[tokio::test]
async fn a_viewer_plans_what_an_operator_applies() -> Result<()> {
    let site = Site::start().await?;
    let mut folder = Folder::of(&site).await?;
    folder.write("resource \"thirdboot_host\" \"a\" {\n  name = \"a\"\n}\n")?;
    folder.apply().await?;
    let boot_url = json!(site.admin.boot_url("a").await?);
    let viewer = site.admin.token("viewer-1", "viewer").await?;
    folder.set("THIRDBOOT_TOKEN", &viewer);
    folder.plan_is_empty().await?;
    folder
        .run(&["apply", "-refresh-only", "-auto-approve", "-no-color"])
        .await?
        .succeeded()?;
    ensure!(
        folder.shown("thirdboot_host.a").await?["boot_url"] == boot_url,
        "the boot URL is lost"
    );
    Ok(())
}
