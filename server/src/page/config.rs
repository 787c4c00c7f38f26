//! What a host is served, and how what it has differs from what it would get today. The API takes the secrets out.

use askama::Template;
use axum::response::Response;
use thirdboot_api::Problem;
use thirdboot_api::control::{HostDiffView, HostView, PreviewView};

use super::frame::{self, Shell};
use super::visitor::Visitor;
use super::{links, show};
use crate::path::Path;

#[derive(Template)]
#[template(path = "page/config.html")]
struct ConfigPage {
    shell: Shell,
    host: HostView,
    mood: &'static str,
    standing: String,
    tab: String,
    preview: Result<PreviewView, Problem>,
    is_admin: bool,
}

#[derive(Template)]
#[template(path = "page/difference.html")]
struct DifferencePage {
    shell: Shell,
    host: HostView,
    mood: &'static str,
    standing: String,
    tab: &'static str,
    difference: Result<HostDiffView, Problem>,
}

/// Whether a refusal is something to read on the page, rather than in its place.
fn is_shown(problem: &Problem) -> bool {
    problem.status == 409
}

/// A document, in its parts.
pub(super) async fn show(visitor: Visitor, Path((name, document)): Path<(String, String)>) -> Response {
    let built = async {
        let base = format!("/api/v1/hosts/{}", links::segment(&name));
        let host: HostView = visitor.get(&base).await?;
        let secrets = visitor.asked("secrets").unwrap_or_default();
        let path = links::with(
            &format!("{base}/preview/{}", links::segment(&document)),
            &[("secrets", secrets)],
        );
        let preview: Result<PreviewView, Problem> = visitor.get(&path).await;
        if let Err(problem) = &preview
            && !is_shown(problem)
        {
            return Err(problem.clone());
        }
        let (mood, standing) = show::standing(&host);
        Ok(frame::page(&ConfigPage {
            shell: visitor.shell("fleet", format!("{name}: {document}")),
            mood: mood.class(),
            standing,
            tab: document,
            preview,
            is_admin: visitor.is_admin(),
            host,
        }))
    };
    let built: Result<Response, Problem> = built.await;
    built.unwrap_or_else(|problem| visitor.trouble(&problem))
}

/// What was installed, held against what would be today.
pub(super) async fn difference(visitor: Visitor, Path(name): Path<String>) -> Response {
    let built = async {
        let base = format!("/api/v1/hosts/{}", links::segment(&name));
        let host: HostView = visitor.get(&base).await?;
        let difference: Result<HostDiffView, Problem> = visitor.get(&format!("{base}/diff")).await;
        if let Err(problem) = &difference
            && !is_shown(problem)
        {
            return Err(problem.clone());
        }
        let (mood, standing) = show::standing(&host);
        Ok(frame::page(&DifferencePage {
            shell: visitor.shell("fleet", format!("{name}: difference")),
            mood: mood.class(),
            standing,
            tab: "difference",
            difference,
            host,
        }))
    };
    let built: Result<Response, Problem> = built.await;
    built.unwrap_or_else(|problem| visitor.trouble(&problem))
}
