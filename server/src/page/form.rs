//! Forms: read whole, and taken from our own pages only.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts as _};
use axum::http::{HeaderMap, Request, header};
use axum::response::Response;
use subtle::ConstantTimeEq as _;
use thirdboot_api::{Problem, ProblemType};

use super::Pages;
use super::visitor::{Visitor, form_token};
use crate::boot;

/// A template's text is the largest thing that is ever typed.
const MAX_BYTES: usize = 1 << 20;
/// The field that carries the form's token.
pub(super) const TOKEN: &str = "form";

/// What was typed into a form.
#[derive(Debug, Default, Clone)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// A field as it was typed; empty where there is none.
    pub(super) fn raw(&self, name: &str) -> &str {
        let mut found = self.0.iter().filter(|(key, _)| key == name);
        found.next().map_or("", |(_, value)| value)
    }

    /// A field without the blanks around it.
    pub(super) fn get(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// A field, if something was typed.
    pub(super) fn some(&self, name: &str) -> Option<String> {
        Some(self.get(name))
            .filter(|value| !value.is_empty())
            .map(ToOwned::to_owned)
    }

    /// Everything of this name: boxes that were ticked.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        let found = self.0.iter().filter(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).collect()
    }

    /// The words of a field.
    pub(super) fn words(&self, name: &str) -> Vec<String> {
        words(self.raw(name))
    }
}

/// Words, whatever stands between them: blanks, commas, ends of lines.
pub(super) fn words(text: &str) -> Vec<String> {
    let words = text.split([',', ' ', '\n', '\r', '\t']);
    words.filter(|word| !word.is_empty()).map(ToOwned::to_owned).collect()
}

/// A form of who is signed in.
pub(super) struct Form {
    pub(super) visitor: Visitor,
    pub(super) fields: Fields,
}

impl FromRequest<Pages> for Form {
    type Rejection = Response;

    async fn from_request(request: Request<Body>, pages: &Pages) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, pages).await?;
        let fields = fields(&parts.headers, body)
            .await
            .map_err(|problem| visitor.trouble(&problem))?;
        if !is_ours(&fields, &visitor.session) {
            return Err(visitor.trouble(&foreign()));
        }
        Ok(Self { visitor, fields })
    }
}

/// Whether it carries the token of what the browser keeps.
pub(super) fn is_ours(fields: &Fields, kept: &str) -> bool {
    let expected = form_token(kept);
    bool::from(fields.raw(TOKEN).as_bytes().ct_eq(expected.as_bytes()))
}

/// A form that some other page had the browser send.
pub(super) fn foreign() -> Problem {
    let detail = "this form did not come from a page of yours: go back, load the page again, and send it once more";
    Problem::new(ProblemType::Forbidden, detail)
}

/// Reads a form that no other site sent.
pub(super) async fn fields(headers: &HeaderMap, body: Body) -> Result<Fields, Problem> {
    if !is_same_site(headers) {
        return Err(foreign());
    }
    let bytes = boot::bytes(body, MAX_BYTES).await?;
    Ok(Fields(form_urlencoded::parse(&bytes).into_owned().collect()))
}

/// What the browser itself says of where a form comes from. Old ones say nothing: the token decides.
fn is_same_site(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if text("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none") {
        return false;
    }
    match (text("origin"), text(header::HOST.as_str())) {
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, there)| there == host),
        (Some(_), None) => false,
        (None, _) => true,
    }
}
