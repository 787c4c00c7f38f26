//! Who did what, the latest first.

use askama::Template;
use axum::response::Response;
use thirdboot_api::Problem;
use thirdboot_api::control::{AuditView, Page};

use super::frame::{self, Shell};
use super::links;
use super::visitor::Visitor;

/// What the list can be narrowed down by.
const FILTERS: [&str; 3] = ["by", "action", "target"];

#[derive(Template)]
#[template(path = "page/audit.html")]
struct AuditPage {
    shell: Shell,
    lines: Vec<AuditView>,
    asked: Vec<String>,
    older: Option<String>,
    is_continued: bool,
}

/// The page.
pub(super) async fn show(visitor: Visitor) -> Response {
    let asked: Vec<String> = FILTERS
        .iter()
        .map(|name| visitor.asked(name).unwrap_or_default().to_owned())
        .collect();
    let filters: Vec<(&str, &str)> = FILTERS.iter().copied().zip(asked.iter().map(String::as_str)).collect();
    let cursor = visitor.asked("cursor").unwrap_or_default();
    let query = [&filters[..], &[("cursor", cursor)]].concat();
    let page: Result<Page<AuditView>, Problem> = visitor.get(&links::with("/api/v1/audit", &query)).await;
    match page {
        Ok(page) => {
            let older = page
                .next_cursor
                .map(|next| links::with("/audit", &[&filters[..], &[("cursor", &next)]].concat()));
            frame::page(&AuditPage {
                shell: visitor.shell("audit", "Audit"),
                lines: page.items,
                older,
                is_continued: !cursor.is_empty(),
                asked,
            })
        }
        Err(problem) => visitor.trouble(&problem),
    }
}
