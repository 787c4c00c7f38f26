//! A run under way, drawn anew with every change on a terminal, told line by line elsewhere.

use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};

use crossterm::QueueableCommand as _;
use crossterm::cursor::MoveToPreviousLine;
use crossterm::terminal::{Clear, ClearType};
use jiff::Timestamp;
use thirdboot_api::StageName;
use thirdboot_api::control::{WaitAnswer, WaitOutcome};

use crate::cli::{Failure, table, terminal_columns};

/// Columns of a terminal that does not say how many it has.
const COLUMNS: u16 = 80;
/// Cells of the installer's bar.
const BAR: u32 = 30;

/// What is drawn again over itself.
pub(super) struct Live {
    lines: u16,
}

impl Live {
    pub(super) fn new() -> Self {
        Self { lines: 0 }
    }

    pub(super) fn draw(&mut self, answer: &WaitAnswer, now: Timestamp) -> Result<(), Failure> {
        let frame = frame(answer, now, terminal_columns().unwrap_or(COLUMNS));
        let drawn = (|| {
            let mut out = std::io::stdout().lock();
            if self.lines > 0 {
                out.queue(MoveToPreviousLine(self.lines))?;
            }
            out.queue(Clear(ClearType::FromCursorDown))?;
            out.write_all(frame.as_bytes())?;
            out.flush()
        })();
        self.lines = u16::try_from(frame.lines().count()).unwrap_or(u16::MAX);
        match drawn {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::Quiet(0)),
            drawn => Ok(drawn.map_err(anyhow::Error::from)?),
        }
    }
}

/// The three boots, where the run stands, and why it does not go on.
pub(super) fn frame(answer: &WaitAnswer, now: Timestamp, columns: u16) -> String {
    let mut lines = vec![headline(answer, now)];
    if let Some(run) = &answer.run {
        let marks = table::boots::boots(run);
        let stages = [
            "netbooting live installing installed",
            "first-boot layering layered",
            "layered-boot networked joining ready",
        ];
        for (at, (marks, stages)) in marks.split(' ').zip(stages).enumerate() {
            lines.push(format!("  boot {} {marks:<4}  {stages}", at + 1));
        }
        if let (StageName::Installing, Some(percent)) = (&run.stage, run.percent) {
            let full = u32::from(percent.min(100)) * BAR / 100;
            let bar =
                "#".repeat(usize::try_from(full).unwrap_or(0)) + &"-".repeat(usize::try_from(BAR - full).unwrap_or(0));
            lines.push(format!("  [{bar}] {percent} %"));
        }
        if let Some(word) = &run.last_word {
            let message = word
                .message
                .as_deref()
                .map_or_else(String::new, |message| format!(": {message}"));
            lines.push(format!("  {} {} ago{message}", word.event, table::age(word.at, now)));
        }
    }
    let mut say = |name: &str, text: &Option<String>| lines.extend(text.iter().map(|text| format!("  {name}: {text}")));
    say("why", &answer.says);
    say("advice", &answer.advice);
    for alert in &answer.alerts {
        say("alert", &Some(alert.says.clone()));
    }
    let cut = |line: String| line.chars().take(usize::from(columns)).collect::<String>() + "\n";
    lines.into_iter().map(cut).collect()
}

fn headline(answer: &WaitAnswer, now: Timestamp) -> String {
    let Some(run) = &answer.run else {
        return format!("{}: not armed yet, waiting for {}", answer.host, answer.waited_for);
    };
    let stage = match &run.failed {
        Some(failed) => format!("{} in {}", run.stage, failed.stage),
        None => run.stage.to_string(),
    };
    let stalled = if run.stalled { ", stalled" } else { "" };
    let aim = match answer.outcome {
        WaitOutcome::Timeout => format!(", waiting for {}", answer.waited_for),
        WaitOutcome::Superseded => ", and another run began".to_owned(),
        WaitOutcome::Reached | WaitOutcome::Failed | WaitOutcome::Cancelled => String::new(),
    };
    let since = table::age(run.entered_at, now);
    format!("{} run {}: {stage}{stalled} for {since}{aim}", answer.host, run.number)
}

/// What of an answer makes a line of its own.
pub(super) type Change = (Option<u32>, Option<String>, bool, Option<u8>, WaitOutcome);

/// Every tenth of the install is told, not every percent.
pub(super) fn change(answer: &WaitAnswer) -> Change {
    let run = answer.run.as_ref();
    (
        run.map(|run| run.number),
        run.map(|run| run.stage.to_string()),
        answer.stalled,
        run.and_then(|run| run.percent).map(|percent| percent / 10),
        answer.outcome,
    )
}

/// One change as people read it.
pub(super) fn line(answer: &WaitAnswer, now: Timestamp) -> String {
    let mut line = format!("{} {}", now.strftime("%Y-%m-%dT%H:%M:%SZ"), headline(answer, now));
    if let Some(percent) = answer
        .run
        .as_ref()
        .filter(|run| run.stage == StageName::Installing)
        .and_then(|run| run.percent)
    {
        // Writing to a string cannot fail.
        let _ = write!(line, ", {percent} %");
    }
    for text in [&answer.says, &answer.advice].into_iter().flatten() {
        line.push_str("; ");
        line.push_str(text);
    }
    line + "\n"
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(stage: &str, more: &serde_json::Value) -> WaitAnswer {
        let mut answer = json!({"host": "agent-1", "outcome": "timeout", "waited_for": "ready", "stage": stage,
            "run": {"number": 2, "stage": stage, "entered_at": "2026-09-01T12:00:00Z"}});
        for (key, value) in more.as_object().unwrap() {
            match key.strip_prefix("run.") {
                Some(key) => answer["run"][key] = value.clone(),
                None => answer[key] = value.clone(),
            }
        }
        serde_json::from_value(answer).unwrap()
    }

    fn now() -> Timestamp {
        "2026-09-01T12:03:00Z".parse().unwrap()
    }

    #[test]
    fn the_three_boots_are_drawn_with_what_keeps_them() {
        let installing = answer(
            "installing",
            &json!({"run.percent": 42,
            "run.last_word": {"at": "2026-09-01T12:02:55Z", "event": "installing"}}),
        );
        let stuck = answer(
            "netbooting",
            &json!({"stalled": true, "run.stalled": true, "says": "the kernel was never fetched",
            "advice": "look at the console"}),
        );
        let failed = answer(
            "failed",
            &json!({"outcome": "failed", "says": "failed while layering: no",
            "run.failed": {"stage": "layering", "cause": "no"}}),
        );
        let frames: Vec<String> = [installing, stuck, failed]
            .iter()
            .map(|answer| frame(answer, now(), 72))
            .collect();
        insta::assert_snapshot!(frames.join("\n"));
        let nothing: WaitAnswer =
            serde_json::from_value(json!({"host": "a1", "outcome": "timeout", "waited_for": "ready"})).unwrap();
        assert_eq!(frame(&nothing, now(), 80), "a1: not armed yet, waiting for ready\n");
    }

    #[test]
    fn a_change_is_a_line_and_a_percent_is_none() {
        let at = |percent: u8| change(&answer("installing", &json!({"run.percent": percent})));
        assert_eq!(at(41), at(49));
        assert_ne!(at(49), at(50));
        assert_ne!(at(49), change(&answer("installed", &json!({}))));
        let told = line(&answer("installing", &json!({"run.percent": 42})), now());
        assert_eq!(
            told,
            "2026-09-01T12:03:00Z agent-1 run 2: installing for 3m, waiting for ready, 42 %\n"
        );
    }
}
