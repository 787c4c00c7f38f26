//! Users' templates: listed, edited with their faults at the line, compared from version to version.

mod draft;
mod source;

use askama::Template;
use axum::http::Method;
use axum::response::{IntoResponse as _, Redirect, Response};
use thirdboot_api::Problem;
use thirdboot_api::control::{CheckedView, Empty, Page, SelectSpec, TemplateDiffView, TemplateView};

use super::form::{Fields, Form};
use super::frame::{self, Shell};
use super::links;
use super::visitor::Visitor;
use crate::path::Path;
use draft::Draft;
use source::SourceLine;

#[derive(Template)]
#[template(path = "page/templates.html")]
struct ListPage {
    shell: Shell,
    templates: Vec<TemplateView>,
    is_admin: bool,
}

#[derive(Template)]
#[template(path = "page/template.html")]
struct EditPage {
    shell: Shell,
    /// None for a new one.
    name: Option<String>,
    draft: Draft,
    versions: Vec<TemplateView>,
    checked: Option<CheckedView>,
    source: Vec<SourceLine>,
    problem: Option<Problem>,
    is_admin: bool,
    may_check: bool,
}

impl EditPage {
    fn wrong(&self) -> Option<String> {
        let problem = self.problem.as_ref()?;
        let detail = problem.says().to_owned();
        Some(match &problem.field {
            Some(field) => format!("{field}: {detail}"),
            None => detail,
        })
    }

    fn action(&self) -> String {
        self.name
            .as_ref()
            .map_or_else(|| "/templates/new".to_owned(), |name| format!("/templates/{name}"))
    }
}

#[derive(Template)]
#[template(path = "page/template_version.html")]
struct VersionPage {
    shell: Shell,
    template: TemplateView,
}

#[derive(Template)]
#[template(path = "page/template_difference.html")]
struct DifferencePage {
    shell: Shell,
    difference: TemplateDiffView,
}

/// For whom a template is, in words.
pub(super) fn selected(select: &SelectSpec) -> String {
    let mut words: Vec<String> = select.roles.iter().map(|role| role.as_str().to_owned()).collect();
    words.extend(select.labels.iter().map(|(key, value)| format!("{key}={value}")));
    words.extend(select.hosts.iter().cloned());
    if words.is_empty() {
        "every host".to_owned()
    } else {
        words.join(", ")
    }
}

fn api(name: &str, rest: &str) -> String {
    format!("/api/v1/templates/{}{rest}", links::segment(name))
}

/// The list, in the order in which they are merged.
pub(super) async fn list(visitor: Visitor) -> Response {
    let page: Result<Page<TemplateView>, Problem> = visitor.get("/api/v1/templates").await;
    match page {
        Ok(page) => frame::page(&ListPage {
            shell: visitor.shell("templates", "Templates"),
            templates: page.items,
            is_admin: visitor.is_admin(),
        }),
        Err(problem) => visitor.trouble(&problem),
    }
}

/// An empty form.
pub(super) async fn new(visitor: Visitor) -> Response {
    let page = edit_page(&visitor, None, Draft::new(), None, None).await;
    page.map_or_else(|problem| visitor.trouble(&problem), |page| frame::page(&page))
}

/// A template, in its form.
pub(super) async fn edit(visitor: Visitor, Path(name): Path<String>) -> Response {
    let built = async {
        let template: TemplateView = visitor.get(&api(&name, "")).await?;
        edit_page(&visitor, Some(&name), Draft::of(&template), None, None).await
    };
    match built.await {
        Ok(page) => frame::page(&page),
        Err(problem) => visitor.trouble(&problem),
    }
}

async fn edit_page(
    visitor: &Visitor,
    name: Option<&str>,
    draft: Draft,
    mut checked: Option<CheckedView>,
    problem: Option<Problem>,
) -> Result<EditPage, Problem> {
    if let Some(checked) = &mut checked {
        checked.faults = source::gathered(&checked.faults);
    }
    let versions: Vec<TemplateView> = match name {
        None => Vec::new(),
        Some(name) => {
            let versions: Page<TemplateView> = visitor.get(&api(name, "/versions")).await?;
            versions.items
        }
    };
    let faults = checked.as_ref().map_or(&[][..], |checked| &checked.faults);
    let source = source::with_faults(&draft.text, &draft.name, faults);
    Ok(EditPage {
        shell: visitor.shell("templates", name.unwrap_or("New template")),
        name: name.map(ToOwned::to_owned),
        draft,
        versions,
        checked,
        source,
        problem,
        is_admin: visitor.is_admin(),
        may_check: visitor.may_operate(),
    })
}

/// Saves a new one.
pub(super) async fn create(form: Form) -> Response {
    let name = form.fields.get("name").to_owned();
    saved(&form.visitor, None, &name, &form.fields).await
}

/// Saves a new version.
pub(super) async fn save(Path(name): Path<String>, form: Form) -> Response {
    saved(&form.visitor, Some(&name), &name, &form.fields).await
}

/// Checks it, and saves it if that was asked for and nothing is wrong.
async fn saved(visitor: &Visitor, there: Option<&str>, name: &str, fields: &Fields) -> Response {
    let draft = Draft::typed(name, fields);
    let outcome = attempt(visitor, &draft, fields.get("do") == "save").await;
    let (status, checked, problem) = match outcome {
        Ok(None) => return Redirect::to(&format!("/templates/{}?done=save", links::segment(name))).into_response(),
        Ok(Some(checked)) => (if checked.valid { 200 } else { 422 }, Some(checked), None),
        Err(problem) => (problem.status, None, Some(problem)),
    };
    match edit_page(visitor, there, draft, checked, problem).await {
        Ok(page) => frame::page_as(status, &page),
        Err(problem) => visitor.trouble(&problem),
    }
}

async fn attempt(visitor: &Visitor, draft: &Draft, is_to_be_saved: bool) -> Result<Option<CheckedView>, Problem> {
    let spec = draft.spec()?;
    let checked: CheckedView = visitor.post(&api(&draft.name, "/validate"), &spec).await?;
    if !is_to_be_saved || !checked.valid {
        return Ok(Some(checked));
    }
    let seen = format!("\"{}\"", draft.version);
    let headers: &[(&str, &str)] = if draft.version == 0 {
        &[]
    } else {
        &[("if-match", &seen)]
    };
    let _: TemplateView = visitor.send(Method::PUT, &api(&draft.name, ""), headers, &spec).await?;
    Ok(None)
}

/// Takes it away.
pub(super) async fn delete(Path(name): Path<String>, form: Form) -> Response {
    let Form { visitor, fields } = form;
    let seen = format!("\"{}\"", fields.get("version"));
    let deleted: Result<TemplateView, Problem> = visitor
        .send(Method::DELETE, &api(&name, ""), &[("if-match", &seen)], &Empty {})
        .await;
    match deleted {
        Ok(_) => Redirect::to("/templates?done=delete").into_response(),
        Err(problem) => visitor.trouble(&problem),
    }
}

/// A version as it was.
pub(super) async fn version(visitor: Visitor, Path((name, version)): Path<(String, String)>) -> Response {
    let path = api(&name, &format!("/versions/{}", links::segment(&version)));
    let template: Result<TemplateView, Problem> = visitor.get(&path).await;
    match template {
        Ok(template) => frame::page(&VersionPage {
            shell: visitor.shell("templates", format!("{name}, version {version}")),
            template,
        }),
        Err(problem) => visitor.trouble(&problem),
    }
}

/// What changed between two versions.
pub(super) async fn difference(visitor: Visitor, Path(name): Path<String>) -> Response {
    let asked = |name: &str| visitor.asked(name).unwrap_or_default().to_owned();
    let path = links::with(&api(&name, "/diff"), &[("from", &asked("from")), ("to", &asked("to"))]);
    let difference: Result<TemplateDiffView, Problem> = visitor.get(&path).await;
    match difference {
        Ok(difference) => frame::page(&DifferencePage {
            shell: visitor.shell("templates", format!("{name}: difference")),
            difference,
        }),
        Err(problem) => visitor.trouble(&problem),
    }
}
