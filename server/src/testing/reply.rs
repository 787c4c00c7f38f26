//! An answer, whole.

use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// What the second line of a script says.
    pub(crate) fn verdict(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.text());
        let text = self.text();
        assert!(text.starts_with("#!ipxe\n"), "{text}");
        text.lines().nth(1).unwrap().to_owned()
    }

    /// Status, kind and field of a problem.
    pub(crate) fn problem(&self) -> (u16, String, String) {
        let json = self.json();
        let text = |key: &str| {
            json[key]
                .as_str()
                .unwrap_or_default()
                .trim_start_matches("/problems/")
                .to_owned()
        };
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(json["status"], self.status.as_u16());
        (self.status.as_u16(), text("type"), text("field"))
    }
}
