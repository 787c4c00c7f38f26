//! The fleet: counts, and a row a host. What is stalled comes first, then what failed, then everybody else by name.

use askama::Template;
use axum::response::{Html, IntoResponse as _, Response};
use jiff::Timestamp;
use thirdboot_api::Problem;
use thirdboot_api::control::{HostCountsView, HostView, Page};
use thirdboot_lifecycle::Stage;

use super::frame::{self, Shell};
use super::visitor::Visitor;
use super::{links, show};

/// Rows of a page.
const ROWS: usize = 50;

/// What a list can be narrowed down by, as it stands in the URL.
const FILTERS: [&str; 7] = ["q", "stage", "state", "role", "cluster", "platform", "label"];
/// Who needs somebody to look comes first. No host is in two of them.
const BANDS: [&[(&str, &str)]; 3] = [
    &[("stalled", "true")],
    &[("stalled", "false"), ("failed", "true")],
    &[("stalled", "false"), ("failed", "false")],
];

#[derive(Template)]
#[template(path = "page/fleet.html")]
struct FleetPage {
    shell: Shell,
    list: List,
    unknown: usize,
}

/// What of the page changes while somebody looks at it: the same for everybody who asks for the same.
#[derive(Template)]
#[template(path = "page/fleet_parts.html")]
struct FleetParts {
    list: List,
    unknown: usize,
}

/// Counts and rows.
struct List {
    counts: Vec<Count>,
    total: u64,
    asked: Asked,
    rows: Vec<Row>,
    next: Option<String>,
    is_continued: bool,
}

/// How many stand somewhere, and where they are listed.
struct Count {
    name: String,
    number: u64,
    class: &'static str,
    url: String,
    is_chosen: bool,
}

/// One host in the list.
struct Row {
    name: String,
    what: String,
    mood: &'static str,
    stage: String,
    boots: String,
    time: String,
    word: String,
    word_says: String,
    alerts: Vec<String>,
    held: bool,
}

/// What was asked for.
struct Asked {
    given: Vec<(&'static str, String)>,
}

impl Asked {
    fn of(visitor: &Visitor) -> Self {
        let given = FILTERS
            .iter()
            .filter_map(|name| Some((*name, visitor.asked(name)?.to_owned())));
        Self { given: given.collect() }
    }

    fn get(&self, name: &str) -> &str {
        let found = self.given.iter().find(|(key, _)| *key == name);
        found.map_or("", |(_, value)| value)
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.get(name) == value
    }

    fn any(&self) -> bool {
        !self.given.is_empty()
    }

    /// In the API's words. A state is a question of its own there.
    fn query(&self) -> Vec<(&str, &str)> {
        let pairs = self
            .given
            .iter()
            .filter_map(|(key, value)| match (*key, value.as_str()) {
                ("state", state @ ("stalled" | "failed" | "held" | "adopted" | "retired")) => Some((state, "true")),
                ("state", _) => None,
                (key, value) => Some((key, value)),
            });
        pairs.collect()
    }

    /// Whether the order is the list's own business.
    fn is_banded(&self) -> bool {
        self.get("stage").is_empty() && !matches!(self.get("state"), "stalled" | "failed")
    }

    /// The URL with something else instead.
    fn but(&self, changed: &[(&str, &str)]) -> String {
        let kept = self
            .given
            .iter()
            .filter(|(key, _)| changed.iter().all(|(other, _)| key != other));
        let mut query: Vec<(&str, &str)> = kept.map(|(key, value)| (*key, value.as_str())).collect();
        query.extend(changed);
        links::with("/", &query)
    }
}

/// Where the list goes on: the band, and the last name in it.
#[derive(Debug, PartialEq, Eq)]
struct Cursor<'a> {
    band: usize,
    name: &'a str,
}

impl<'a> Cursor<'a> {
    fn of(text: Option<&'a str>) -> Self {
        let pair = text.and_then(|text| text.split_once('.'));
        let read = pair.and_then(|(band, name)| Some((band.parse().ok().filter(|band| *band < BANDS.len())?, name)));
        let (band, name) = read.unwrap_or((0, ""));
        Self { band, name }
    }
}

/// The page, or what of it changes for who looks again.
pub(super) async fn show(visitor: Visitor) -> Response {
    let built = match visitor.looks_again() {
        Some(seen) => looked_at_again(&visitor, seen).await,
        None => built(&visitor).await,
    };
    built.unwrap_or_else(|problem| visitor.trouble(&problem))
}

async fn built(visitor: &Visitor) -> Result<Response, Problem> {
    let (list, unknown) = looked(visitor).await?;
    let shell = visitor.shell("fleet", "Fleet").live(None);
    Ok(frame::page(&FleetPage { shell, list, unknown }))
}

/// The list, and how many strangers wait where it is empty.
async fn looked(visitor: &Visitor) -> Result<(List, usize), Problem> {
    let list = List::asked_for(visitor).await?;
    let unknown = if list.total == 0 {
        super::machines::count(visitor).await?
    } else {
        0
    };
    Ok((list, unknown))
}

async fn looked_at_again(visitor: &Visitor, seen: u64) -> Result<Response, Problem> {
    let asked = Asked::of(visitor).but(&[("after", visitor.asked("after").unwrap_or_default())]);
    let pages = &visitor.pages;
    let look = async || {
        let (list, unknown) = looked(visitor).await?;
        Ok(frame::text(&FleetParts { list, unknown })?)
    };
    let key = (visitor.caller.role, asked);
    let text = pages.looks.shared(pages.app.store.as_ref(), key, seen, look).await?;
    Ok(Html(text).into_response())
}

impl List {
    async fn asked_for(visitor: &Visitor) -> Result<Self, Problem> {
        let asked = Asked::of(visitor);
        let after = visitor.asked("after");
        let counts: HostCountsView = visitor.get("/api/v1/host-counts").await?;
        let (hosts, next) = listed(visitor, &asked, Cursor::of(after)).await?;
        let now = visitor.now();
        Ok(Self {
            counts: counted(&counts, &asked),
            total: counts.total,
            rows: hosts.iter().map(|host| row(host, now)).collect(),
            next: next.map(|next| asked.but(&[("after", &next)])),
            is_continued: after.is_some(),
            asked,
        })
    }
}

/// A page of rows, from the bands in their order.
async fn listed(
    visitor: &Visitor,
    asked: &Asked,
    cursor: Cursor<'_>,
) -> Result<(Vec<HostView>, Option<String>), Problem> {
    let bands: &[&[(&str, &str)]] = if asked.is_banded() { &BANDS } else { &[&[]] };
    let mut rows = Vec::new();
    let mut after = cursor.name.to_owned();
    for (band, narrowed) in bands.iter().enumerate().skip(cursor.band) {
        let limit = (ROWS - rows.len()).to_string();
        let mut query = asked.query();
        query.extend(*narrowed);
        query.extend([("limit", limit.as_str()), ("cursor", after.as_str())]);
        let part: Page<HostView> = visitor.get(&links::with("/api/v1/hosts", &query)).await?;
        rows.extend(part.items);
        if let Some(last) = part.next_cursor {
            return Ok((rows, Some(format!("{band}.{last}"))));
        }
        if rows.len() >= ROWS && band + 1 < bands.len() {
            return Ok((rows, Some(format!("{}.", band + 1))));
        }
        after.clear();
    }
    Ok((rows, None))
}

fn counted(counts: &HostCountsView, asked: &Asked) -> Vec<Count> {
    let by = |name: &str, number, class, key: &'static str, value: &str| Count {
        name: name.to_owned(),
        number,
        class,
        url: {
            let other = if key == "state" { "stage" } else { "state" };
            let chosen = if asked.is(key, value) { "" } else { value };
            asked.but(&[(key, chosen), (other, "")])
        },
        is_chosen: asked.is(key, value),
    };
    let failed = counts.stages.get("failed").copied().unwrap_or(0);
    let mut all = vec![
        by("stalled", counts.stalled, "warn", "state", "stalled"),
        by("failed", failed, "bad", "state", "failed"),
    ];
    for stage in Stage::ALL {
        let name = stage.as_str();
        let number = counts.stages.get(name).copied().unwrap_or(0);
        if name != "failed" && (number > 0 || name == "ready") {
            let class = if name == "ready" { "good" } else { "" };
            all.push(by(name, number, class, "stage", name));
        }
    }
    for (name, number, key, value) in [
        ("not armed yet", counts.never_armed, "stage", "none"),
        ("held", counts.held, "state", "held"),
        ("retired", counts.retired, "state", "retired"),
    ] {
        if number > 0 {
            all.push(by(name, number, "", key, value));
        }
    }
    all
}

fn row(host: &HostView, now: Timestamp) -> Row {
    let (mood, stage) = show::standing(host);
    let run = host.run.as_ref();
    let word = run.and_then(|run| run.last_word.as_ref());
    let mut what = vec![host.role.as_str().to_owned()];
    what.extend(host.cluster.clone());
    what.push(host.platform.as_str().to_owned());
    Row {
        name: host.name.clone(),
        what: what.join(" · "),
        mood: mood.class(),
        stage,
        boots: show::boots(host),
        time: run.map_or_else(|| "–".to_owned(), |run| show::against_deadline(run, now)),
        word: word.map_or_else(|| "–".to_owned(), |word| show::ago(word.at, now)),
        word_says: word.map_or_else(String::new, |word| word.event.clone()),
        alerts: host.alerts.iter().map(|alert| alert.kind.clone()).collect(),
        held: host.hold.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_and_what_is_none_begins_anew() {
        assert_eq!(
            Cursor::of(Some("2.node-7")),
            Cursor {
                band: 2,
                name: "node-7"
            }
        );
        assert_eq!(Cursor::of(Some("1.")), Cursor { band: 1, name: "" });
        for text in [None, Some("9.x"), Some("x"), Some("-1.x")] {
            assert_eq!(Cursor::of(text), Cursor { band: 0, name: "" }, "{text:?}");
        }
    }
}
