//! What stands around every page, and what every answer carries.

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse as _, Response};
use bytes::Bytes;
use jiff::Timestamp;
use thirdboot_api::{PROBLEM_MEDIA_TYPE, Problem, ProblemType};

use super::visitor::Visitor;
use super::{Pages, links, show};
use crate::problem::Failure;
use axum::extract::FromRequestParts as _;

/// Nothing from elsewhere, nothing inline, nobody frames it.
pub(super) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
    connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What everybody may look at.
const MENU: [(&str, &str, &str); 6] = [
    ("fleet", "/", "Fleet"),
    ("clusters", "/clusters", "Clusters"),
    ("reboots", "/reboots", "Reboots"),
    ("unknown", "/unknown", "Unknown machines"),
    ("templates", "/templates", "Templates"),
    ("assets", "/assets", "Assets"),
];

/// What stands around every page.
pub(super) struct Shell {
    pub(super) title: String,
    /// Which entry of the menu is this page's.
    pub(super) here: &'static str,
    /// Who is signed in.
    pub(super) person: Option<Person>,
    /// The token of this session's forms.
    pub(super) form: String,
    pub(super) now: Timestamp,
    /// Where the page hears that it is old.
    pub(super) live: Option<String>,
    /// The log's line up to which everything is on the page.
    pub(super) seen: u64,
    /// Where the page is asked for again, if not at its own address: that of a form is only sent to.
    pub(super) page: Option<String>,
    pub(super) notice: Option<Notice>,
}

/// Who is signed in.
pub(super) struct Person {
    pub(super) name: String,
    pub(super) role: &'static str,
    pub(super) is_admin: bool,
}

/// What was just done.
pub(super) struct Notice(pub(super) &'static str);

impl Notice {
    /// The sentence for a word in the URL: no text of others gets onto a page.
    pub(super) fn done(word: &str) -> Option<Self> {
        let says = match word {
            "arm" => "Armed. The next boot over the network installs.",
            "inspect" => "Armed for an inspection. The next boot over the network looks and writes nothing.",
            "hold" => "On hold. It boots nothing until it is released.",
            "release" => "Released.",
            "cancel" => "The run is cancelled.",
            "retire" => "Retired. It boots its disk and cannot be armed.",
            "unretire" => "In service again.",
            "adopt" => "Adopted. It stays on hold until it is armed or released.",
            "dismiss" => "Taken off the list. It comes back when the machine asks again.",
            "save" => "Saved. Hosts that are armed from now on get it.",
            "delete" => "Deleted. Its versions stay readable.",
            "pull" => "The pull has begun.",
            "cancel-pull" => "The pull is cancelled.",
            "password" => "Your password is set. Sign in with it from now on.",
            "welcome" => "Welcome. You are the first admin.",
            "chosen" => "Your password is set.",
            "role" => "The role is set. It counts at once, also where they are signed in.",
            "remove" => "Removed. They are signed out everywhere.",
            "free" => "The slot is free again.",
            _ => return None,
        };
        Some(Self(says))
    }
}

impl Shell {
    /// The menu: which page, where, its name.
    pub(super) fn menu(&self) -> Vec<(&'static str, &'static str, &'static str)> {
        let mut entries = MENU.to_vec();
        if self.person.as_ref().is_some_and(|person| person.is_admin) {
            entries.push(("users", "/users", "Users"));
            entries.push(("audit", "/audit", "Audit"));
        }
        entries
    }

    /// How long ago, with the exact time on hover.
    pub(super) fn ago(&self, at: &Timestamp) -> String {
        show::ago(*at, self.now)
    }

    /// The same of what may not be.
    pub(super) fn ago_or_dash(&self, at: Option<&Timestamp>) -> String {
        at.map_or_else(|| "–".to_owned(), |at| self.ago(at))
    }

    /// The page live: of everything, or of this host.
    pub(super) fn live(mut self, host: Option<&str>) -> Self {
        let seen = self.seen.to_string();
        let query = [("host", host.unwrap_or_default()), ("seen", &seen)];
        self.live = Some(links::with("/live", &query));
        self
    }

    /// The page that is answered to a form, and is found there.
    pub(super) fn at(mut self, is_answer: bool, path: impl Into<String>) -> Self {
        self.page = is_answer.then(|| path.into());
        self
    }
}

/// A page.
pub(super) fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page cannot be rendered");
            bare(&Problem::new(ProblemType::Internal, "the server's log says more"))
        }
    }
}

/// A part of a page, as text.
pub(super) fn text(template: &impl Template) -> Result<Bytes, Failure> {
    template.render().map(Into::into).map_err(|error| {
        tracing::error!(%error, "a part of a page cannot be rendered");
        Failure::new(ProblemType::Internal, "the server's log says more")
    })
}

/// A page with another status than usual.
pub(super) fn page_as(status: u16, template: &impl Template) -> Response {
    let mut response = page(template);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

#[derive(Template)]
#[template(path = "page/trouble.html")]
struct Trouble<'a> {
    shell: Shell,
    problem: &'a Problem,
}

/// The page that says why there is none.
pub(super) fn trouble(shell: Shell, problem: &Problem) -> Response {
    page_as(problem.status, &Trouble { shell, problem })
}

/// The same for who is not signed in.
pub(super) fn bare(problem: &Problem) -> Response {
    let shell = Shell {
        title: problem.title.clone(),
        here: "",
        person: None,
        form: String::new(),
        now: Timestamp::UNIX_EPOCH,
        live: None,
        seen: 0,
        page: None,
        notice: None,
    };
    trouble(shell, problem)
}

/// Puts on every page what keeps others out of it.
pub(super) async fn guard(request: Request<Body>, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        ("content-security-policy", CONTENT_SECURITY_POLICY),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A browser that asks for what is not there gets a page, not a problem document.
pub(super) async fn dress_lost(State(pages): State<Pages>, request: Request<Body>, next: Next) -> Response {
    let path = request.uri().path();
    let wants_page = request.method() == Method::GET
        && !path.starts_with("/api/")
        && request
            .headers()
            .get(header::ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|accept| accept.contains("text/html"));
    if !wants_page {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let response = next.run(Request::from_parts(parts.clone(), body)).await;
    let is_problem = |value: &HeaderValue| value == PROBLEM_MEDIA_TYPE;
    let problem = match response.status() {
        StatusCode::NOT_FOUND => Problem::new(ProblemType::NotFound, "there is no page at this address"),
        StatusCode::METHOD_NOT_ALLOWED => {
            let detail = "forms are sent to this address, there is no page at it: go back to the page with the form";
            Problem::new(ProblemType::MethodNotAllowed, detail)
        }
        _ => return response,
    };
    if !response.headers().get(header::CONTENT_TYPE).is_some_and(is_problem) {
        return response;
    }
    let mut page = match Visitor::from_request_parts(&mut parts, &pages).await {
        Ok(visitor) => visitor.trouble(&problem),
        Err(_) => bare(&problem),
    };
    let policy = HeaderValue::from_static(CONTENT_SECURITY_POLICY);
    page.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    if let Some(allow) = response.headers().get(header::ALLOW) {
        page.headers_mut().insert(header::ALLOW, allow.clone());
    }
    page
}
