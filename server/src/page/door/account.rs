//! One's own account.

use askama::Template;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::super::form::{Fields, Form};
use super::super::frame::{self, Shell};
use super::super::show::span_s;
use super::super::visitor::{Visitor, name_of, set_cookie};
use super::{Wrong, add_cookie};
use crate::people::{self, NotSignedIn, check_password};
use crate::problem::Failure;

#[derive(Template)]
#[template(path = "page/account.html")]
struct AccountPage {
    shell: Shell,
    wrong: Option<Wrong>,
}

/// One's own account.
pub(in super::super) async fn show(visitor: Visitor) -> Response {
    frame::page(&AccountPage {
        shell: visitor.shell("account", "Your account"),
        wrong: None,
    })
}

/// Sets one's own password; the present one is asked for.
pub(in super::super) async fn change_password(form: Form) -> Response {
    let (visitor, fields) = (&form.visitor, &form.fields);
    match changed(visitor, fields).await {
        Ok(()) => {
            let mut response = Redirect::to("/sign-in?done=password").into_response();
            add_cookie(
                &mut response,
                &set_cookie(name_of(visitor.transport), "", 0, visitor.transport),
            );
            response
        }
        Err((status, wrong)) => {
            let shell = visitor.shell("account", "Your account");
            frame::page_as(
                status,
                &AccountPage {
                    shell,
                    wrong: Some(wrong),
                },
            )
        }
    }
}

async fn changed(visitor: &Visitor, fields: &Fields) -> Result<(), (u16, Wrong)> {
    let app = &visitor.pages.app;
    let wrong = |field, says: &str| {
        let says = says.to_owned();
        (422, Wrong { field, says })
    };
    let failed = |failure: Failure| (failure.problem().status, Wrong::of(failure.problem()));
    check_password(fields.raw("password")).map_err(failed)?;
    if fields.raw("password") != fields.raw("again") {
        return Err(wrong("again", "the two are not the same"));
    }
    let known = people::with_password(app, &visitor.name, fields.raw("present"), visitor.source.0).await;
    known.map_err(|why| match why {
        NotSignedIn::Wrong => wrong("present", "this is not your present password"),
        NotSignedIn::TooOften(s) => {
            let says = format!("too many attempts: try again in {}", span_s(s));
            (429, Wrong { field: "present", says })
        }
        NotSignedIn::Failed(failure) => failed(failure),
    })?;
    let hash = app
        .people
        .passwords
        .hash(fields.raw("password"))
        .await
        .map_err(failed)?;
    let set = app.store.set_password(&visitor.name, hash).await;
    set.map_err(|error| failed(error.into()))?;
    let who = (visitor.name.as_str(), visitor.caller.role);
    people::did(app, who, visitor.source.0, ("set_own_password", "account"), 200).await;
    tracing::info!(user = visitor.name, "changed their password");
    Ok(())
}
