//! Reads a JSON body as hosts send it: no Content-Type needed, and whatever is wrong is named by its field.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;
use thirdboot_api::{Problem, ProblemType};

use crate::problem::Failure;

/// The most bytes a body may have.
const MAX_BODY_BYTES: usize = thirdboot_api::boot::MAX_REPORT_BYTES;
/// The same of a whole inventory.
const MAX_LARGE_BODY_BYTES: usize = 32 << 20;
/// How long a body may take to arrive: a host that is slower asks again.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// A JSON body.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

/// A JSON body that may be large: for callers who were asked who they are before it is read.
#[derive(Debug)]
pub(crate) struct LargeJson<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        read(request, MAX_BODY_BYTES).await.map(Self)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for LargeJson<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Result<Self, Failure> {
        read(request, MAX_LARGE_BODY_BYTES).await.map(Self)
    }
}

async fn read<T: DeserializeOwned>(request: Request, max_bytes: usize) -> Result<T, Failure> {
    parse(&bytes(request.into_body(), max_bytes).await?)
}

/// A whole body.
///
/// # Errors
/// When it is longer, breaks off or is too slow.
pub(crate) async fn bytes(body: Body, max_bytes: usize) -> Result<Bytes, Failure> {
    match tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, max_bytes)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_too_large(&error) => {
            let detail = format!("a body has at most {max_bytes} bytes");
            Err(Failure::new(ProblemType::TooLarge, detail))
        }
        // Broken off or too slow: not the content's fault, so that the sender keeps it.
        Ok(Err(_)) | Err(_) => Err(Failure::new(
            ProblemType::Unavailable,
            "the body did not arrive whole, or not in time",
        )),
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if error.is::<http_body_util::LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Reads JSON, or says which field is not as it must be.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let what = error.into_inner();
        malformed(&path, &what)
    })?;
    json.end().map_err(|error| malformed(".", &error))?;
    Ok(parsed)
}

fn malformed(path: &str, error: &serde_json::Error) -> Failure {
    let detail = error.to_string();
    // Of a field that is missing the path names the parent only.
    let missing = detail
        .strip_prefix("missing field `")
        .and_then(|rest| rest.split('`').next());
    let field = match (path, missing) {
        (".", None) => None,
        (".", Some(name)) => Some(name.to_owned()),
        (path, None) => Some(path.to_owned()),
        (path, Some(name)) => Some(format!("{path}.{name}")),
    };
    let problem = Problem::new(ProblemType::Malformed, detail);
    field
        .map_or_else(|| problem.clone(), |field| problem.clone().at(field))
        .into()
}

#[cfg(test)]
mod tests {
    use thirdboot_api::boot::ReportBody;

    use super::*;

    fn field(text: &str) -> Option<String> {
        parse::<ReportBody>(text.as_bytes())
            .unwrap_err()
            .problem()
            .field
            .clone()
    }

    #[test]
    fn the_field_at_fault_is_named() {
        for (text, at) in [
            (r#"{"run":1,"boot_id":"b","seq":1,"event":"ready","x":1}"#, Some("x")),
            (r#"{"run":1,"boot_id":"b","seq":1}"#, Some("event")),
            (r#"{"run":-1,"boot_id":"b","seq":1,"event":"ready"}"#, Some("run")),
            (r#"{"run":1,"boot_id":"b","seq":1,"event":"melting"}"#, Some("event")),
            (r#"{"run":1,"boot_id":"b","seq":1,"event":"ready"} 2"#, None),
            ("[", None),
            ("", None),
        ] {
            assert_eq!(field(text).as_deref(), at, "{text}");
        }
    }
}
