//! What a running server tells of itself: lines of JSON.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::desk::{binary, spoken};

async fn waited_for(mut child: Child) -> String {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let ended = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut text).unwrap();
        (child.wait().unwrap(), text)
    });
    let (status, text) = ended.await.unwrap();
    assert!(status.success(), "{text}");
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_is_json_that_names_its_request_and_host() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut serve = binary("serve --boot-listen 127.0.0.1:0 --control-listen 127.0.0.1:0 --log-format json");
    serve.arg("--data-dir").arg(&data);
    serve
        .env("RUST_LOG", "info")
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let child = serve.spawn().unwrap();
    let outer_bound = Instant::now() + Duration::from_secs(30);
    let endpoints = loop {
        if let Ok(bytes) = std::fs::read(data.join("endpoints.json")) {
            break serde_json::from_slice::<Value>(&bytes).unwrap();
        }
        assert!(Instant::now() < outer_bound, "it does not start");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let mut add = binary("host add agent-1 --mac 02:00:00:00:00:01 --known-by key");
    add.env("THIRDBOOT_ENDPOINT", endpoints["control"].as_str().unwrap())
        .env("THIRDBOOT_TOKEN_FILE", data.join("admin-token"));
    assert_eq!(spoken(add).await.code, 0);
    let mut hold = binary("host hold agent-1 --reason fan");
    hold.env("THIRDBOOT_ENDPOINT", endpoints["control"].as_str().unwrap())
        .env("THIRDBOOT_TOKEN_FILE", data.join("admin-token"));
    assert_eq!(spoken(hold).await.code, 0);

    let log = waited_for(child).await;
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let added = lines.iter().find(|line| line["message"] == "host added").unwrap();
    let span = &added["spans"][0];
    assert_eq!(
        (&added["host"], &span["route"]),
        (&"agent-1".into(), &"/api/v1/hosts".into()),
        "{added}"
    );
    assert_eq!(span["request_id"].as_str().unwrap().len(), 16, "{added}");
    assert!(!log.contains("tb_api_"), "{log}");
}
