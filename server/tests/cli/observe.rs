//! What a running server tells of itself: lines of JSON, and spans for a collector.

use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Kind;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::Value;

use crate::desk::{binary, spoken};

/// What a collector was sent.
type Sent = Arc<Mutex<Vec<Bytes>>>;

async fn collector() -> (String, Sent) {
    let sent = Sent::default();
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    let take = async |State(sent): State<Sent>, body: Bytes| sent.lock().unwrap().push(body);
    let router = Router::new()
        .route("/v1/traces", post(take))
        .with_state(Arc::clone(&sent));
    tokio::spawn(async move { axum::serve(socket, router).await });
    (url, sent)
}

fn attribute(span: &Span, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Kind::StringValue(text) => Some(text.clone()),
        other => Some(format!("{other:?}")),
    }
}

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
async fn every_line_is_json_that_names_its_request_and_host_and_a_collector_gets_the_spans() {
    let (url, sent) = collector().await;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut serve =
        binary("serve --boot-listen 127.0.0.1:0 --control-listen 127.0.0.1:0 --log-format json --otlp-endpoint");
    serve.arg(url).arg("--data-dir").arg(&data);
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

    let sent = sent.lock().unwrap();
    let spans: Vec<Span> = sent
        .iter()
        .map(|body| ExportTraceServiceRequest::decode(body.clone()).unwrap())
        .flat_map(|request| request.resource_spans)
        .flat_map(|resource| resource.scope_spans)
        .flat_map(|scope| scope.spans)
        .collect();
    let of_hold = spans
        .iter()
        .find(|span| attribute(span, "route").is_some_and(|route| route.ends_with("/hold")))
        .unwrap();
    assert_eq!(
        (of_hold.name.as_str(), attribute(of_hold, "host")),
        ("request", Some("agent-1".into()))
    );
    assert!(sent.iter().all(|body| !String::from_utf8_lossy(body).contains("tb_")));
}

#[tokio::test]
async fn a_collector_that_is_none_is_refused_by_name() {
    for (flag, value, expected) in [
        ("--otlp-endpoint", "localhost", "otlp_endpoint"),
        ("--otlp-ratio", "7", "otlp_ratio"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut check = binary("config check --data-dir");
        check.arg(folder.path()).args([flag, value]);
        let said = spoken(check).await;
        assert!(said.code != 0 && said.err.contains(expected), "{said:?}");
    }
}
