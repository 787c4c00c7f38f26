//! A server on loopback that answers what a test tells it to, and remembers what it was asked.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::Value;

#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) authorization: String,
    pub(crate) content_type: String,
    pub(crate) body: Value,
}

/// Status and body.
pub(crate) type Answer = (u16, String);

pub(crate) struct Server {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(crate) fn answering(answer: impl Fn(&Request) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        // Ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Some(request) = read(&stream) {
                    log.lock().unwrap().push(request.clone());
                    write(stream, &answer(&request));
                }
            }
        });
        Self { url, seen }
    }

    /// Takes every report and says that the run is in this stage.
    pub(crate) fn in_stage(stage: &'static str) -> Self {
        Self::answering(move |_| (200, format!(r#"{{"stage":"{stage}"}}"#)))
    }

    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// The events of all reports, in the order they came.
    pub(crate) fn events(&self) -> Vec<String> {
        let reports = self.seen().into_iter().filter(|request| request.path == "/v1/report");
        reports
            .map(|report| report.body["event"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The last report of this event.
    pub(crate) fn report(&self, event: &str) -> Value {
        let seen = self.seen();
        let report = seen.iter().rev().find(|request| request.body["event"] == event);
        report
            .unwrap_or_else(|| panic!("no {event} among {:?}", self.events()))
            .body
            .clone()
    }
}

/// A problem document of this type.
pub(crate) fn problem(status: u16, kind: &str, detail: &str) -> Answer {
    (
        status,
        serde_json::json!({"type": kind, "title": "no", "status": status, "detail": detail}).to_string(),
    )
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut length, mut authorization, mut content_type) = (0, String::new(), String::new());
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "authorization" => value.clone_into(&mut authorization),
            "content-type" => value.clone_into(&mut content_type),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Some(Request {
        path,
        authorization,
        content_type,
        body,
    })
}

fn write(mut stream: TcpStream, (status, body): &Answer) {
    // A client that went away is its own test's business.
    let _ = write!(
        stream,
        "HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
}
