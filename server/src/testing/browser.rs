//! Somebody at the pages: cookies are kept, forms are sent as the page has them.

use std::cell::RefCell;
use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::json;
use thirdboot_store::AccessRole;

use super::{Reply, TestApp};
use crate::boot::Peer;

/// The password of everybody.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// Somebody at the pages.
pub(crate) struct Browser<'a> {
    site: &'a TestApp,
    cookies: RefCell<BTreeMap<String, String>>,
}

impl TestApp {
    /// A browser in which nobody is signed in.
    pub(crate) fn browser(&self) -> Browser<'_> {
        Browser {
            site: self,
            cookies: RefCell::default(),
        }
    }

    /// The browser of somebody of that role.
    pub(crate) async fn signed_in(&self, role: AccessRole) -> Browser<'_> {
        let name = format!("some-{}", role.as_str());
        let user = json!({"name": name, "role": role.as_str(), "password": PASSWORD});
        let added = self.api_post("/api/v1/users", &user).await;
        assert!([201, 409].contains(&added.status.as_u16()), "{}", added.text());
        let browser = self.browser();
        let answer = browser.sign_in(&name, PASSWORD).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        browser
    }
}

impl Browser<'_> {
    /// A page.
    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.ask(Method::GET, path, &[("accept", "text/html")], Body::empty())
            .await
    }

    /// The form on `page` that goes to `path`, with these fields beside its hidden ones.
    pub(crate) async fn send(&self, page: &str, path: &str, fields: &[(&str, &str)]) -> Reply {
        let text = self.get(page).await.text();
        let form = form_to(&text, path).unwrap_or_else(|| panic!("no form to {path} on {page}: {text}"));
        let mut body = form_urlencoded::Serializer::new(String::new());
        for (name, value) in hidden(form) {
            if fields.iter().all(|(other, _)| *other != name) {
                body.append_pair(name, value);
            }
        }
        for (name, value) in fields {
            body.append_pair(name, value);
        }
        self.post(path, &body.finish(), &[("origin", "http://control.test")])
            .await
    }

    /// What the browser keeps of who is signed in.
    pub(crate) fn session(&self) -> String {
        self.cookies.borrow()["thirdboot"].clone()
    }

    /// A body sent to a path, whatever any page has.
    pub(crate) async fn post(&self, path: &str, body: &str, headers: &[(&str, &str)]) -> Reply {
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend(headers);
        self.ask(Method::POST, path, &all, Body::from(body.to_owned())).await
    }

    pub(crate) async fn sign_in(&self, name: &str, password: &str) -> Reply {
        self.send("/sign-in", "/sign-in", &[("name", name), ("password", password)])
            .await
    }

    /// A stream, not read yet.
    pub(crate) async fn open(&self, path: &str) -> axum::response::Response {
        self.open_with(path, &[]).await
    }

    /// The same with these headers.
    pub(crate) async fn open_with(&self, path: &str, headers: &[(&str, String)]) -> axum::response::Response {
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let request = self.request(Method::GET, path, &headers, Body::empty());
        self.site.open(request).await
    }

    fn request(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Body) -> Request<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "control.test");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let kept: Vec<String> = self
            .cookies
            .borrow()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !kept.is_empty() {
            request = request.header("cookie", kept.join("; "));
        }
        let mut request = request.body(body).unwrap();
        request.extensions_mut().insert(Peer(([127, 0, 0, 1], 1).into()));
        request
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Body) -> Reply {
        let request = self.request(method, path, headers, body);
        let reply = self.site.control(request).await;
        for line in reply.headers.get_all("set-cookie") {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.borrow_mut().remove(name);
            } else {
                self.cookies.borrow_mut().insert(name.to_owned(), value.to_owned());
            }
        }
        reply
    }
}

/// The token that the forms of a page carry.
pub(crate) fn form_token(page: &str) -> String {
    let token = page.split_once("name=\"form\" value=\"").map(|(_, rest)| rest);
    let token = token.and_then(|rest| rest.split('"').next());
    token.unwrap_or_else(|| panic!("no form: {page}")).to_owned()
}

/// The text of the form that goes there.
fn form_to<'t>(page: &'t str, path: &str) -> Option<&'t str> {
    let forms = page.split("<form ").skip(1);
    let mut forms = forms.filter_map(|form| form.split_once("</form>").map(|(form, _)| form));
    forms.find(|form| {
        let head = form.split_once('>').map_or("", |(head, _)| head);
        head.contains("method=\"post\"") && head.contains(&format!("action=\"{path}\""))
    })
}

/// Names and values of what a form sends without anybody's doing.
fn hidden(form: &str) -> Vec<(&str, &str)> {
    let inputs = form.split("<input type=\"hidden\" name=\"").skip(1);
    inputs
        .filter_map(|input| {
            let (name, rest) = input.split_once("\" value=\"")?;
            Some((name, rest.split_once('"')?.0))
        })
        .collect()
}
