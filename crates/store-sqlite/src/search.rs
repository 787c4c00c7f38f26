//! Hosts are found by what people remember of them. One narrow index in the order of names carries all that
//! is filtered by: a page is found in it, and only the page's rows are read. Stalled and failed hosts have an index each of
//! their own, since mostly they are few. Words that few hosts have are looked up by their trigrams first; words that many
//! have fill a page soon.

use std::fmt::Write as _;

use sqlx::sqlite::{SqliteConnection, SqlitePool};
use sqlx::{QueryBuilder, Sqlite};
use thirdboot_lifecycle::{ClusterName, Host, HostName, Platform, Role, Stage};
use thirdboot_store::{HostFilter, HostState, Page, StageFilter, StoreError};

use crate::error::unavailable;
use crate::read::{self, json};
use crate::rows::HostRow;
use crate::script::Script;

/// A search that no more hosts match looks at these alone.
const FEW: u32 = 5_000;
/// The shortest word that has a trigram.
const TRIGRAM_CHARS: usize = 3;
/// Rows that are filled at once.
const FILLED_AT_ONCE: u32 = 500;

/// What a host is searched by: a line each, in lower case.
pub(crate) fn text(host: &Host) -> String {
    let mut text = String::from("\n");
    let mut line = |words: &str| {
        text.push_str(&words.to_lowercase());
        text.push('\n');
    };
    line(host.name.as_str());
    for mac in &host.macs {
        let mac = mac.to_string();
        line(&mac);
        line(&mac.replace(':', ""));
    }
    host.serial.iter().for_each(|serial| line(serial.as_str()));
    host.uuid.iter().for_each(|uuid| line(uuid.as_str()));
    for (_, address) in host.network.addresses() {
        line(&address.to_string());
    }
    for (key, value) in &host.labels {
        line(&format!("{key}={value}"));
    }
    text
}

/// Its labels: a line each, as they are.
pub(crate) fn labels(host: &Host) -> String {
    let mut text = String::from("\n");
    for (key, value) in &host.labels {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{key}={value}");
    }
    text
}

/// Fills the rows that an older version wrote. All of it or a part: the next opening goes on.
pub(crate) async fn fill(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    loop {
        let rows: Vec<(i64, String)> = sqlx::query_as("SELECT id, host FROM hosts WHERE search IS NULL LIMIT ?")
            .bind(FILLED_AT_ONCE)
            .fetch_all(&mut *connection)
            .await
            .map_err(|error| unavailable(&error))?;
        if rows.is_empty() {
            return Ok(());
        }
        let found: Vec<_> = rows
            .iter()
            .map(|(id, host)| match serde_json::from_str::<Host>(host) {
                Ok(host) => (id, text(&host), labels(&host)),
                // A row that cannot be read is named when somebody asks for it.
                Err(_) => (id, String::new(), String::new()),
            })
            .collect();
        let mut script = Script::new();
        script
            .add(
                "UPDATE hosts SET search = n.value ->> 1, labels = n.value ->> 2 FROM json_each(?) AS n \
                 WHERE hosts.id = n.value ->> 0",
            )
            .bind(json(&found));
        script.run(connection).await.map_err(|error| unavailable(&error))?;
    }
}

/// A page of the hosts that pass the filter, in the order of their names.
pub(crate) async fn hosts(on: &SqlitePool, filter: &HostFilter) -> Result<Page<HostState>, StoreError> {
    let mut query = QueryBuilder::<Sqlite>::new(
        "SELECT id, version, host, run, observed FROM hosts WHERE id IN (SELECT hosts.id FROM ",
    );
    match few(on, &filter.words).await? {
        None => query.push("hosts INDEXED BY ").push(index(filter)),
        Some(few) => query
            .push("json_each(")
            .push_bind(json(&few))
            .push(") AS few CROSS JOIN hosts ON hosts.id = few.value"),
    };
    query.push(" WHERE name > ");
    query.push_bind(filter.after.as_ref().map_or("", HostName::as_str).to_owned());
    conditions(&mut query, filter);
    query
        .push(" ORDER BY name LIMIT ")
        .push_bind(i64::from(filter.limit) + 1)
        .push(") ORDER BY name");
    let rows: Vec<HostRow> = query
        .build_query_as()
        .fetch_all(on)
        .await
        .map_err(|error| unavailable(&error))?;
    read::page(rows, filter.limit)
}

/// The index that is looked through in the order of names.
fn index(filter: &HostFilter) -> &'static str {
    match (filter.stalled, &filter.stage) {
        (Some(true), _) => "hosts_stalled",
        (_, Some(StageFilter::Is(Stage::Failed))) => "hosts_failed",
        _ => "hosts_facets",
    }
}

/// The hosts that have all of these words, when they are few.
async fn few(on: &SqlitePool, words: &[String]) -> Result<Option<Vec<i64>>, StoreError> {
    let phrases: Vec<String> = words.iter().filter_map(|word| phrase(&word.to_lowercase())).collect();
    if phrases.is_empty() {
        return Ok(None);
    }
    let found: Vec<i64> = sqlx::query_scalar("SELECT rowid FROM host_words WHERE host_words MATCH ? LIMIT ?")
        .bind(phrases.join(" AND "))
        .bind(i64::from(FEW) + 1)
        .fetch_all(on)
        .await
        .map_err(|error| unavailable(&error))?;
    Ok(u32::try_from(found.len())
        .is_ok_and(|count| count <= FEW)
        .then_some(found))
}

/// A word as the trigrams' index is asked for it; none when it cannot be.
fn phrase(word: &str) -> Option<String> {
    let quoted = |word: &str| {
        let is_fit = word.chars().count() >= TRIGRAM_CHARS && !word.contains('\0');
        is_fit.then(|| format!("\"{}\"", word.replace('"', "\"\"")))
    };
    match bare_mac(word) {
        None => quoted(word),
        Some(bare) => Some(format!("({} OR {})", quoted(word)?, quoted(&bare)?)),
    }
}

fn conditions(query: &mut QueryBuilder<Sqlite>, filter: &HostFilter) {
    match filter.stage {
        None => {}
        Some(StageFilter::NeverArmed) => {
            query.push(" AND stage IS NULL");
        }
        // A literal, by which SQLite knows that the index of these has them all.
        Some(StageFilter::Is(Stage::Failed)) => {
            query.push(" AND stage = 'failed'");
        }
        Some(StageFilter::Is(stage)) => {
            query.push(" AND stage = ").push_bind(stage.as_str());
        }
        Some(StageFilter::IsNot(stage)) => {
            query.push(" AND stage IS NOT ").push_bind(stage.as_str());
        }
    }
    for (column, wanted) in [
        (" AND role = ", filter.role.map(Role::as_str)),
        (" AND platform = ", filter.platform.map(Platform::as_str)),
        (" AND cluster = ", filter.cluster.as_ref().map(ClusterName::as_str)),
    ] {
        if let Some(wanted) = wanted {
            query.push(column).push_bind(wanted.to_owned());
        }
    }
    for (column, wanted) in [
        (" AND stalled = ", filter.stalled),
        (" AND held = ", filter.held),
        (" AND adopted = ", filter.adopted),
        (" AND retired = ", filter.retired),
    ] {
        if let Some(wanted) = wanted {
            query.push(column).push(u8::from(wanted));
        }
    }
    for (key, value) in &filter.labels {
        let line = value
            .as_ref()
            .map_or_else(|| format!("\n{key}="), |value| format!("\n{key}={value}\n"));
        query.push(" AND instr(labels, ").push_bind(line).push(")");
    }
    for word in &filter.words {
        let word = word.to_lowercase();
        query.push(" AND (instr(search, ").push_bind(word.clone()).push(")");
        if let Some(bare) = bare_mac(&word) {
            query.push(" OR instr(search, ").push_bind(bare).push(")");
        }
        query.push(")");
    }
}

/// A MAC or the beginning of one in another notation than the one with colons: its digits alone.
fn bare_mac(word: &str) -> Option<String> {
    let (separator, digits) = match (word.contains('-'), word.contains('.')) {
        (true, false) => ('-', 2),
        (false, true) => ('.', 4),
        _ => return None,
    };
    let groups: Vec<&str> = word.split(separator).collect();
    let (last, first) = groups.split_last()?;
    let is_hex = |group: &str| group.bytes().all(|c| c.is_ascii_hexdigit());
    let is_mac =
        first.iter().all(|group| group.len() == digits && is_hex(group)) && last.len() <= digits && is_hex(last);
    is_mac.then(|| groups.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_asked_for_as_it_is_or_not_by_its_trigrams() {
        for (word, expected) in [
            ("ser-9", Some("\"ser-9\"")),
            ("a\"b", Some("\"a\"\"b\"")),
            ("5254.0000", Some("(\"5254.0000\" OR \"52540000\")")),
            ("12", None),
            ("ab-", None),
            ("ab\0c", None),
        ] {
            assert_eq!(phrase(word).as_deref(), expected, "{word:?}");
        }
    }
}
