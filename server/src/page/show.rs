//! How things look: times, sizes, stages, the three boots.

use std::borrow::Borrow;
use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use thirdboot_api::control::{HostView, RunView};

/// A span of time in its largest unit that is not zero, as people say it.
pub(super) fn span(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().unsigned_abs();
    span_s(seconds)
}

/// The same of seconds.
pub(super) fn span_s(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// How long ago, with the exact time on hover: HTML.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    let passed = now.duration_since(at);
    let says = if passed.is_negative() {
        format!("in {}", span(passed))
    } else if passed.as_secs() == 0 {
        "just now".to_owned()
    } else {
        format!("{} ago", span(passed))
    };
    let exact = exact(at);
    format!("<time datetime=\"{at}\" title=\"{exact}\">{says}</time>")
}

/// A size as people say it. Borrowed, as templates have it, or not.
pub(super) fn bytes(bytes: impl Borrow<u64>) -> String {
    let units = ["B", "KB", "MB", "GB", "TB"];
    let mut unit = 0;
    let mut scaled = *bytes.borrow();
    let mut rest = 0;
    while scaled >= 1000 && unit + 1 < units.len() {
        rest = (scaled % 1000) / 100;
        scaled /= 1000;
        unit += 1;
    }
    if unit > 0 && scaled < 100 {
        format!("{scaled}.{rest} {}", units[unit])
    } else {
        format!("{scaled} {}", units[unit])
    }
}

/// How somebody is doing: the class of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    /// Nothing to say.
    Quiet,
    /// On its way.
    Busy,
    /// As it should be.
    Good,
    /// Somebody should look.
    Warn,
    /// Something is broken.
    Bad,
}

impl Mood {
    /// Its class in the stylesheet.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Busy => "busy",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

/// How a host is doing, and in a word where it stands.
pub(super) fn standing(host: &HostView) -> (Mood, String) {
    if host.retired {
        return (Mood::Quiet, "retired".to_owned());
    }
    let Some(run) = &host.run else {
        let word = if host.adopted { "adopted" } else { "not armed yet" };
        return (Mood::Quiet, word.to_owned());
    };
    of_run(run)
}

/// The same of a run.
pub(super) fn of_run(run: &RunView) -> (Mood, String) {
    let stage = run.stage.as_str();
    match stage {
        "ready" => (Mood::Good, stage.to_owned()),
        "failed" => {
            let at = run.failed.as_ref().map_or("", |failed| failed.stage.as_str());
            (Mood::Bad, format!("failed at {at}"))
        }
        "cancelled" => (Mood::Quiet, stage.to_owned()),
        _ if run.stalled => (Mood::Warn, format!("{stage}, stalled")),
        "installing" => {
            let percent = run.percent.map_or_else(String::new, |percent| format!(" {percent} %"));
            (Mood::Busy, format!("installing{percent}"))
        }
        _ => (Mood::Busy, stage.to_owned()),
    }
}

/// Which boot a stage belongs to, and how much of it is done by then, in percent.
fn within(stage: &str, percent: Option<u8>) -> (usize, u8) {
    match stage {
        "armed" => (0, 0),
        "netbooting" => (0, 10),
        "live" => (0, 20),
        "installing" => (0, 25 + scaled(percent)),
        "installed" => (1, 0),
        "first-boot" => (1, 25),
        "layering" => (1, 50),
        "layered" => (2, 0),
        "layered-boot" => (2, 30),
        "networked" => (2, 55),
        "joining" => (2, 80),
        _ => (2, 100),
    }
}

/// The installer's percent as its part of the first boot.
fn scaled(percent: Option<u8>) -> u8 {
    let part = u16::from(percent.unwrap_or(0).min(100)) * 70 / 100;
    u8::try_from(part).unwrap_or(70)
}

/// One of the three segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    /// How much of it is done, in percent, in steps of five.
    pub(super) percent: u8,
    /// Where the run stands is in this one.
    pub(super) is_here: bool,
}

/// The three boots of a run.
pub(super) fn segments(run: &RunView) -> [Segment; 3] {
    let stage = match run.stage.as_str() {
        "failed" | "cancelled" => run.failed.as_ref().map_or("armed", |failed| failed.stage.as_str()),
        stage => stage,
    };
    let (at, part) = within(stage, run.percent);
    std::array::from_fn(|boot| Segment {
        percent: match boot.cmp(&at) {
            std::cmp::Ordering::Less => 100,
            std::cmp::Ordering::Equal => part / 5 * 5,
            std::cmp::Ordering::Greater => 0,
        },
        is_here: boot == at && stage != "ready",
    })
}

/// The three boots drawn: HTML without anything of a host's own.
pub(super) fn boots(host: &HostView) -> String {
    let Some(run) = &host.run else {
        return "<span class=\"boots\" role=\"img\" aria-label=\"no run\"><i></i><i></i><i></i></span>".to_owned();
    };
    let (mood, _) = of_run(run);
    let segments = segments(run);
    let done = segments.iter().filter(|segment| segment.percent == 100).count();
    let mut html = format!(
        "<span class=\"boots {}\" role=\"img\" aria-label=\"{done} of 3 boots done\">",
        mood.class()
    );
    for segment in segments {
        // Writing to a string cannot fail.
        let _ = match segment {
            Segment {
                percent: 0,
                is_here: false,
            } => write!(html, "<i></i>"),
            Segment {
                percent,
                is_here: false,
            } => write!(html, "<i class=\"p{percent}\"></i>"),
            Segment { percent, is_here: true } => write!(html, "<i class=\"h p{percent}\"></i>"),
        };
    }
    html.push_str("</span>");
    html
}

/// Time in the stage against its deadline, in words, with the exact times on hover: HTML.
pub(super) fn against_deadline(run: &RunView, now: Timestamp) -> String {
    let is_over = run.stage.is_end();
    let due = run.deadline_at.filter(|_| !is_over);
    let spent = span(now.duration_since(run.entered_at));
    let says = match due {
        Some(due) if run.stalled => {
            let left = due.duration_since(now).max(SignedDuration::ZERO);
            format!("{spent}, given up in {}", span(left))
        }
        Some(due) if due <= now => format!("{spent}, {} late", span(now.duration_since(due))),
        Some(due) => format!("{spent}, due in {}", span(due.duration_since(now))),
        None => spent,
    };
    let until = due.map_or_else(String::new, |due| format!(", until {}", exact(due)));
    format!("<span title=\"since {}{until}\">{says}</span>", exact(run.entered_at))
}

/// A time as it is shown on hover.
pub(super) fn exact(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A line of a unified difference, by what it does.
pub(super) struct DiffLine<'a> {
    pub(super) class: &'static str,
    pub(super) text: &'a str,
}

/// The lines of a unified difference.
pub(super) fn diff_lines(text: &str) -> Vec<DiffLine<'_>> {
    text.lines()
        .map(|text| {
            let class = if text.starts_with("+++") || text.starts_with("---") || text.starts_with("@@") {
                "at"
            } else if text.starts_with('+') {
                "add"
            } else if text.starts_with('-') {
                "del"
            } else {
                ""
            };
            DiffLine { class, text }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use thirdboot_api::StageName;

    use super::*;

    fn run(stage: &str, percent: Option<u8>) -> RunView {
        let mut run: RunView = serde_json::from_value(
            serde_json::json!({"number": 1, "stage": stage, "entered_at": "2026-09-01T12:00:00Z"}),
        )
        .unwrap();
        run.percent = percent;
        run
    }

    #[test]
    fn boots_fill_from_left_to_right_in_the_order_of_the_stages() {
        let stages = &StageName::KNOWN[..12];
        let done: Vec<u32> = stages
            .iter()
            .map(|stage| {
                segments(&run(stage.as_str(), None))
                    .iter()
                    .map(|one| u32::from(one.percent))
                    .sum()
            })
            .collect();
        assert!(done.is_sorted_by(|before, after| before < after), "{done:?}");
        assert_eq!(done.last(), Some(&300));
        let half = segments(&run("installing", Some(50)))[0];
        assert_eq!((half.percent, half.is_here), (60, true));
    }

    #[test]
    fn a_failed_run_stands_where_it_failed() {
        let mut failed = run("failed", None);
        failed.failed = serde_json::from_value(serde_json::json!({"stage": "layering", "cause": "x"})).unwrap();
        let seen: Vec<u8> = segments(&failed).iter().map(|one| one.percent).collect();
        assert_eq!(seen, [100, 50, 0]);
    }

    #[test]
    fn times_and_sizes_are_told_as_people_do() {
        let at = |s: i64| Timestamp::from_second(1_800_000_000 + s).unwrap();
        assert_eq!(
            ago(at(0), at(130)),
            "<time datetime=\"2027-01-15T08:00:00Z\" title=\"2027-01-15 08:00:00 UTC\">2 min ago</time>"
        );
        assert!(ago(at(0), at(0)).contains(">just now<"));
        assert!(ago(at(90), at(0)).contains(">in 1 min<"));
        let told: Vec<String> = [59, 60, 7200, 200_000].map(span_s).into();
        assert_eq!(told, ["59 s", "1 min", "2 h", "2 d"]);
        let told: Vec<String> = [999, 1500, 1_012_345_678, 123_000_000].map(bytes).into();
        assert_eq!(told, ["999 B", "1.5 KB", "1.0 GB", "123 MB"]);
    }
}
