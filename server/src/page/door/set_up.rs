//! The links with which somebody begins: the first admin's, and those with which a user chooses their password.

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use axum::response::{IntoResponse as _, Redirect, Response};
use thirdboot_api::control::{AccessRole, UserSpec};
use thirdboot_api::{Problem, ProblemType};
use thirdboot_store::User;

use super::super::form::Fields;
use super::super::frame::{self, Shell};
use super::super::{Pages, links};
use super::{Stranger, Wrong};
use crate::App;
use crate::api::{create_first_user, token_sha256};
use crate::path::Path;
use crate::people::{self, check_password};
use crate::problem::Failure;

#[derive(Template)]
#[template(path = "page/set_up.html")]
struct SetUpPage {
    shell: Shell,
    action: String,
    /// Who chooses a password; none for the first admin, who chooses a name, too.
    user: Option<String>,
    name: String,
    wrong: Option<Wrong>,
}

impl SetUpPage {
    fn wrong(&self, field: &str) -> Option<&str> {
        let wrong = self.wrong.as_ref().filter(|wrong| wrong.field == field)?;
        Some(&wrong.says)
    }
}

/// Whose link it is.
enum Link {
    FirstAdmin,
    User(Box<User>),
}

impl Link {
    async fn of(app: &App, secret: &str) -> Result<Self, Response> {
        if app.people.set_up.is_open_to(secret) {
            return Ok(Self::FirstAdmin);
        }
        match app.store.user_of_link(&token_sha256(secret)).await {
            Ok(Some(user)) => Ok(Self::User(Box::new(user))),
            Ok(None) => Err(frame::bare(&used())),
            Err(error) => Err(frame::bare(Failure::from(error).problem())),
        }
    }

    fn page(&self, stranger: &Stranger, secret: &str, name: &str, wrong: Option<Wrong>) -> SetUpPage {
        let (title, user) = match self {
            Self::FirstAdmin => ("Set up", None),
            Self::User(user) => ("Your password", Some(user.name.clone())),
        };
        SetUpPage {
            shell: stranger.shell(title),
            action: format!("/set-up/{}", links::segment(secret)),
            user,
            name: name.to_owned(),
            wrong,
        }
    }
}

/// The form.
pub(in super::super) async fn show(
    State(pages): State<Pages>,
    Path(secret): Path<String>,
    request: Request<Body>,
) -> Result<Response, Response> {
    let (stranger, _) = Stranger::of(request, &pages).await?;
    let link = Link::of(&stranger.app, &secret).await?;
    let page = frame::page(&link.page(&stranger, &secret, "", None));
    Ok(stranger.bind(page))
}

/// Uses the link up, and signs them in.
pub(in super::super) async fn begin(
    State(pages): State<Pages>,
    Path(secret): Path<String>,
    request: Request<Body>,
) -> Result<Response, Response> {
    let (stranger, body) = Stranger::of(request, &pages).await?;
    let fields = stranger.fields(body).await?;
    let link = Link::of(&stranger.app, &secret).await?;
    let password = fields.raw("password");
    let begun = if password == fields.raw("again") {
        match &link {
            Link::FirstAdmin => first_admin(&stranger, &fields).await,
            Link::User(user) => chosen(&stranger, user, &secret, password).await,
        }
    } else {
        let says = "the two are not the same".to_owned();
        Err((422, Wrong { field: "again", says }))
    };
    match begun {
        Ok((name, next)) => {
            let entered = stranger.enter(&name, password, next).await;
            Ok(entered.unwrap_or_else(|_| Redirect::to("/sign-in").into_response()))
        }
        Err((status, wrong)) => {
            let page = link.page(&stranger, &secret, fields.get("name"), Some(wrong));
            Ok(frame::page_as(status, &page))
        }
    }
}

/// A name, and where they go on.
type Begun = (String, &'static str);
/// The status, and what is wrong.
type NotBegun = (u16, Wrong);

fn refused(failure: &Failure) -> NotBegun {
    (failure.problem().status, Wrong::of(failure.problem()))
}

/// Makes the first admin.
async fn first_admin(stranger: &Stranger, fields: &Fields) -> Result<Begun, NotBegun> {
    let app = &stranger.app;
    let spec = UserSpec {
        name: fields.get("name").to_owned(),
        role: AccessRole::Admin,
        password: Some(fields.raw("password").to_owned()),
    };
    create_first_user(app, &spec)
        .await
        .map_err(|failure| refused(&failure))?;
    app.people.set_up.close();
    tracing::info!(user = spec.name, "the first admin was made by the set-up link");
    let target = format!("users/{}", spec.name);
    let who = (spec.name.as_str(), thirdboot_store::AccessRole::Admin);
    people::did(app, who, stranger.source.0, ("create_first_user", &target), 201).await;
    Ok((spec.name, "/?done=welcome"))
}

/// Sets the password of the link's user.
async fn chosen(stranger: &Stranger, user: &User, secret: &str, password: &str) -> Result<Begun, NotBegun> {
    let app = &stranger.app;
    check_password(password).map_err(|failure| refused(&failure))?;
    let hash = app
        .people
        .passwords
        .hash(password)
        .await
        .map_err(|failure| refused(&failure))?;
    let followed = app.store.follow_link(&token_sha256(secret), hash).await;
    if !followed.map_err(|error| refused(&error.into()))? {
        return Err(refused(&used().into()));
    }
    app.people.set_up.close();
    tracing::info!(user = user.name, "chose a password by a link");
    let (who, target) = ((user.name.as_str(), user.role), format!("users/{}", user.name));
    people::did(app, who, stranger.source.0, ("follow_user_link", &target), 200).await;
    Ok((user.name.clone(), "/?done=chosen"))
}

fn used() -> Problem {
    let detail = "this link leads nowhere: it was used already, its time is over, or somebody can sign in. Sign in, or \
        have an admin make another one: `thirdboot user link NAME`";
    Problem::new(ProblemType::NotFound, detail)
}
