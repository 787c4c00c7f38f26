//! The clients against a tiny server on loopback.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::IntoResponse;
use axum::routing::{any, get};

use crate::control::{ArmBody, HostSpec};
use crate::{BootClient, Client, ClientError, HostQuery, Problem, ProblemType, StageName, Token};

/// Serves `router` on a free port.
async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn client(router: Router) -> Client {
    Client::new(&serve(router).await, Token::new("tb_api_sesame\n")).unwrap()
}

fn answering(status: u16, body: impl Into<String>) -> Router {
    let answer = (StatusCode::from_u16(status).unwrap(), body.into());
    Router::new().fallback(any(async || answer))
}

#[tokio::test]
async fn a_problem_document_becomes_a_typed_error() {
    let problem = Problem::new(ProblemType::AlreadyTaken, "the name agent-1 is taken").at("name");
    let client = client(answering(409, serde_json::to_string(&problem).unwrap())).await;
    let error = client.add_host(&HostSpec::default()).await.unwrap_err();
    assert!(error.is(ProblemType::AlreadyTaken) && !error.is_passing());
    assert_eq!(error.problem().unwrap().field.as_deref(), Some("name"));
    assert_eq!(error.to_string(), "name: the name agent-1 is taken");
}

#[tokio::test]
async fn an_answer_of_something_else_is_shown_as_it_is() {
    let client = client(answering(404, "<html>lost</html>")).await;
    let error = client.host("a").await.unwrap_err();
    assert!(matches!(&error, ClientError::Unexpected { status: 404, excerpt, .. } if excerpt.contains("lost")));
}

#[tokio::test]
async fn a_success_that_cannot_be_read_is_an_error() {
    let client = client(answering(200, "[]")).await;
    assert!(matches!(client.host("a").await, Err(ClientError::Unreadable { .. })));
}

#[tokio::test]
async fn a_server_that_is_not_there_cannot_be_reached() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = Client::new(&url, Token::new("t"))
        .unwrap()
        .all_hosts(&HostQuery::default(), None)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, ClientError::Unreachable { .. }) && error.is_passing(),
        "{error}"
    );
}

#[test]
fn an_endpoint_must_be_a_url() {
    for url in ["", "127.0.0.1:8081", "ftp://a", "localhost:8081"] {
        assert!(
            matches!(Client::new(url, Token::new("t")), Err(ClientError::BadUrl { .. })),
            "{url}"
        );
    }
}

/// Answers the first two requests with 503, then with a host.
fn stumbling(count: &AtomicUsize) -> impl IntoResponse + use<> {
    match count.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => (StatusCode::SERVICE_UNAVAILABLE, String::new()),
        _ => (StatusCode::OK, r#"{"name":"a"}"#.to_owned()),
    }
}

#[tokio::test]
async fn a_question_is_asked_again_and_a_change_is_not() {
    let count = Arc::new(AtomicUsize::new(0));
    let seen = count.clone();
    let client = client(Router::new().fallback(any(move || std::future::ready(stumbling(&count))))).await;
    assert_eq!(
        client.arm("a", &ArmBody::confirming("a")).await.unwrap_err().status(),
        Some(503)
    );
    assert_eq!(seen.load(Ordering::SeqCst), 1);
    assert_eq!(client.host("a").await.unwrap().name, "a");
    assert_eq!(seen.load(Ordering::SeqCst), 3);
}

/// Says what it was asked, as a host's name.
async fn echo(uri: Uri, headers: HeaderMap) -> String {
    let token = headers["authorization"].to_str().unwrap();
    serde_json::json!({"name": format!("{uri} {token}")}).to_string()
}

#[tokio::test]
async fn a_name_stays_in_its_segment_and_the_token_in_its_header() {
    let client = client(Router::new().fallback(any(echo))).await;
    let host = client.host("../a b?x=1").await.unwrap();
    assert_eq!(host.name, "/api/v1/hosts/..%2Fa%20b%3Fx=1 Bearer tb_api_sesame");
}

#[tokio::test]
async fn a_list_is_read_to_its_end() {
    async fn hosts(uri: Uri) -> String {
        match uri.query() {
            Some("limit=500") => r#"{"items":[{"name":"a"}],"next_cursor":"a&b"}"#.to_owned(),
            Some("limit=500&cursor=a%26b") => r#"{"items":[{"name":"b"}],"next_cursor":null}"#.to_owned(),
            other => panic!("{other:?}"),
        }
    }
    let client = client(Router::new().route("/api/v1/hosts", get(hosts))).await;
    let names: Vec<String> = client
        .all_hosts(&HostQuery::default(), None)
        .await
        .unwrap()
        .into_iter()
        .map(|host| host.name)
        .collect();
    assert_eq!(names, ["a", "b"]);
}

#[tokio::test]
async fn a_host_hears_its_stage_and_its_refusals() {
    let report = crate::boot::ReportBody {
        run: 1,
        boot_id: "b".into(),
        seq: 1,
        at: None,
        event: crate::boot::ReportEvent::Ready,
        percent: None,
        message: None,
        log: None,
        facts: serde_json::Map::new(),
    };
    let boot = BootClient::new().unwrap();
    let secret = Token::new("tb_host_x");
    let url = serve(answering(200, r#"{"stage":"ready"}"#)).await;
    assert_eq!(
        boot.report(&url, &secret, &report).await.unwrap().stage,
        StageName::Ready
    );
    let over = serde_json::to_string(&Problem::new(ProblemType::RunOver, "run 1 is over")).unwrap();
    let url = serve(answering(409, over)).await;
    assert!(
        boot.report(&url, &secret, &report)
            .await
            .unwrap_err()
            .is(ProblemType::RunOver)
    );
}

#[tokio::test]
async fn errors_carry_no_secret() {
    let url = serve(answering(404, "gone")).await;
    let boot = BootClient::new().unwrap();
    let error = boot
        .get(&format!("{url}/assets/tb_conf_s3cr3t/kernel?x=tb_boot_y"))
        .await
        .unwrap_err();
    assert!(
        !format!("{error:?} {error}").contains("s3cr3t") && !error.to_string().contains("tb_boot_y"),
        "{error}"
    );
    assert!(!format!("{:?}", Token::new("tb_api_sesame")).contains("sesame"));
}

#[tokio::test]
async fn a_head_tells_the_length_and_brings_nothing() {
    let url = serve(Router::new().route("/f", get(async || "12345"))).await;
    let head = BootClient::new().unwrap().head(&format!("{url}/f")).await.unwrap();
    assert_eq!((head.length, head.body.len()), (Some(5), 0));
}
