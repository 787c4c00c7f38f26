//! `Idempotency-Key`: a request that is sent again, since its answer was lost, is answered as the first time.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, ETAG, LOCATION};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use thirdboot_api::ProblemType;
use thirdboot_store::{Actor, AnswerKey, IDEMPOTENCY_KEY, KeptAnswer, StoreError};

use crate::App;
use crate::problem::Failure;

/// Longer than any UUID, and short enough for an index.
const MAX_KEY_CHARS: usize = 255;

/// The key of a request, if it has one.
#[derive(Debug)]
pub(super) struct Once(Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for Once {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let Some(value) = parts.headers.get(IDEMPOTENCY_KEY) else {
            return Ok(Self(None));
        };
        let key = value.to_str().unwrap_or_default().trim();
        if key.is_empty() || key.len() > MAX_KEY_CHARS {
            let detail = format!("expected 1 to {MAX_KEY_CHARS} visible ASCII characters");
            return Err(Failure::field("Idempotency-Key", detail));
        }
        Ok(Self(Some(key.to_owned())))
    }
}

/// What was made, as it is answered now and whenever the request comes again.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Made {
    #[serde(default = "created")]
    status: u16,
    location: Option<String>,
    etag: Option<String>,
    body: Value,
}

/// The status of answers that were kept without one.
fn created() -> u16 {
    StatusCode::CREATED.as_u16()
}

impl Made {
    /// `body` was made at this path.
    pub(super) fn at(location: String, body: &impl Serialize) -> Result<Self, Failure> {
        Ok(Self {
            location: Some(location),
            ..Self::said(StatusCode::CREATED, body)?
        })
    }

    /// `body` is what was done.
    pub(super) fn said(status: StatusCode, body: &impl Serialize) -> Result<Self, Failure> {
        Ok(Self {
            status: status.as_u16(),
            location: None,
            etag: None,
            body: serde_json::to_value(body).map_err(Failure::internal)?,
        })
    }

    /// With the version of what was made.
    pub(super) fn tagged(mut self, etag: String) -> Self {
        self.etag = Some(etag);
        self
    }
}

impl IntoResponse for Made {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::CREATED);
        let kind = [(CONTENT_TYPE, "application/json")];
        let location = self.location.map(|location| [(LOCATION, location)]);
        let etag = self.etag.map(|etag| [(ETAG, etag)]);
        (status, kind, location, etag, self.body.to_string()).into_response()
    }
}

/// A request whose answer is to be kept.
#[derive(Debug, Clone)]
pub(super) struct Keep {
    caller: String,
    key: Option<String>,
    request_sha256: String,
}

impl Once {
    /// Looks whether this very request was answered before. `operation` and `body` are what makes it this one.
    ///
    /// # Errors
    /// When the key was used for another request.
    pub(super) async fn answered(
        self,
        app: &App,
        by: &Actor,
        operation: &str,
        body: &impl Serialize,
    ) -> Result<(Keep, Option<Made>), Failure> {
        let body = serde_json::to_vec(body).map_err(Failure::internal)?;
        let digest = Sha256::new()
            .chain_update(operation)
            .chain_update([0])
            .chain_update(&body);
        let keep = Keep {
            caller: by.to_string(),
            key: self.0,
            request_sha256: HEXLOWER.encode(&digest.finalize()),
        };
        let made = keep.found(app).await?;
        Ok((keep, made))
    }
}

impl Keep {
    async fn found(&self, app: &App) -> Result<Option<Made>, Failure> {
        let Some(key) = &self.key else { return Ok(None) };
        let Some(kept) = app.store.kept_answer(&self.caller, key).await? else {
            return Ok(None);
        };
        if kept.request_sha256 != self.request_sha256 {
            let detail = "this Idempotency-Key was used for another request: take a new one";
            return Err(Failure::new(ProblemType::KeyReused, detail));
        }
        let opened = app.secrets.unseal_answer(&self.caller, key, &kept.sealed);
        let made = serde_json::from_slice(&opened.map_err(Failure::internal)?);
        made.map(Some).map_err(Failure::internal)
    }

    /// Keeps the answer after what was done, for what cannot be done twice anyway: should the server end in between,
    /// the same request again is refused, as it is without a key. Hosts and tokens are kept with their answers.
    pub(super) async fn after(&self, app: &App, done: Result<Made, Failure>) -> Result<Made, Failure> {
        let made = match done {
            Ok(made) => made,
            // The same request on another connection may have been faster.
            Err(failure) => return self.found(app).await?.ok_or(failure),
        };
        let Some(answer) = self.answer(app, &made)? else {
            return Ok(made);
        };
        match app.store.keep_answer(answer).await {
            Ok(()) => Ok(made),
            Err(error) => {
                let first = self.raced(app, &error).await.unwrap_or_default();
                if first.is_none() {
                    tracing::warn!(%error, "an answer is not kept for its Idempotency-Key");
                }
                Ok(first.unwrap_or(made))
            }
        }
    }

    /// Under which the answer is kept, if it is.
    pub(super) fn key(&self) -> Option<AnswerKey> {
        let key = self.key.clone()?;
        Some(AnswerKey {
            caller: self.caller.clone(),
            key,
        })
    }

    /// The answer as the store keeps it; none without a key.
    pub(super) fn answer(&self, app: &App, made: &Made) -> Result<Option<KeptAnswer>, Failure> {
        self.key.is_some().then(|| self.sealed(app, made)).transpose()
    }

    /// The answer as the store keeps it.
    pub(super) fn sealed(&self, app: &App, made: &Made) -> Result<KeptAnswer, Failure> {
        let key = self.key.clone().unwrap_or_default();
        let plain = serde_json::to_vec(made).map_err(Failure::internal)?;
        let sealed = app.secrets.seal_answer(&self.caller, &key, &plain);
        Ok(KeptAnswer {
            caller: self.caller.clone(),
            key,
            request_sha256: self.request_sha256.clone(),
            at: app.store.now(),
            sealed: sealed.map_err(Failure::internal)?,
        })
    }

    /// The answer, when the store refused since the same request was faster on another connection.
    pub(super) async fn raced(&self, app: &App, error: &StoreError) -> Result<Option<Made>, Failure> {
        match error {
            StoreError::Taken { field, .. } if *field == IDEMPOTENCY_KEY => self.found(app).await,
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use serde_json::{Value, json};

    use crate::testing::{Reply, TestApp};

    async fn sent(site: &TestApp, path: &str, key: &str, body: &Value) -> Reply {
        let path = format!("/api/v1/{path}");
        site.admin_with(Method::POST, &path, &[("idempotency-key", key)], body.to_string())
            .await
    }

    #[tokio::test]
    async fn the_same_request_again_is_answered_as_the_first_time() {
        let site = TestApp::new().await;
        let host = TestApp::described("a1", 1);
        let first = sent(&site, "hosts", "k1", &host).await;
        assert_eq!(first.status, 201, "{}", first.text());
        site.arm("a1").await;
        let site = site.restarted().await;
        let again = sent(&site, "hosts", "k1", &host).await;
        assert_eq!((again.status, again.json()), (first.status, first.json()));
        for name in ["location", "etag", "content-type"] {
            assert_eq!(again.header(name), first.header(name), "{name}");
        }
        let without = site.api_post("/api/v1/hosts", &host).await;
        assert_eq!(without.problem().0, 409);
        assert_eq!(sent(&site, "hosts", "k2", &host).await.problem().0, 409);
    }

    #[tokio::test]
    async fn a_token_is_shown_again_to_who_lost_the_answer_and_stands_nowhere_in_the_clear() {
        let site = TestApp::new().await;
        let spec = json!({"name": "ci", "role": "viewer"});
        let first = sent(&site, "tokens", "k1", &spec).await.json();
        assert_eq!(sent(&site, "tokens", "k1", &spec).await.json(), first);
        let token = first["token"].as_str().unwrap().to_owned();
        site.app.store.close().await;
        let database = std::fs::read(site.path("data/thirdboot.db")).unwrap();
        assert!(!database.windows(token.len()).any(|bytes| bytes == token.as_bytes()));
    }

    #[tokio::test]
    async fn whatever_makes_something_that_lasts_answers_again() {
        let site = TestApp::new().await;
        site.get("/ipxe?mac=52:54:00:00:00:07").await;
        let template = json!({"text": "variant: fcos\nversion: 1.5.0\n"});
        let inventory = json!({"hosts": [TestApp::described("a1", 1)]});
        let put = async |key: &str, body: &Value| {
            let headers = [("idempotency-key", key)];
            site.admin_with(Method::PUT, "/api/v1/templates/motd", &headers, body.to_string())
                .await
        };
        for (path, body, status) in [
            ("unknown-machines/1/adopt", json!({"name": "a7"}), 201),
            ("import", inventory, 200),
            ("clusters", site.cluster_spec("lab"), 201),
        ] {
            let first = sent(&site, path, path, &body).await;
            assert_eq!(first.status, status, "{path}: {}", first.text());
            let again = sent(&site, path, path, &body).await;
            assert_eq!((again.status, again.json()), (first.status, first.json()), "{path}");
        }
        let (first, again) = (put("k1", &template).await, put("k1", &template).await);
        assert_eq!(first.status, 201, "{}", first.text());
        assert_eq!((again.status, again.json()), (first.status, first.json()));
        assert_eq!(again.header("etag"), first.header("etag"));
        assert_eq!(put("k2", &template).await.problem().0, 428);
    }

    #[tokio::test]
    async fn a_key_belongs_to_one_request_of_one_caller() {
        let site = TestApp::new().await;
        let host = TestApp::described("a1", 1);
        sent(&site, "hosts", "k1", &host).await;
        let other = sent(&site, "hosts", "k1", &TestApp::described("a2", 2)).await;
        assert_eq!((other.problem().0, other.problem().1), (422, "key-reused".into()));
        let spec = json!({"name": "a1", "role": "viewer"});
        assert_eq!(sent(&site, "tokens", "k1", &spec).await.problem().1, "key-reused");
        let refused = sent(&site, "hosts", "k2", &json!({"name": "A"})).await;
        assert_eq!(refused.problem().1, "malformed");
        // What was refused made nothing, and its key is free.
        assert_eq!(
            sent(&site, "hosts", "k2", &TestApp::described("a3", 3)).await.status,
            201
        );
        for key in ["", " ", &"x".repeat(256)] {
            let problem = sent(&site, "hosts", key, &host).await.problem();
            assert_eq!((problem.0, problem.2.as_str()), (422, "Idempotency-Key"));
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_many_at_once_one_makes_it_and_all_hear_of_it() {
        let site = TestApp::new().await;
        let host = TestApp::described("a1", 1);
        let sent = (0..16).map(|_| sent(&site, "hosts", "k1", &host));
        let replies = futures_util::future::join_all(sent).await;
        for reply in replies {
            assert_eq!(reply.status, 201, "{}", reply.text());
        }
        assert_eq!(
            site.api_get("/api/v1/hosts").await.json()["items"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
    }
}
