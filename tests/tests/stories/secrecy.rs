//! No secret where none belongs: not in the log, however much is logged, nor in what is kept.

use anyhow::{Result, ensure};
use reqwest::Method;
use serde_json::json;
use thirdboot_tests::assets::Images;
use thirdboot_tests::host::Event;
use thirdboot_tests::{Site, secrets};

#[tokio::test]
async fn a_whole_life_leaves_no_secret_in_the_most_talkative_log() -> Result<()> {
    let site = Site::talkative(&Images::sample()).await?;
    let mut machine = site.armed(1, "r1", "runner").await?;
    machine.firmware_url = site.admin.boot_url("r1").await?;
    machine.provision(false).await?;
    let log = site.server.log()?;
    ensure!(log.lines().count() > 30, "the log says too little to judge:\n{log}");
    let leaked = secrets::found_in(&log);
    ensure!(leaked.is_empty(), "in the log: {leaked:?}");
    ensure!(
        !log.contains(&site.server.admin_token()?),
        "the admin's token is in the log"
    );
    Ok(())
}

#[tokio::test]
async fn secrets_in_what_a_host_says_are_not_kept() -> Result<()> {
    let site = Site::start().await?;
    let machine = site.armed(1, "r1", "runner").await?;
    let mut live = machine.boot_live().await?;
    let secret = live.reporter.identity.secret.clone();
    let whole = String::from_utf8(live.document.clone())?;
    let talks = Event::new("note")
        .with("message", format!("curl failed with bearer {secret}"))
        .with("log", format!("ignition: full config: {whole}"))
        .with("facts", json!({"inspection": false, "environment": {"SECRET": secret}}));
    live.reporter.tell(talks).await?;

    let kept = format!("{:?}{}", site.admin.events("r1").await?, site.admin.host("r1").await?);
    ensure!(kept.contains("curl failed"), "the message itself is kept: {kept}");
    ensure!(
        secrets::found_in(&kept).is_empty(),
        "kept: {:?}",
        secrets::found_in(&kept)
    );
    let database = std::fs::read(site.path("data/thirdboot.db-wal"))?;
    ensure!(
        !String::from_utf8_lossy(&database).contains(&secret),
        "it is in the database"
    );
    Ok(())
}

#[tokio::test]
async fn nothing_is_seen_without_the_token() -> Result<()> {
    let site = Site::start().await?;
    site.armed(1, "r1", "runner").await?;
    let stranger = site.stranger()?;
    for (method, path) in [
        (Method::GET, "/api/v1/hosts"),
        (Method::GET, "/api/v1/hosts/r1"),
        (Method::GET, "/api/v1/hosts/r1/boot-url"),
        (Method::GET, "/api/v1/hosts/r1/events"),
        (Method::GET, "/api/v1/unknown-machines"),
        (Method::POST, "/api/v1/hosts/r1/arm"),
        (Method::POST, "/api/v1/hosts/r1/cancel"),
        (Method::POST, "/api/v1/hosts/r1/hold"),
        (Method::POST, "/api/v1/hosts/r1/release"),
        (Method::POST, "/api/v1/hosts"),
    ] {
        let (status, answer) = stranger.ask(method, path, Some(&json!({}))).await?;
        ensure!(status == 401, "{path}: {status} {answer}");
        ensure!(!answer.to_string().contains("r1"), "{path} tells of hosts: {answer}");
    }
    assert_eq!(site.admin.stage("r1").await?, "armed");
    Ok(())
}

#[tokio::test]
async fn a_leaked_database_shows_no_secret() -> Result<()> {
    let mut site = Site::start().await?;
    let mut machine = site.armed(1, "r1", "runner").await?;
    machine.provision(false).await?;
    site.admin.arm("r1").await?;
    machine.boot_live().await?;
    let token = site.server.admin_token()?;
    site.server.kill().await?;
    let mut bytes = Vec::new();
    for name in ["thirdboot.db", "thirdboot.db-wal"] {
        bytes.extend(std::fs::read(site.server.settings.data_dir.join(name)).unwrap_or_default());
    }
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("admin@sample"), "it is the database");
    assert_eq!(secrets::found_in(&text), Vec::<String>::new());
    assert!(!text.contains(&token));
    Ok(())
}
