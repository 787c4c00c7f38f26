//! The live table, as text: one frame.

use std::time::Duration;

use comfy_table::{Cell, Color};
use thirdboot_api::StageName;
use thirdboot_api::control::HostView;

use super::cast::Part;
use super::scene::Scene;
use crate::cli::table::{boots::boots, one_line, progress, table, text, why};

/// Lines around the table that are always there: headline, header, blank ones, and what hosts were left out.
const FRAME_LINES: usize = 5;
/// A screen with fewer columns leaves out what is meant to happen.
const WIDE_COLUMNS: u16 = 100;
/// At least so many lines tell why hosts are stuck.
const WHY_LINES: usize = 4;
/// So long one explanation stands before others take its place.
const WHY_PERIOD_S: u64 = 4;

/// The size of a screen, and whether it has colours.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) columns: u16,
    pub(super) rows: u16,
    pub(super) has_colours: bool,
}

/// One frame, at most as many lines as the screen has.
pub(super) fn frame(scene: &Scene, size: Size) -> String {
    let footer = footer(scene, size.columns);
    let room = usize::from(size.rows).saturating_sub(FRAME_LINES + footer.len());
    let stuck: Vec<&HostView> = scene
        .parts
        .iter()
        .filter_map(|part| scene.view(part))
        .filter(|view| view.diagnosis.is_some())
        .collect();
    let hosts = scene
        .parts
        .len()
        .min(room.saturating_sub(if stuck.is_empty() { 0 } else { WHY_LINES }));
    let mut lines = vec![headline(scene), String::new()];
    lines.extend(rows(scene, &scene.parts[..hosts], size).lines().map(str::to_owned));
    if hosts < scene.parts.len() {
        lines.push(format!("… and {} more", scene.parts.len() - hosts));
    }
    lines.push(String::new());
    let left = usize::from(size.rows).saturating_sub(lines.len() + footer.len());
    lines.extend(explanations(&stuck, scene.elapsed, left, size.columns));
    lines.extend(footer);
    let cut = |line: &String| {
        if line.contains('\u{1b}') {
            line.clone()
        } else {
            cut(line, size.columns)
        }
    };
    lines.iter().map(cut).collect::<Vec<_>>().join("\n") + "\n"
}

/// The whole fleet in a line.
pub(super) fn headline(scene: &Scene) -> String {
    let of = |test: fn(&HostView) -> bool| scene.views.values().filter(|view| test(view)).count();
    let ready = of(|view| view.run.as_ref().is_some_and(|run| run.stage == StageName::Ready));
    let failed = of(|view| view.run.as_ref().is_some_and(|run| run.stage == StageName::Failed));
    let stalled = of(|view| view.run.as_ref().is_some_and(|run| run.stalled));
    let under_way = scene.views.len().saturating_sub(ready + failed + stalled);
    format!(
        "Thirdboot demo, {} s: {under_way} on their way, {ready} ready, {stalled} stalled, {failed} failed, {} unknown",
        scene.elapsed.as_secs(),
        scene.unknown,
    )
}

fn rows(scene: &Scene, parts: &[Part], size: Size) -> String {
    let header = ["HOST", "BOOTS", "SERVER KNOWS", "MACHINE", "WHAT HAPPENS TO IT"];
    let shown = if size.columns < WIDE_COLUMNS { 4 } else { 5 };
    let mut table = table(&header[..shown], Some(size.columns));
    if !size.has_colours {
        table.force_no_tty();
    }
    for part in parts {
        let view = scene.view(part);
        let run = view.and_then(|view| view.run.as_ref());
        let colour = view.map_or(Color::Reset, colour);
        let cells = [
            Cell::new(&part.name),
            Cell::new(run.map_or_else(String::new, boots)).fg(colour),
            Cell::new(view.map_or_else(String::new, progress)).fg(colour),
            Cell::new(scene.step(part).map_or_else(|| "off".to_owned(), ToString::to_string)),
            Cell::new(part.says()),
        ];
        table.add_row(one_line(cells.into_iter().take(shown).collect::<Vec<_>>().into()));
    }
    text(&table)
}

fn colour(view: &HostView) -> Color {
    match &view.run {
        Some(run) if run.stage == StageName::Ready => Color::Green,
        Some(run) if run.stage == StageName::Failed => Color::Red,
        Some(run) if run.stalled => Color::Yellow,
        _ => Color::Reset,
    }
}

/// As many as there is room for; where that is not all, they take turns.
fn explanations(stuck: &[&HostView], elapsed: Duration, room: usize, columns: u16) -> Vec<String> {
    let turn = usize::try_from(elapsed.as_secs() / WHY_PERIOD_S).unwrap_or(0);
    let all: Vec<Vec<String>> = stuck.iter().map(|view| explanation(view, columns)).collect();
    let fits = all.iter().map(Vec::len).sum::<usize>() <= room;
    let from = if fits || all.is_empty() { 0 } else { turn % all.len() };
    let mut shown = Vec::new();
    for lines in all[from..].iter().chain(&all[..from]) {
        // The first is cut rather than left out.
        if !shown.is_empty() && shown.len() + lines.len() > room {
            break;
        }
        shown.extend(lines.iter().take(room).cloned());
    }
    shown
}

/// Why a host is stuck and what to do, under its name.
fn explanation(view: &HostView, columns: u16) -> Vec<String> {
    let Some(diagnosis) = &view.diagnosis else {
        return Vec::new();
    };
    let indent = view.name.len() + 2;
    let room = usize::from(columns).saturating_sub(indent).max(20);
    let says = wrapped(&why(view), room);
    let advice = wrapped(&format!("→ {}", diagnosis.advice), room);
    let mut lines: Vec<String> = says
        .into_iter()
        .chain(advice)
        .zip(std::iter::once(view.name.as_str()).chain(std::iter::repeat("")))
        .map(|(line, name)| format!("{name:<indent$}{line}"))
        .collect();
    lines.push(String::new());
    lines
}

/// Words in lines of at most so many characters; a longer word has a line of its own.
fn wrapped(said: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in said.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn footer(scene: &Scene, columns: u16) -> Vec<String> {
    let first = scene
        .notice
        .as_deref()
        .unwrap_or("Ctrl-C ends; the server can be asked, too:");
    let command = format!(
        "thirdboot host list --endpoint {} --token-file {}",
        scene.control_url, scene.token_file
    );
    let mut lines = vec![first.to_owned()];
    lines.extend(wrapped(&command, usize::from(columns)));
    lines
}

fn cut(line: &str, columns: u16) -> String {
    let columns = usize::from(columns);
    if line.chars().count() <= columns {
        return line.to_owned();
    }
    let mut kept: String = line.chars().take(columns.saturating_sub(1)).collect();
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use thirdboot_simulator::Step;

    use super::super::cast::cast;
    use super::*;

    fn scene() -> Scene {
        let mut scene = Scene {
            parts: cast(8),
            elapsed: Duration::from_secs(13),
            unknown: 1,
            control_url: "http://127.0.0.1:8081".into(),
            token_file: "/tmp/demo/data/admin-token".into(),
            ..Scene::default()
        };
        let at = "2026-09-01T12:00:00Z";
        let why = |cause: &str| json!({"cause": cause, "says": format!("what is seen of {cause}"), "advice": "look at the console"});
        scene.take_views(
            serde_json::from_value(json!([
                {"name": "server-01", "run": {"number": 1, "stage": "ready", "entered_at": at}},
                {"name": "agent-02", "run": {"number": 1, "stage": "installing", "percent": 60, "entered_at": at}},
                {"name": "agent-04", "run": {"number": 1, "stage": "armed", "stalled": true, "entered_at": at}, "diagnosis": why("never-asked")},
                {"name": "agent-07", "run": {"number": 1, "stage": "failed", "entered_at": at, "failed": {"stage": "netbooting", "cause": "c"}}, "diagnosis": why("config-not-fetched")},
            ]))
            .unwrap(),
        );
        scene.steps.insert("agent-02".into(), Step::Installing(60));
        scene
            .steps
            .insert("agent-07".into(), Step::Hangs("no network in its initramfs".into()));
        scene
    }

    #[test]
    fn a_frame_shows_every_host_and_why_some_are_stuck() {
        let size = Size {
            columns: 120,
            rows: 40,
            has_colours: false,
        };
        insta::assert_snapshot!(frame(&scene(), size));
    }

    #[test]
    fn a_small_screen_is_not_scrolled() {
        for rows in [8, 10, 14, 24] {
            let size = Size {
                columns: 60,
                rows,
                has_colours: false,
            };
            let frame = frame(&scene(), size);
            assert!(frame.lines().count() <= usize::from(rows), "{rows}:\n{frame}");
            assert!(frame.lines().all(|line| line.chars().count() <= 60), "{rows}:\n{frame}");
        }
    }
}
