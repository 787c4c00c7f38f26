//! People who may sign in: added with a role and a link by which they choose their password, and taken away.

use askama::Template;
use axum::http::{Method, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use thirdboot_api::Problem;
use thirdboot_api::control::{AccessRole, Empty, Page, RoleBody, UserLink, UserSpec, UserView};

use super::form::{Fields, Form};
use super::frame::{self, Shell};
use super::links;
use super::visitor::Visitor;
use crate::boot::Transport;
use crate::path::Path;
use crate::problem::Failure;

#[derive(Template)]
#[template(path = "page/users.html")]
struct UsersPage {
    shell: Shell,
    users: Vec<UserView>,
    /// Whose page it is: about oneself another admin decides.
    own: String,
    made: Option<Made>,
    fields: Fields,
    problem: Option<Problem>,
}

/// A link that was just made. It is shown this once.
struct Made {
    name: String,
    url: String,
    expires_at: Timestamp,
}

impl UsersPage {
    /// What is wrong with this field of the form; with none, what is wrong with none of them.
    fn wrong(&self, field: &str) -> Option<String> {
        let problem = self.problem.as_ref()?;
        let at = problem.field.as_deref().unwrap_or_default();
        let is_here = if field.is_empty() {
            !["name", "role"].contains(&at)
        } else {
            at == field
        };
        is_here.then(|| problem.detail.clone().unwrap_or_else(|| problem.title.clone()))
    }
}

fn api(name: &str, rest: &str) -> String {
    format!("/api/v1/users/{}{rest}", links::segment(name))
}

/// The list, with the form to add somebody.
pub(super) async fn list(visitor: Visitor) -> Response {
    built(&visitor, None, Fields::default(), None).await
}

async fn built(visitor: &Visitor, made: Option<Made>, fields: Fields, problem: Option<Problem>) -> Response {
    let status = problem.as_ref().map_or(200, |problem| problem.status);
    let users: Result<Page<UserView>, Problem> = visitor.get("/api/v1/users").await;
    match users {
        Ok(users) => {
            let page = UsersPage {
                shell: visitor.shell("users", "Users"),
                users: users.items,
                own: visitor.name.clone(),
                made,
                fields,
                problem,
            };
            frame::page_as(status, &page)
        }
        Err(problem) => visitor.trouble(&problem),
    }
}

/// Adds somebody, and shows the link for them.
pub(super) async fn add(form: Form) -> Response {
    let Form { visitor, fields } = form;
    let added = async {
        let spec = UserSpec {
            name: fields.get("name").to_owned(),
            role: wanted(&fields)?,
            password: None,
        };
        let added: UserView = visitor.post("/api/v1/users", &spec).await?;
        made(&visitor, &added.name).await
    };
    let added: Result<Made, Problem> = added.await;
    match added {
        Ok(made) => built(&visitor, Some(made), Fields::default(), None).await,
        Err(problem) => built(&visitor, None, fields, Some(problem)).await,
    }
}

/// Makes another link for somebody.
pub(super) async fn link(Path(name): Path<String>, form: Form) -> Response {
    match made(&form.visitor, &name).await {
        Ok(made) => built(&form.visitor, Some(made), Fields::default(), None).await,
        Err(problem) => built(&form.visitor, None, Fields::default(), Some(problem)).await,
    }
}

async fn made(visitor: &Visitor, name: &str) -> Result<Made, Problem> {
    let link: UserLink = visitor.post(&api(name, "/link"), &Empty {}).await?;
    let scheme = match visitor.transport {
        Transport::Tls => "https",
        Transport::Plain => "http",
    };
    let host = visitor.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    Ok(Made {
        name: name.to_owned(),
        // Where the admin is, the other one can most likely be, too.
        url: host.map_or_else(|| link.path.clone(), |host| format!("{scheme}://{host}{}", link.path)),
        expires_at: link.expires_at,
    })
}

fn wanted(fields: &Fields) -> Result<AccessRole, Failure> {
    let role = fields.get("role").parse::<AccessRole>();
    role.map_err(|error| Failure::field("role", error.to_string()))
}

/// Sets somebody's role.
pub(super) async fn role(Path(name): Path<String>, form: Form) -> Response {
    let Form { visitor, fields } = form;
    let set = async {
        let role = wanted(&fields)?;
        visitor
            .send(Method::PUT, &api(&name, "/role"), &[], &RoleBody { role })
            .await
    };
    let set: Result<UserView, Problem> = set.await;
    done(&visitor, "role", set).await
}

/// Takes somebody away.
pub(super) async fn remove(Path(name): Path<String>, form: Form) -> Response {
    let visitor = form.visitor;
    let removed = visitor.send(Method::DELETE, &api(&name, ""), &[], &Empty {}).await;
    done(&visitor, "remove", removed).await
}

async fn done(visitor: &Visitor, what: &str, done: Result<UserView, Problem>) -> Response {
    match done {
        Ok(_) => Redirect::to(&links::with("/users", &[("done", what)])).into_response(),
        Err(problem) => built(visitor, None, Fields::default(), Some(problem)).await,
    }
}
