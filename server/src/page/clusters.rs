//! Clusters: who is in one, whose turn it is to join and why, and the kubeconfig.

use askama::Template;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use thirdboot_api::Problem;
use thirdboot_api::control::{ApiState, ClusterView, InitState, Kubeconfig, MemberView, Page};

use super::form::Form;
use super::frame::{self, Shell};
use super::links;
use super::visitor::Visitor;
use crate::path::Path;

#[derive(Template)]
#[template(path = "page/clusters.html")]
struct ListPage {
    shell: Shell,
    clusters: Vec<Cluster>,
    is_admin: bool,
}

#[derive(Template)]
#[template(path = "page/cluster.html")]
struct ClusterPage {
    shell: Shell,
    cluster: Cluster,
    /// Who joins or waits, those whose turn it is first.
    queue: Vec<MemberView>,
    is_admin: bool,
    problem: Option<Problem>,
}

/// A cluster, and how it is doing.
struct Cluster {
    view: ClusterView,
    mood: &'static str,
    says: String,
    ready: usize,
}

impl Cluster {
    fn of(view: ClusterView) -> Self {
        let (mood, says) = standing(&view);
        let ready = view.members.iter().filter(|member| is(member, "ready")).count();
        Self {
            view,
            mood,
            says,
            ready,
        }
    }
}

fn is(member: &MemberView, stage: &str) -> bool {
    member.stage.as_ref().is_some_and(|there| there.as_str() == stage)
}

fn standing(view: &ClusterView) -> (&'static str, String) {
    let host = view.init.host.as_deref().unwrap_or("an admin");
    let (mood, says) = match view.init.state {
        InitState::Open => ("quiet", "not begun: the first server that asks begins it".to_owned()),
        InitState::Reserved => ("quiet", format!("not begun: {host} is to begin it")),
        InitState::Granted => ("busy", format!("{host} begins it")),
        InitState::InDoubt => ("bad", "in doubt: it may have begun, and an admin must say".to_owned()),
        InitState::Done => match view.api.state {
            ApiState::Reachable => ("good", "its API answers".to_owned()),
            ApiState::Unreachable => ("warn", "its API does not answer from here".to_owned()),
            ApiState::Unknown => ("quiet", "nobody has looked at its API yet".to_owned()),
        },
    };
    if view.rotating {
        return (
            "warn",
            format!("{says}; its tokens are being changed, and nobody joins"),
        );
    }
    (mood, says)
}

fn api(name: &str, rest: &str) -> String {
    format!("/api/v1/clusters/{}{rest}", links::segment(name))
}

/// The list.
pub(super) async fn list(visitor: Visitor) -> Response {
    let page: Result<Page<ClusterView>, Problem> = visitor.get("/api/v1/clusters").await;
    match page {
        Ok(page) => frame::page(&ListPage {
            shell: visitor.shell("clusters", "Clusters").live(None),
            clusters: page.items.into_iter().map(Cluster::of).collect(),
            is_admin: visitor.is_admin(),
        }),
        Err(problem) => visitor.trouble(&problem),
    }
}

/// One cluster.
pub(super) async fn show(visitor: Visitor, Path(name): Path<String>) -> Response {
    built(&visitor, &name, None).await
}

async fn built(visitor: &Visitor, name: &str, problem: Option<Problem>) -> Response {
    let status = problem.as_ref().map_or(200, |problem| problem.status);
    let view: Result<ClusterView, Problem> = visitor.get(&api(name, "")).await;
    match view {
        Ok(view) => {
            let mut queue: Vec<MemberView> = view
                .members
                .iter()
                .filter(|member| is_queued(member))
                .cloned()
                .collect();
            queue.sort_by_key(|member| !member.joins);
            let page = ClusterPage {
                shell: visitor
                    .shell("clusters", name)
                    .live(None)
                    .at(problem.is_some(), format!("/clusters/{}", super::links::segment(name))),
                cluster: Cluster::of(view),
                queue,
                is_admin: visitor.is_admin(),
                problem,
            };
            frame::page_as(status, &page)
        }
        Err(problem) => visitor.trouble(&problem),
    }
}

/// Whether it joins, or waits for its turn.
fn is_queued(member: &MemberView) -> bool {
    !is(member, "ready") && (member.joins || member.waits_for.is_some())
}

/// Hands the kubeconfig out as a file: a secret, so that reading it is a deed.
pub(super) async fn kubeconfig(Path(name): Path<String>, form: Form) -> Response {
    let visitor = form.visitor;
    let read: Result<Kubeconfig, Problem> = visitor.get(&api(&name, "/kubeconfig")).await;
    match read {
        Ok(kept) => {
            let file = format!("attachment; filename=\"{}.kubeconfig\"", links::segment(&name));
            let file = HeaderValue::from_str(&file).unwrap_or(HeaderValue::from_static("attachment"));
            let kind = HeaderValue::from_static("application/yaml");
            (
                [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, file)],
                kept.kubeconfig,
            )
                .into_response()
        }
        Err(problem) => built(&visitor, &name, Some(problem)).await,
    }
}
