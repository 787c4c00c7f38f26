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
    tried: Tried,
}

/// What was typed or chosen, and why it was not done.
#[derive(Default)]
struct Tried {
    /// Whose role was to be set; none where somebody was to be added.
    user: Option<String>,
    fields: Fields,
    problem: Option<Problem>,
}

impl Tried {
    /// Something about a user, which is said above all of them.
    fn failed(problem: Problem) -> Self {
        let problem = Problem { field: None, ..problem };
        Self {
            problem: Some(problem),
            ..Self::default()
        }
    }
}

/// A link that was just made. It is shown this once.
struct Made {
    name: String,
    url: String,
    expires_at: Timestamp,
}

impl UsersPage {
    /// Why this row's role was not set.
    fn wrong_in_row(&self, user: &str) -> Option<&str> {
        let problem = self.tried.problem.as_ref()?;
        let is_here = self.tried.user.as_deref() == Some(user) && user != self.own;
        is_here.then(|| problem.says())
    }

    /// Whether this role is the chosen one in a row.
    fn is_chosen(&self, user: &UserView, role: &str) -> bool {
        let tried = self.wrong_in_row(&user.name).map(|_| self.tried.fields.get("role"));
        let tried = tried.filter(|tried| super::words::access_roles().any(|known| known == *tried));
        tried.unwrap_or(user.role.as_str()) == role
    }

    /// What was typed into the form to add somebody.
    fn typed(&self, field: &str) -> &str {
        if self.tried.user.is_some() {
            return "";
        }
        self.tried.fields.get(field)
    }

    /// What is wrong with this field of that form; with none, what is wrong with none of them, and in no row.
    fn wrong(&self, field: &str) -> Option<String> {
        let problem = self.tried.problem.as_ref()?;
        let at = problem.field.as_deref().unwrap_or_default();
        let is_here = match (&self.tried.user, field) {
            (Some(_), "") => !self.users.iter().any(|user| self.wrong_in_row(&user.name).is_some()),
            (Some(_), _) => false,
            (None, "") => !["name", "role"].contains(&at),
            (None, field) => at == field,
        };
        is_here.then(|| problem.says().to_owned())
    }
}

fn api(name: &str, rest: &str) -> String {
    format!("/api/v1/users/{}{rest}", links::segment(name))
}

/// The list, with the form to add somebody.
pub(super) async fn list(visitor: Visitor) -> Response {
    built(&visitor, None, Tried::default()).await
}

async fn built(visitor: &Visitor, made: Option<Made>, tried: Tried) -> Response {
    let status = tried.problem.as_ref().map_or(200, |problem| problem.status);
    let users: Result<Page<UserView>, Problem> = visitor.get("/api/v1/users").await;
    match users {
        Ok(users) => {
            let page = UsersPage {
                shell: visitor.shell("users", "Users"),
                users: users.items,
                own: visitor.name.clone(),
                made,
                tried,
            };
            frame::page_as(status, &page)
        }
        Err(problem) => visitor.trouble(&problem),
    }
}

/// Adds somebody, and shows the link for them.
pub(super) async fn add(form: Form) -> Response {
    let Form { visitor, fields } = form;
    let added: Result<UserView, Problem> = async {
        let spec = UserSpec {
            name: fields.get("name").to_owned(),
            role: wanted(&fields)?,
            password: None,
        };
        visitor.post("/api/v1/users", &spec).await
    }
    .await;
    match added {
        Ok(added) => match made(&visitor, &added.name).await {
            Ok(made) => built(&visitor, Some(made), Tried::default()).await,
            Err(mut problem) => {
                let says = format!("{} was added, the link was not made: {}", added.name, problem.says());
                problem.detail = Some(says);
                built(&visitor, None, Tried::failed(problem)).await
            }
        },
        Err(problem) => {
            let problem = Some(problem);
            let tried = Tried {
                user: None,
                fields,
                problem,
            };
            built(&visitor, None, tried).await
        }
    }
}

/// Makes another link for somebody.
pub(super) async fn link(Path(name): Path<String>, form: Form) -> Response {
    match made(&form.visitor, &name).await {
        Ok(made) => built(&form.visitor, Some(made), Tried::default()).await,
        Err(problem) => built(&form.visitor, None, Tried::failed(problem)).await,
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
    let user = Some(name);
    done(&visitor, "role", set, |problem| Tried {
        user,
        fields,
        problem: Some(problem),
    })
    .await
}

/// Takes somebody away.
pub(super) async fn remove(Path(name): Path<String>, form: Form) -> Response {
    let visitor = form.visitor;
    let removed = visitor.send(Method::DELETE, &api(&name, ""), &[], &Empty {}).await;
    done(&visitor, "remove", removed, Tried::failed).await
}

async fn done(
    visitor: &Visitor,
    what: &str,
    done: Result<UserView, Problem>,
    tried: impl FnOnce(Problem) -> Tried,
) -> Response {
    match done {
        Ok(_) => Redirect::to(&links::with("/users", &[("done", what)])).into_response(),
        Err(problem) => built(visitor, None, tried(problem)).await,
    }
}
