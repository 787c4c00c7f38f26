//! What may be done to a host. Each is a form; the API decides.

use axum::response::{IntoResponse as _, Redirect, Response};
use thirdboot_api::control::{ArmBody, BootUrl, DEFAULT_TTL_S, Empty, HoldBody, HostView};
use thirdboot_api::{Problem, ProblemType};

use super::super::form::{Fields, Form};
use super::super::frame;
use super::super::visitor::Visitor;
use super::{Tried, api, built};
use crate::path::Path;
use crate::problem::Failure;

/// Does it, and shows the host again.
pub(in super::super) async fn act(Path((name, action)): Path<(String, String)>, form: Form) -> Response {
    let Form { visitor, fields } = form;
    match done(&visitor, &name, &action, &fields).await {
        Ok(()) => Redirect::to(&format!("/hosts/{name}?done={action}")).into_response(),
        Err(problem) => shown_again(&visitor, &name, &action, fields, problem).await,
    }
}

async fn shown_again(visitor: &Visitor, name: &str, action: &str, fields: Fields, problem: Problem) -> Response {
    let status = problem.status;
    let tried = Tried {
        action: action.to_owned(),
        fields,
        problem: Some(problem),
    };
    match built(visitor, name, tried, None).await {
        Ok(page) => frame::page_as(status, &page),
        Err(problem) => visitor.trouble(&problem),
    }
}

async fn done(visitor: &Visitor, name: &str, action: &str, fields: &Fields) -> Result<(), Problem> {
    let path = |verb: &str| api(name, &format!("/{verb}"));
    let done: Result<HostView, Problem> = match action {
        "arm" | "inspect" => visitor.post(&path("arm"), &arming(action, fields)?).await,
        "hold" => {
            let reason = fields.get("reason").to_owned();
            visitor.post(&path("hold"), &HoldBody { reason }).await
        }
        "release" | "cancel" | "retire" | "unretire" => visitor.post(&path(action), &Empty {}).await,
        _ => Err(Problem::new(ProblemType::NotFound, "nothing is served at this path")),
    };
    done.map(|_| ())
}

fn arming(action: &str, fields: &Fields) -> Result<ArmBody, Failure> {
    let usual = DEFAULT_TTL_S / 3600;
    let hours = fields.some("hours").map_or(Ok(usual), |hours| hours.parse::<u64>());
    let hours = hours.map_err(|_| Failure::field("ttl_s", "expected a number of hours"))?;
    let mut body = ArmBody::confirming(fields.get("confirm"));
    body.ttl_s = hours.saturating_mul(3600);
    if action == "inspect" {
        body.inspect = true;
        return Ok(body);
    }
    body.disk = fields.some("disk");
    body.wipe = fields
        .all("wipe")
        .into_iter()
        .flat_map(str::split_whitespace)
        .map(ToOwned::to_owned)
        .collect();
    Ok(body)
}

/// Shows the URL that the machine boots from: a secret, so that looking at it is a deed.
pub(in super::super) async fn boot_url(Path(name): Path<String>, form: Form) -> Response {
    let visitor = form.visitor;
    let read: Result<BootUrl, Problem> = visitor.get(&api(&name, "/boot-url")).await;
    match read {
        Ok(found) => match built(&visitor, &name, Tried::default(), Some(found.url)).await {
            Ok(page) => frame::page(&page),
            Err(problem) => visitor.trouble(&problem),
        },
        Err(problem) => shown_again(&visitor, &name, "boot-url", form.fields, problem).await,
    }
}
