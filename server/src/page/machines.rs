//! Machines that nobody described: what they said, and the form that makes a host of one.

use std::collections::BTreeMap;

use askama::Template;
use axum::http::Method;
use axum::response::{IntoResponse as _, Redirect, Response};
use thirdboot_api::control::{AdoptBody, Empty, HostView, KnownBy, Page, Platform, Role, UnknownMachineView};
use thirdboot_api::{Problem, ProblemType};

use super::form::{Fields, Form};
use super::frame::{self, Shell};
use super::links;
use super::visitor::Visitor;
use crate::path::Path;
use crate::problem::Failure;

#[derive(Template)]
#[template(path = "page/machines.html")]
struct ListPage {
    shell: Shell,
    machines: Vec<UnknownMachineView>,
}

#[derive(Template)]
#[template(path = "page/machine.html")]
struct MachinePage {
    shell: Shell,
    machine: UnknownMachineView,
    may_operate: bool,
    fields: Fields,
    problem: Option<Problem>,
}

impl MachinePage {
    fn is(&self, field: &str, value: &str, usual: &str) -> bool {
        let typed = self.fields.get(field);
        if typed.is_empty() {
            value == usual
        } else {
            value == typed
        }
    }

    fn wrong(&self, field: &str) -> Option<String> {
        let problem = self.problem.as_ref()?;
        let at = problem.field.as_deref().unwrap_or_default();
        let at = at.split(['[', '.']).next().unwrap_or_default();
        let known = ["name", "cluster", "ssh_keys", "labels"];
        let is_here = if field.is_empty() {
            !known.contains(&at)
        } else {
            at == field
        };
        is_here.then(|| match field {
            "" if !at.is_empty() => format!("{at}: {}", problem.says()),
            _ => problem.says().to_owned(),
        })
    }
}

/// The machines, the last seen first.
async fn all(visitor: &Visitor) -> Result<Vec<UnknownMachineView>, Problem> {
    let page: Page<UnknownMachineView> = visitor.get("/api/v1/unknown-machines").await?;
    Ok(page.items)
}

/// How many there are.
pub(super) async fn count(visitor: &Visitor) -> Result<usize, Problem> {
    all(visitor).await.map(|machines| machines.len())
}

async fn numbered(visitor: &Visitor, id: &str) -> Result<UnknownMachineView, Problem> {
    let machines = all(visitor).await?;
    let found = machines.into_iter().find(|machine| machine.id.to_string() == id);
    found.ok_or_else(|| {
        let detail = "there is no such machine: it was adopted, dismissed, or not seen for long";
        Problem::new(ProblemType::NotFound, detail)
    })
}

/// The list.
pub(super) async fn list(visitor: Visitor) -> Response {
    match all(&visitor).await {
        Ok(machines) => frame::page(&ListPage {
            shell: visitor.shell("unknown", "Unknown machines").live(None),
            machines,
        }),
        Err(problem) => visitor.trouble(&problem),
    }
}

/// One machine, with the form to adopt it.
pub(super) async fn show(visitor: Visitor, Path(id): Path<String>) -> Response {
    built(&visitor, &id, Fields::default(), None).await
}

async fn built(visitor: &Visitor, id: &str, fields: Fields, problem: Option<Problem>) -> Response {
    let status = problem.as_ref().map_or(200, |problem| problem.status);
    match numbered(visitor, id).await {
        Ok(machine) => {
            let page = MachinePage {
                shell: visitor.shell("unknown", format!("Unknown machine {id}")),
                machine,
                may_operate: visitor.may_operate(),
                fields,
                problem,
            };
            frame::page_as(status, &page)
        }
        Err(problem) => visitor.trouble(&problem),
    }
}

/// Makes a host of it.
pub(super) async fn adopt(Path(id): Path<String>, form: Form) -> Response {
    let Form { visitor, fields } = form;
    let adopted: Result<HostView, Problem> = match described(&fields) {
        Ok(body) => {
            let path = format!("/api/v1/unknown-machines/{}/adopt", links::segment(&id));
            visitor.post(&path, &body).await
        }
        Err(failure) => Err(failure.into()),
    };
    match adopted {
        Ok(host) => Redirect::to(&format!("/hosts/{}?done=adopt", host.name)).into_response(),
        Err(problem) => built(&visitor, &id, fields, Some(problem)).await,
    }
}

fn described(fields: &Fields) -> Result<AdoptBody, Failure> {
    let mut labels = BTreeMap::new();
    for word in fields.words("labels") {
        let Some((key, value)) = word.split_once('=') else {
            let detail = format!("{word:?} is no label: expected key=value");
            return Err(Failure::field("labels", detail));
        };
        labels.insert(key.to_owned(), value.to_owned());
    }
    let word = |field: &str, error: String| Failure::field(field, error);
    Ok(AdoptBody {
        name: fields.get("name").to_owned(),
        role: fields
            .get("role")
            .parse::<Role>()
            .map_err(|error| word("role", error.to_string()))?,
        platform: fields
            .get("platform")
            .parse::<Platform>()
            .map_err(|error| word("platform", error.to_string()))?,
        known_by: fields
            .get("known_by")
            .parse::<KnownBy>()
            .map_err(|error| word("known_by", error.to_string()))?,
        cluster: fields.some("cluster"),
        ssh_keys: fields
            .raw("ssh_keys")
            .lines()
            .map(str::trim)
            .filter(|key| !key.is_empty())
            .map(Into::into)
            .collect(),
        labels,
        ..AdoptBody::default()
    })
}

/// Takes it off the list.
pub(super) async fn dismiss(Path(id): Path<String>, form: Form) -> Response {
    let visitor = form.visitor;
    let path = format!("/api/v1/unknown-machines/{}", links::segment(&id));
    let dismissed: Result<serde_json::Value, Problem> = visitor.send(Method::DELETE, &path, &[], &Empty {}).await;
    match dismissed {
        Ok(_) => Redirect::to("/unknown?done=dismiss").into_response(),
        Err(problem) => visitor.trouble(&problem),
    }
}
