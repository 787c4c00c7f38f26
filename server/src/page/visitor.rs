//! Who looks at a page: a session's cookie, and what the request says beside it.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use thirdboot_api::Problem;
use thirdboot_store::{AccessRole, Actor};

use super::frame::{self, Notice, Person, Shell};
use super::{Pages, links};
use crate::api::{Caller, token_sha256};
use crate::boot::{Peer, Source, Transport};

/// The session's cookie over TLS: the prefix has browsers refuse it from anywhere else.
const COOKIE_TLS: &str = "__Host-thirdboot";
/// The session's cookie in the open.
const COOKIE: &str = "thirdboot";
/// By this header the page's script says what it was told of last.
const LOOK: &str = "x-thirdboot-look";

/// Somebody who is signed in.
pub(super) struct Visitor {
    pub(super) pages: Pages,
    pub(super) caller: Caller,
    pub(super) name: String,
    pub(super) session: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) transport: Transport,
    pub(super) source: Source,
    pub(super) headers: HeaderMap,
    pub(super) peer: Option<Peer>,
    /// The log's last line when the request came: everything up to it is in what is read for it.
    tip: u64,
}

impl FromRequestParts<Pages> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, pages: &Pages) -> Result<Self, Response> {
        let app = &pages.app;
        let transport = Transport::of(app, &parts.extensions, &parts.headers);
        let source = Source::from_request_parts(parts, app)
            .await
            .map_err(|failure| frame::bare(failure.problem()))?;
        let secret = cookie(&parts.headers, name_of(transport)).ok_or_else(|| to_sign_in(parts))?;
        let found = app.store.session(&token_sha256(secret)).await;
        let found = found.map_err(|error| frame::bare(crate::problem::Failure::from(error).problem()))?;
        let (session, role) = found.ok_or_else(|| to_sign_in(parts))?;
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self {
            pages: pages.clone(),
            caller: Caller {
                by: Actor::User(session.user.clone()),
                role,
            },
            name: session.user,
            session: secret.to_owned(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            transport,
            source,
            headers: parts.headers.clone(),
            peer: parts.extensions.get().copied(),
            tip: app.store.changed(0, Duration::ZERO).await,
        })
    }
}

/// What was posted is lost with the session, the page that it came from is not.
fn to_sign_in(parts: &Parts) -> Response {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let next = if parts.method == Method::GET { path } else { "/" };
    Redirect::to(&links::with("/sign-in", &[("next", next)])).into_response()
}

impl Visitor {
    pub(super) fn now(&self) -> Timestamp {
        self.pages.app.store.now()
    }

    pub(super) fn asked(&self, name: &str) -> Option<&str> {
        let mut found = self
            .query
            .iter()
            .filter(|(key, value)| key == name && !value.trim().is_empty());
        found.next().map(|(_, value)| value.trim())
    }

    /// Whether the page's script asks, for what changed since: the log's number that it was told of.
    pub(super) fn looks_again(&self) -> Option<u64> {
        self.headers.get(LOOK)?.to_str().ok()?.parse().ok()
    }

    pub(super) fn may_operate(&self) -> bool {
        self.caller.role >= AccessRole::Operator
    }

    pub(super) fn is_admin(&self) -> bool {
        self.caller.role >= AccessRole::Admin
    }

    /// What stands around every page.
    pub(super) fn shell(&self, here: &'static str, title: impl Into<String>) -> Shell {
        Shell {
            title: title.into(),
            here,
            person: Some(Person {
                name: self.name.clone(),
                role: self.caller.role.as_str(),
                is_admin: self.is_admin(),
            }),
            form: form_token(&self.session),
            now: self.now(),
            live: None,
            seen: self.tip,
            page: None,
            notice: self.asked("done").and_then(Notice::done),
        }
    }

    /// The page that says why there is none.
    pub(super) fn trouble(&self, problem: &Problem) -> Response {
        frame::trouble(self.shell("", "Not shown"), problem)
    }
}

/// A form of this session carries this; nobody else can know it.
pub(super) fn form_token(session: &str) -> String {
    let digest = Sha256::new().chain_update("form\0").chain_update(session).finalize();
    HEXLOWER.encode(&digest[..16])
}

pub(super) fn name_of(transport: Transport) -> &'static str {
    match transport {
        Transport::Tls => COOKIE_TLS,
        Transport::Plain => COOKIE,
    }
}

/// A cookie of this name.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter();
    let pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// A cookie that no script reads and no other site sends along.
pub(super) fn set_cookie(name: &str, value: &str, max_age_s: i64, transport: Transport) -> String {
    let secure = if transport == Transport::Tls { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}")
}
