//! Which hosts a list shows, as its parameters say.

use thirdboot_api::UnknownName;
use thirdboot_api::control::AlertKind;
use thirdboot_lifecycle::{HostName, Stage};
use thirdboot_store::{HostFilter, StageFilter};

use super::query::Query;
use crate::problem::Failure;

const KNOWN: &[&str] = &[
    "limit", "cursor", "q", "stage", "role", "cluster", "platform", "label", "stalled", "failed", "held", "adopted",
    "retired", "alert",
];
/// What somebody types is at most this long.
const MAX_SEARCH_CHARS: usize = 200;
/// Words and labels that narrow a list down.
const MAX_PARTS: usize = 16;

/// Which hosts are listed.
pub(super) struct Listing {
    /// What the store knows of them.
    pub(super) filter: HostFilter,
    /// What is derived of them: one of these, if any are named.
    pub(super) alerts: Vec<AlertKind>,
}

/// Reads the parameters of a list of hosts.
pub(super) fn listing(query: Query) -> Result<Listing, Failure> {
    let query = query.only(KNOWN)?;
    let labels: Vec<_> = query.all("label").map(label).collect::<Result<_, _>>()?;
    if labels.len() > MAX_PARTS {
        return Err(Failure::field("label", format!("expected at most {MAX_PARTS} of them")));
    }
    let alert = |word: &str| {
        word.parse()
            .map_err(|error: UnknownName| Failure::field("alert", error.to_string()))
    };
    let alerts = query.all("alert").map(alert).collect::<Result<_, _>>()?;
    let filter = HostFilter {
        after: query.get::<HostName>("cursor")?,
        limit: query.limit()?,
        words: words(query.get::<String>("q")?.unwrap_or_default().as_str())?,
        stage: stage(&query)?,
        stalled: query.get("stalled")?,
        role: query.word("role")?,
        cluster: query.get("cluster")?,
        platform: query.word("platform")?,
        labels,
        held: query.get("held")?,
        adopted: query.get("adopted")?,
        retired: query.get("retired")?,
    };
    Ok(Listing { filter, alerts })
}

fn words(text: &str) -> Result<Vec<String>, Failure> {
    let words: Vec<String> = text.split_whitespace().map(ToOwned::to_owned).collect();
    if text.chars().count() > MAX_SEARCH_CHARS || words.len() > MAX_PARTS || text.contains(char::is_control) {
        let expected = format!("expected at most {MAX_PARTS} words and {MAX_SEARCH_CHARS} characters on one line");
        return Err(Failure::field("q", expected));
    }
    Ok(words)
}

fn label(text: &str) -> Result<(String, Option<String>), Failure> {
    let (key, value) = text
        .split_once('=')
        .map_or((text, None), |(key, value)| (key, Some(value)));
    if key.is_empty() || text.contains(char::is_control) {
        return Err(Failure::field("label", "expected `key` or `key=value`"));
    }
    Ok((key.to_owned(), value.map(ToOwned::to_owned)))
}

fn stage(query: &Query) -> Result<Option<StageFilter>, Failure> {
    let stage = query.get::<String>("stage")?;
    let failed = query.get::<bool>("failed")?;
    let stage = match stage.as_deref() {
        None => None,
        Some("none") => Some(StageFilter::NeverArmed),
        Some(word) => Some(StageFilter::Is(Stage::named(word).ok_or_else(|| {
            let stages = Stage::ALL.map(Stage::as_str).join(", ");
            Failure::field("stage", format!("expected none, {stages}"))
        })?)),
    };
    match (stage, failed) {
        (stage, None) => Ok(stage),
        (None, Some(true)) => Ok(Some(StageFilter::Is(Stage::Failed))),
        (None, Some(false)) => Ok(Some(StageFilter::IsNot(Stage::Failed))),
        (Some(_), Some(_)) => Err(Failure::field(
            "failed",
            "`stage` says it already: expected one of them",
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::testing::TestApp;

    async fn names(site: &TestApp, query: &str) -> Vec<Value> {
        let list = site.api_get(&format!("/api/v1/hosts?{query}")).await.json();
        let items = list["items"].as_array().unwrap_or_else(|| panic!("{query}: {list}"));
        items.iter().map(|host| host["name"].clone()).collect()
    }

    #[tokio::test]
    async fn a_list_is_narrowed_down_by_any_of_its_parameters() {
        let site = TestApp::new().await;
        site.host_with("a1", 1, json!({"labels": {"rack": "7"}, "serial": "SER-9"}))
            .await;
        site.host_with(
            "a2",
            2,
            json!({"role": "server", "cluster": "lab", "platform": "equinix-metal"}),
        )
        .await;
        site.armed("a3", 3).await;
        site.api_post("/api/v1/hosts/a1/hold", &json!({"reason": "x"})).await;
        site.api_post("/api/v1/hosts/a2/retire", &json!({})).await;
        for (query, expected) in [
            ("", vec!["a1", "a2", "a3"]),
            ("q=ser-9", vec!["a1"]),
            ("q=5254.0000.0003", vec!["a3"]),
            ("q=a1%20rack", vec!["a1"]),
            ("q=", vec!["a1", "a2", "a3"]),
            ("stage=armed", vec!["a3"]),
            ("stage=none", vec!["a1", "a2"]),
            ("failed=true", vec![]),
            ("failed=false&role=runner", vec!["a1", "a3"]),
            ("role=server", vec!["a2"]),
            ("cluster=lab", vec!["a2"]),
            ("platform=equinix-metal", vec!["a2"]),
            ("label=rack", vec!["a1"]),
            ("label=rack%3D7&label=rack", vec!["a1"]),
            ("label=rack%3D8", vec![]),
            ("stalled=true", vec![]),
            ("held=true", vec!["a1"]),
            ("adopted=true", vec![]),
            ("retired=false&limit=2", vec!["a1", "a3"]),
        ] {
            assert_eq!(names(&site, query).await, expected, "{query}");
        }
        let counts = site.api_get("/api/v1/host-counts").await.json();
        assert_eq!(
            (&counts["total"], &counts["never_armed"], &counts["held"]),
            (&json!(3), &json!(2), &json!(1))
        );
        assert_eq!((&counts["retired"], &counts["stages"]["armed"]), (&json!(1), &json!(1)));
        assert_eq!(counts["stages"]["ready"], 0);
    }

    #[tokio::test]
    async fn a_filter_that_cannot_be_is_named() {
        let site = TestApp::new().await;
        for (query, field) in [
            ("stage=melting", "stage"),
            ("role=boss", "role"),
            ("platform=moon", "platform"),
            ("cluster=A%20b", "cluster"),
            ("label=%3D7", "label"),
            ("held=maybe", "held"),
            ("stage=armed&failed=true", "failed"),
            ("q=%00", "q"),
            (&format!("q={}", "x".repeat(201)), "q"),
            ("alert=fire", "alert"),
            ("name=a1", "name"),
        ] {
            let problem = site.api_get(&format!("/api/v1/hosts?{query}")).await.problem();
            assert_eq!((problem.0, problem.2.as_str()), (422, field), "{query}");
        }
    }
}
