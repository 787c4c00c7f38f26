//! One host: where its run stands and why, what proves it, and what may be done.

mod act;
mod disks;
mod log;
mod timeline;

use askama::Template;
use axum::response::Response;
use thirdboot_api::Problem;
use thirdboot_api::control::{BootDetail, EventView, HostView, ObservedView, Page, RunView};

pub(super) use act::{act, boot_url};
pub(super) use log::log;

use super::form::Fields;
use super::frame::{self, Shell};
use super::visitor::Visitor;
use super::{links, show};
use crate::path::Path;
use disks::Disks;
use log::Line;
use timeline::Boot;

/// Lines of the log on the first page.
const LINES: usize = 25;
/// Runs that are listed.
const RUNS: usize = 10;

#[derive(Template)]
#[template(path = "page/host.html")]
struct HostPage {
    shell: Shell,
    host: HostView,
    mood: &'static str,
    standing: String,
    boots: Vec<Boot>,
    boots_drawn: String,
    time: String,
    observed: ObservedView,
    facts: Vec<(&'static str, String)>,
    lines: Vec<Line>,
    failure: Option<EventView>,
    runs: Vec<(RunView, &'static str, String)>,
    disks: Disks,
    may_operate: bool,
    is_open: bool,
    tried: Tried,
    boot_url: Option<String>,
    tab: &'static str,
}

/// What somebody tried to do to a host, and why it was not done.
#[derive(Default)]
struct Tried {
    action: String,
    fields: Fields,
    problem: Option<Problem>,
}

impl Tried {
    fn is(&self, action: &str) -> bool {
        self.action == action
    }

    /// What is wrong with this field of this form.
    fn wrong(&self, action: &str, field: &str) -> Option<String> {
        let problem = self.problem.as_ref().filter(|_| self.is(action))?;
        let at = problem.field.as_deref().unwrap_or_default();
        let at = at.split('[').next().unwrap_or_default();
        let known = ["confirm", "ttl_s", "disk", "wipe", "reason"];
        let is_here = if field.is_empty() {
            !known.contains(&at)
        } else {
            at == field
        };
        is_here.then(|| problem.says().to_owned())
    }

    fn value(&self, action: &str, field: &str) -> &str {
        if self.is(action) { self.fields.get(field) } else { "" }
    }

    fn ticked(&self, action: &str, field: &str, value: &str) -> bool {
        self.is(action) && self.fields.all(field).contains(&value)
    }
}

/// The page.
pub(super) async fn show(visitor: Visitor, Path(name): Path<String>) -> Response {
    match built(&visitor, &name, Tried::default(), None).await {
        Ok(page) => frame::page(&page),
        Err(problem) => visitor.trouble(&problem),
    }
}

fn api(name: &str, rest: &str) -> String {
    format!("/api/v1/hosts/{}{rest}", links::segment(name))
}

async fn built(visitor: &Visitor, name: &str, tried: Tried, boot_url: Option<String>) -> Result<HostPage, Problem> {
    let host: HostView = visitor.get(&api(name, "")).await?;
    let evidence: Page<BootDetail> = visitor.get(&api(name, "/boots")).await?;
    let observed: ObservedView = visitor.get(&api(name, "/observed")).await?;
    let runs: Page<RunView> = visitor.get(&api(name, &format!("/runs?limit={RUNS}"))).await?;
    let events = log::all(visitor, name).await?;
    let shell = visitor.shell("fleet", name);
    let is_answer = tried.problem.is_some() || boot_url.is_some();
    let shell = shell.live(Some(name)).at(is_answer, format!("/hosts/{}", host.name));
    let (mood, standing) = show::standing(&host);
    let run = host.run.as_ref();
    let is_open = run.is_some_and(|run| !run.stage.is_end());
    Ok(HostPage {
        mood: mood.class(),
        standing,
        boots: run.map_or_else(Vec::new, |run| {
            timeline::boots(run, &evidence.items, &events, shell.now)
        }),
        boots_drawn: show::boots(&host).replacen("\"boots", "\"boots big", 1),
        time: run.map_or_else(String::new, |run| show::against_deadline(run, shell.now)),
        facts: facts(&host),
        failure: failure(&host, &events),
        disks: Disks::of(&host, &evidence.items, &events),
        lines: log::lines(events.iter().rev(), LINES),
        runs: runs
            .items
            .into_iter()
            .map(|run| {
                let (mood, says) = show::of_run(&run);
                (run, mood.class(), says)
            })
            .collect(),
        may_operate: visitor.may_operate(),
        is_open,
        observed,
        host,
        shell,
        tried,
        boot_url,
        tab: "overview",
    })
}

/// What the machine said last before its run failed or stalled, with its log.
fn failure(host: &HostView, events: &[EventView]) -> Option<EventView> {
    let run = host.run.as_ref()?;
    if run.failed.is_none() && !run.stalled {
        return None;
    }
    let of_run = |event: &&EventView| event.run == Some(run.number) && event.log.is_some();
    events.iter().rev().find(of_run).cloned()
}

/// What the host is, in rows.
fn facts(host: &HostView) -> Vec<(&'static str, String)> {
    let mut facts = vec![("MACs", host.macs.join(" "))];
    let mut add = |name, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            facts.push((name, value));
        }
    };
    add("Serial", host.serial.clone());
    add("UUID", host.uuid.clone());
    add("Known by", Some(host.known_by.as_str().to_owned()));
    let vlans = host.network.vlans.iter();
    let vlans: Vec<String> = vlans
        .map(|vlan| format!("{}: {}", vlan.id, vlan.addresses.join(" ")))
        .collect();
    add("VLANs", Some(vlans.join("; ")));
    add("Disk", host.install.disk.clone());
    add("Version", host.install.version.clone());
    add("Packages", Some(host.packages.join(" ")));
    let labels: Vec<String> = host
        .labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    add("Labels", Some(labels.join(" ")));
    facts
}
