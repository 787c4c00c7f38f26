//! Versions of what is described, a host's first of all: `ETag` and `If-Match`. What the machine does, and the brakes
//! that an admin puts on, leave the description as it is: nobody's update fails since a report came in.

use axum::Json as Answered;
use axum::extract::FromRequestParts;
use axum::http::HeaderName;
use axum::http::header::{ETAG, IF_MATCH};
use axum::http::request::Parts;
use axum::response::IntoResponse;
use data_encoding::HEXLOWER;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use thirdboot_api::ProblemType;
use thirdboot_lifecycle::Host;

use crate::problem::Failure;

/// Bytes of the hash that make a version: two descriptions of one host do not meet by chance.
const VERSION_LEN: usize = 8;

/// Names this version of a host's description.
pub(super) fn etag(host: &Host) -> String {
    tag_of(&Host {
        hold: None,
        adopted: false,
        retired: false,
        key_generation: 0,
        ..host.clone()
    })
}

/// Names this version of a description: a hash of it, so that it needs no counter beside the row's.
pub(super) fn tag_of(described: &impl Serialize) -> String {
    let digest = Sha256::digest(serde_json::to_vec(described).unwrap_or_default());
    let version = digest.get(..VERSION_LEN).unwrap_or_default();
    format!("\"{}\"", HEXLOWER.encode(version))
}

/// An answer with the version of what it shows.
pub(super) fn with_etag<T: Serialize>(etag: String, view: T) -> impl IntoResponse {
    let tag: [(HeaderName, String); 1] = [(ETAG, etag)];
    (tag, Answered(view))
}

/// The versions that a request was made for; none when it does not say.
#[derive(Debug)]
pub(super) struct IfMatch(Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let values = parts.headers.get_all(IF_MATCH).iter();
        let given: Vec<&str> = values.map(|value| value.to_str().unwrap_or("?")).collect();
        Ok(Self((!given.is_empty()).then(|| given.join(","))))
    }
}

impl IfMatch {
    /// Whether the request was made for this version; none when it does not say.
    pub(super) fn meets(&self, present: &str) -> Option<bool> {
        self.0.as_deref().map(|given| is_match(given, present))
    }

    /// Refuses when the request was made for another version, or must say for which and does not.
    pub(super) fn check(&self, host: &Host, is_needed: bool) -> Result<(), Failure> {
        self.check_tag("host", &etag(host), is_needed)
    }

    /// The same for anything whose present version is `present`.
    pub(super) fn check_tag(&self, what: &str, present: &str, is_needed: bool) -> Result<(), Failure> {
        match self.meets(present) {
            None if is_needed => {
                let detail = format!("send `If-Match` with the ETag of the {what} that was read; it is {present} now");
                Err(Failure::new(ProblemType::PreconditionRequired, detail))
            }
            None | Some(true) => Ok(()),
            Some(false) => {
                let detail = format!("the {what}'s description is {present} by now: get it again");
                Err(Failure::new(ProblemType::PreconditionFailed, detail))
            }
        }
    }
}

/// RFC 9110, section 13.1.1. A version without its quotes is what people type.
fn is_match(given: &str, present: &str) -> bool {
    given
        .split(',')
        .map(str::trim)
        .any(|tag| tag == "*" || tag == present || tag == present.trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_met_as_the_rfc_says() {
        for given in ["*", "\"aa\"", "aa", "\"bb\", \"aa\""] {
            assert!(is_match(given, "\"aa\""), "{given}");
        }
        for given in ["", "\"bb\"", "W/\"aa\"", "\"aa"] {
            assert!(!is_match(given, "\"aa\""), "{given}");
        }
    }
}
