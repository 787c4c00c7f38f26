//! Reboots: which groups there are, who holds a slot and since when, who waits for one.

use askama::Template;
use axum::response::{IntoResponse as _, Redirect, Response};
use thirdboot_api::Problem;
use thirdboot_api::control::{LockGroupView, Page, ReleaseLockBody, UpdatePolicy};

use super::form::Form;
use super::frame::{self, Shell};
use super::links;
use super::visitor::Visitor;
use crate::path::Path;

#[derive(Template)]
#[template(path = "page/reboots.html")]
struct RebootsPage {
    shell: Shell,
    groups: Vec<LockGroupView>,
    may_operate: bool,
    tried: Option<Tried>,
}

/// A slot that was not released.
struct Tried {
    host: String,
    reason: Option<String>,
    problem: Problem,
}

impl RebootsPage {
    /// What somebody typed into this host's form, if it was not done.
    fn typed(&self, host: &str) -> Option<&str> {
        let tried = self.tried.as_ref().filter(|tried| tried.host == host)?;
        Some(tried.reason.as_deref().unwrap_or_default())
    }

    /// How hosts of a group update, in words.
    #[expect(clippy::unused_self, reason = "askama calls it as the page's own")]
    fn updates(&self, group: &LockGroupView) -> String {
        let settings = &group.settings;
        let window = settings.window.as_ref().map_or_else(String::new, |window| {
            let days = window.days.join(", ");
            format!(", {days} from {} UTC for {} min", window.start, window.length_minutes)
        });
        let when = match settings.policy {
            UpdatePolicy::Off => "Hosts do not update by themselves",
            UpdatePolicy::Locked => "Hosts update whenever there is an update and a slot is free",
            UpdatePolicy::Window => "Hosts update in the window, without a slot",
        };
        match (settings.policy, settings.monthly) {
            (UpdatePolicy::Window, true) => format!("{when}{window}. They reboot once a month, in the window."),
            (UpdatePolicy::Window, false) => format!("{when}{window}."),
            (_, true) => format!("{when}. They reboot once a month, in the window{window}."),
            (_, false) => format!("{when}."),
        }
    }
}

/// The page.
pub(super) async fn show(visitor: Visitor) -> Response {
    built(&visitor, None).await
}

async fn built(visitor: &Visitor, tried: Option<Tried>) -> Response {
    let status = tried.as_ref().map_or(200, |tried| tried.problem.status);
    let groups: Result<Page<LockGroupView>, Problem> = visitor.get("/api/v1/locks").await;
    match groups {
        Ok(groups) => {
            let page = RebootsPage {
                shell: visitor
                    .shell("reboots", "Reboots")
                    .live(None)
                    .at(tried.is_some(), "/reboots"),
                groups: groups.items,
                may_operate: visitor.may_operate(),
                tried,
            };
            frame::page_as(status, &page)
        }
        Err(problem) => visitor.trouble(&problem),
    }
}

/// Gives a host's slot back for it.
pub(super) async fn release(Path(name): Path<String>, form: Form) -> Response {
    let Form { visitor, fields } = form;
    let path = format!("/api/v1/hosts/{}/release-lock", links::segment(&name));
    let reason = fields.some("reason");
    let body = ReleaseLockBody { reason: reason.clone() };
    let released: Result<serde_json::Value, Problem> = visitor.post(&path, &body).await;
    match released {
        Ok(_) => Redirect::to("/reboots?done=free").into_response(),
        Err(problem) => {
            let tried = Tried {
                host: name,
                reason,
                problem,
            };
            built(&visitor, Some(tried)).await
        }
    }
}
