//! The mirror: versions, files, and pulls on their way.

use askama::Template;
use axum::http::Method;
use axum::response::{IntoResponse as _, Redirect, Response};
use thirdboot_api::control::{Arch, AssetsView, Empty, Page, PullBody, PullState, PullView};
use thirdboot_api::{Problem, ProblemType};

use super::form::{Fields, Form};
use super::frame::{self, Shell};
use super::links;
use super::visitor::Visitor;
use crate::path::Path;

#[derive(Template)]
#[template(path = "page/assets.html")]
struct AssetsPage {
    shell: Shell,
    assets: AssetsView,
    pulls: Vec<Pull>,
    may_operate: bool,
    fields: Fields,
    problem: Option<Problem>,
}

impl AssetsPage {
    fn is_pulling(&self) -> bool {
        self.pulls.iter().any(|pull| pull.is_open)
    }

    fn wrong(&self) -> Option<String> {
        let problem = self.problem.as_ref()?;
        Some(problem.says().to_owned())
    }
}

/// A pull, and how far it is.
struct Pull {
    view: PullView,
    what: String,
    mood: &'static str,
    state: &'static str,
    done: u64,
    total: u64,
    is_open: bool,
}

impl Pull {
    fn of(view: PullView) -> Self {
        let (mood, state) = match view.state {
            PullState::Waiting => ("quiet", "waiting"),
            PullState::Running => ("busy", "running"),
            PullState::Done => ("good", "done"),
            PullState::Failed => ("bad", "failed"),
            PullState::Cancelled => ("quiet", "cancelled"),
        };
        let words = [&view.stream, &view.version, &view.arch];
        let words: Vec<&str> = words.into_iter().flatten().map(String::as_str).collect();
        Self {
            what: if words.is_empty() {
                "a file".to_owned()
            } else {
                words.join(" ")
            },
            mood,
            state,
            done: view.files.iter().map(|file| file.done_bytes).sum(),
            total: view.files.iter().filter_map(|file| file.total_bytes).sum(),
            is_open: !view.state.is_end(),
            view,
        }
    }
}

/// The page.
pub(super) async fn show(visitor: Visitor) -> Response {
    built(&visitor, Fields::default(), None).await
}

async fn built(visitor: &Visitor, fields: Fields, problem: Option<Problem>) -> Response {
    let status = problem.as_ref().map_or(200, |problem| problem.status);
    let page = async {
        let assets: AssetsView = visitor.get("/api/v1/assets").await?;
        let pulls: Page<PullView> = visitor.get("/api/v1/assets/pulls").await?;
        let pulls: Vec<Pull> = pulls.items.into_iter().rev().map(Pull::of).collect();
        // A pull's progress is no event: while there is one, the page looks again by itself.
        let shell = visitor
            .shell("assets", "Assets")
            .live(None)
            .at(problem.is_some(), "/assets");
        Ok(AssetsPage {
            shell,
            assets,
            pulls,
            may_operate: visitor.may_operate(),
            fields,
            problem,
        })
    };
    let page: Result<AssetsPage, Problem> = page.await;
    match page {
        Ok(page) => frame::page_as(status, &page),
        Err(problem) => visitor.trouble(&problem),
    }
}

/// Begins a pull.
pub(super) async fn pull(form: Form) -> Response {
    let Form { visitor, fields } = form;
    let begun: Result<PullView, Problem> = match fields.get("arch").parse::<Arch>() {
        Ok(arch) => {
            let body = PullBody {
                stream: fields.get("stream").to_owned(),
                arch,
                image: !fields.get("image").is_empty(),
                keep_current: !fields.get("keep_current").is_empty(),
            };
            visitor.post("/api/v1/assets/pulls", &body).await
        }
        Err(error) => Err(Problem::new(ProblemType::Malformed, error.to_string()).at("arch")),
    };
    match begun {
        Ok(_) => Redirect::to("/assets?done=pull").into_response(),
        Err(problem) => built(&visitor, fields, Some(problem)).await,
    }
}

/// Ends one.
pub(super) async fn cancel(Path(id): Path<String>, form: Form) -> Response {
    let visitor = form.visitor;
    let path = format!("/api/v1/assets/pulls/{}", links::segment(&id));
    let ended: Result<serde_json::Value, Problem> = visitor.send(Method::DELETE, &path, &[], &Empty {}).await;
    match ended {
        Ok(_) => Redirect::to("/assets?done=cancel-pull").into_response(),
        Err(problem) => visitor.trouble(&problem),
    }
}
