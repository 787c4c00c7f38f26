//! Two configs, part by part; two texts, line by line.

use std::collections::BTreeMap;

use similar::TextDiff;
use thirdboot_api::control::{ChangeView, PartView};
use thirdboot_render::Part;

use super::redacting::shown;

/// Lines around a change.
const CONTEXT_LINES: usize = 3;

/// The difference as people read it; empty where the texts are the same.
pub(super) fn unified(before: &str, after: &str, [from, to]: &[String; 2]) -> String {
    if before == after {
        return String::new();
    }
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(CONTEXT_LINES)
        .header(from, to)
        .to_string()
}

/// What differs, in the order of today's config; what is gone comes last. Secrets are compared and not shown.
pub(super) fn changes(installed: &[Part], today: &[Part], with_secrets: bool) -> Vec<ChangeView> {
    let key = |part: &Part| (part.kind, part.name.clone());
    let before: BTreeMap<_, &Part> = installed.iter().map(|part| (key(part), part)).collect();
    let after: BTreeMap<_, &Part> = today.iter().map(|part| (key(part), part)).collect();
    let mut changes: Vec<ChangeView> = Vec::new();
    for part in today {
        match before.get(&key(part)) {
            None => changes.push(change("added", None, Some(part), with_secrets)),
            Some(old) if *old != part => changes.push(change("changed", Some(old), Some(part), with_secrets)),
            Some(_) => {}
        }
    }
    let gone = installed.iter().filter(|part| !after.contains_key(&key(part)));
    changes.extend(gone.map(|part| change("removed", Some(part), None, with_secrets)));
    changes
}

fn change(what: &str, before: Option<&Part>, after: Option<&Part>, with_secrets: bool) -> ChangeView {
    let (old, new) = (
        before.map(|part| shown(part, with_secrets)),
        after.map(|part| shown(part, with_secrets)),
    );
    let text = |part: Option<&PartView>| part.and_then(|part| part.text.clone()).unwrap_or_default();
    let headers = ["installed".to_owned(), "today".to_owned()];
    let text = unified(&text(old.as_ref()), &text(new.as_ref()), &headers);
    let settings = |part: &Option<PartView>| part.as_ref().map(|part| part.settings.clone());
    let (settings_before, settings_after) = (settings(&old), settings(&new));
    let is_moved = settings_before != settings_after;
    let binary_differs = [&old, &new]
        .into_iter()
        .flatten()
        .any(|part| part.text.is_none() && part.sha256.is_some());
    let Some(PartView { kind, name, .. }) = new.or(old) else {
        return ChangeView::default();
    };
    ChangeView {
        secrets_only: what == "changed" && text.is_empty() && !is_moved && !binary_differs,
        change: what.to_owned(),
        kind,
        name,
        settings_before: settings_before.filter(|_| is_moved),
        settings_after: settings_after.filter(|_| is_moved),
        text: (!text.is_empty()).then_some(text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    fn part(kind: &'static str, name: &str, content: &str) -> Part {
        Part {
            kind,
            name: name.to_owned(),
            settings: Map::from_iter([("mode".to_owned(), json!("0644"))]),
            content: Some(content.as_bytes().to_vec()),
        }
    }

    #[test]
    fn what_was_added_changed_and_removed_is_told() {
        let mut wider = part("file", "/c", "c\n");
        wider.settings.insert("mode".to_owned(), json!("0600"));
        let installed = [
            part("file", "/a", "1\n2\n3\n"),
            part("file", "/b", "b\n"),
            part("file", "/c", "c\n"),
            part("unit", "/d", ""),
        ];
        let today = [
            part("file", "/a", "1\nx\n3\n"),
            wider,
            part("unit", "/d", ""),
            part("file", "/e", "e\n"),
        ];
        insta::assert_json_snapshot!(changes(&installed, &today, false));
    }

    #[test]
    fn a_secret_that_differs_is_told_and_not_shown() {
        let env = |secret: &str| [part("file", "/env", &format!("SECRET=tb_host_{secret}\n"))];
        let (old, new) = (env(&"a".repeat(52)), env(&"b".repeat(52)));
        let hidden = changes(&old, &new, false);
        assert!(hidden[0].secrets_only && hidden[0].text.is_none());
        let open = changes(&old, &new, true);
        assert!(open[0].text.as_deref().unwrap().contains("aaaa") && !open[0].secrets_only);
    }
}
