//! In and out: sign-in, sign-out, one's own password, and the links with which somebody begins.

mod account;
mod set_up;

use askama::Template;
use axum::body::Body;
use axum::extract::{FromRequestParts as _, State};
use axum::http::{HeaderMap, HeaderValue, Request, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use thirdboot_api::Problem;

use super::form::{self, Fields, Form};
use super::frame::{self, Shell};
use super::visitor::{cookie, form_token, name_of, set_cookie};
use super::{Pages, links};
use crate::App;
use crate::boot::{Source, Transport};
use crate::people::{self, NotSignedIn, SESSION};
use crate::problem::Failure;
use crate::secrets::random_text;

pub(super) use account::{change_password, show as account};
pub(super) use set_up::{begin, show as set_up};

/// What a form is bound to while nobody is signed in.
const FORM_COOKIE: &str = "thirdboot-form";
/// For so long the form of a sign-in may stand open, in seconds.
const FORM_AGE_S: i64 = 12 * 3600;

#[derive(Template)]
#[template(path = "page/sign_in.html")]
struct SignInPage {
    shell: Shell,
    next: String,
    name: String,
    wrong: Option<String>,
    /// Nobody has a password yet.
    is_new: bool,
}

/// What is wrong with which field.
struct Wrong {
    field: &'static str,
    says: String,
}

impl Wrong {
    fn of(problem: &Problem) -> Self {
        let field = match problem.field.as_deref() {
            Some("name") => "name",
            Some("password") => "password",
            _ => "",
        };
        let says = problem.says().to_owned();
        Self { field, says }
    }
}

/// Somebody who is not signed in, with what binds a form to their browser.
pub(super) struct Stranger {
    app: App,
    headers: HeaderMap,
    transport: Transport,
    source: Source,
    bound: String,
    is_new: bool,
}

impl Stranger {
    async fn of(request: Request<Body>, pages: &Pages) -> Result<(Self, Body), Response> {
        let (mut parts, body) = request.into_parts();
        let app = pages.app.clone();
        let transport = Transport::of(&app, &parts.extensions, &parts.headers);
        let source = Source::from_request_parts(&mut parts, &app).await;
        let source = source.map_err(|failure| frame::bare(failure.problem()))?;
        let kept = cookie(&parts.headers, FORM_COOKIE).filter(|kept| kept.len() >= 32);
        let (bound, is_new) = match kept {
            Some(kept) => (kept.to_owned(), false),
            None => (
                random_text().map_err(|error| frame::bare(Failure::internal(error).problem()))?,
                true,
            ),
        };
        let stranger = Self {
            app,
            headers: parts.headers,
            transport,
            source,
            bound,
            is_new,
        };
        Ok((stranger, body))
    }

    fn shell(&self, title: &str) -> Shell {
        Shell {
            title: title.to_owned(),
            here: "",
            person: None,
            form: form_token(&self.bound),
            now: Timestamp::UNIX_EPOCH,
            live: None,
            seen: 0,
            page: None,
            notice: None,
        }
    }

    /// What they typed, if it came from our own form.
    async fn fields(&self, body: Body) -> Result<Fields, Response> {
        let fields = form::fields(&self.headers, body)
            .await
            .map_err(|problem| frame::bare(&problem))?;
        if self.is_new || !form::is_ours(&fields, &self.bound) {
            return Err(frame::bare(&form::foreign()));
        }
        Ok(fields)
    }

    fn bind(&self, mut response: Response) -> Response {
        if self.is_new {
            let kept = set_cookie(FORM_COOKIE, &self.bound, FORM_AGE_S, self.transport);
            add_cookie(&mut response, &kept);
        }
        response
    }

    /// Sends them on with a session.
    async fn enter(&self, name: &str, password: &str, next: &str) -> Result<Response, NotSignedIn> {
        let session = people::sign_in(&self.app, name, password, self.source.0).await?;
        let mut response = Redirect::to(next).into_response();
        let kept = set_cookie(
            name_of(self.transport),
            &session.secret,
            SESSION.as_secs(),
            self.transport,
        );
        add_cookie(&mut response, &kept);
        Ok(response)
    }
}

fn add_cookie(response: &mut Response, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// The form to sign in.
pub(super) async fn show(State(pages): State<Pages>, request: Request<Body>) -> Result<Response, Response> {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let next = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == "next");
    let next = next.map_or_else(|| "/".to_owned(), |(_, next)| links::own(&next).to_owned());
    let is_done = query.contains("done=password");
    let (stranger, _) = Stranger::of(request, &pages).await?;
    let users = stranger.app.store.users().await;
    let mut shell = stranger.shell("Sign in");
    shell.notice = is_done.then(|| frame::Notice::done("password")).flatten();
    let page = frame::page(&SignInPage {
        shell,
        next,
        name: String::new(),
        wrong: None,
        is_new: users.is_ok_and(|users| users.iter().all(|user| user.password_hash.is_none())),
    });
    Ok(stranger.bind(page))
}

/// Opens a session.
pub(super) async fn sign_in(State(pages): State<Pages>, request: Request<Body>) -> Result<Response, Response> {
    let (stranger, body) = Stranger::of(request, &pages).await?;
    let fields = stranger.fields(body).await?;
    let (name, next) = (fields.get("name").to_owned(), links::own(fields.raw("next")).to_owned());
    let (status, wrong) = match stranger.enter(&name, fields.raw("password"), &next).await {
        Ok(response) => return Ok(response),
        Err(NotSignedIn::Wrong) => (401, "That name and password do not belong together.".to_owned()),
        Err(NotSignedIn::TooOften(seconds)) => (
            429,
            format!("Too many attempts. Try again in {}.", super::show::span_s(seconds)),
        ),
        Err(NotSignedIn::Failed(failure)) => return Err(frame::bare(failure.problem())),
    };
    let page = SignInPage {
        shell: stranger.shell("Sign in"),
        next,
        name,
        wrong: Some(wrong),
        is_new: false,
    };
    Ok(frame::page_as(status, &page))
}

/// Ends the session.
pub(super) async fn sign_out(form: Form) -> Response {
    let visitor = form.visitor;
    let ended = visitor
        .pages
        .app
        .store
        .close_session(&crate::api::token_sha256(&visitor.session))
        .await;
    if let Err(error) = ended {
        return visitor.trouble(Failure::from(error).problem());
    }
    let mut response = Redirect::to("/sign-in").into_response();
    add_cookie(
        &mut response,
        &set_cookie(name_of(visitor.transport), "", 0, visitor.transport),
    );
    response
}
