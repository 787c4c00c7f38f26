//! What somebody would save, read field by field.

use thirdboot_api::control::{SelectSpec, TemplateSpec};
use thirdboot_lifecycle::HostName;
use thirdboot_store::{Selection, TemplateDraft};

use crate::problem::Failure;
use crate::secrets::redact;

/// Names and labels of a selection.
const MAX_SELECTED: usize = 1000;
/// A note is a line for people.
const MAX_NOTE_CHARS: usize = 500;

/// The draft, checked field by field. What its text says is checked by rendering it.
pub(in crate::api) fn draft(name: &str, spec: &TemplateSpec, by: &str) -> Result<TemplateDraft, Failure> {
    let is_name = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    if !(1..=63).contains(&name.len()) || !name.bytes().all(is_name) || name.starts_with('-') || name.ends_with('-') {
        return Err(Failure::field(
            "name",
            "expected 1 to 63 of a-z 0-9 -, not beginning or ending with -",
        ));
    }
    if redact(&spec.text) != spec.text.as_str() {
        let why = "a template is no place for a secret, and this text holds one (tb_…): whoever may look at hosts can read it";
        return Err(Failure::field("text", why));
    }
    let note = spec.note.as_deref().map(str::trim).filter(|note| !note.is_empty());
    if note.is_some_and(|note| note.chars().count() > MAX_NOTE_CHARS || note.contains(char::is_control)) {
        return Err(Failure::field(
            "note",
            format!("expected one line of at most {MAX_NOTE_CHARS} characters"),
        ));
    }
    Ok(TemplateDraft {
        name: name.to_owned(),
        text: spec.text.clone(),
        selection: selection(&spec.select)?,
        order: spec.order,
        note: note.map(|note| redact(note).into_owned()),
        by: by.to_owned(),
    })
}

fn selection(select: &SelectSpec) -> Result<Selection, Failure> {
    for (field, length) in [
        ("select.hosts", select.hosts.len()),
        ("select.labels", select.labels.len()),
    ] {
        if length > MAX_SELECTED {
            return Err(Failure::field(
                field,
                format!("{length} of them, expected at most {MAX_SELECTED}"),
            ));
        }
    }
    let host = |(at, name): (usize, &String)| {
        name.parse::<HostName>()
            .map_err(|error| Failure::field(format!("select.hosts[{at}]"), error.to_string()))
    };
    let roles = serde_json::to_value(&select.roles)
        .and_then(serde_json::from_value)
        .map_err(Failure::internal)?;
    Ok(Selection {
        roles,
        labels: select.labels.clone(),
        hosts: select.hosts.iter().enumerate().map(host).collect::<Result<_, _>>()?,
    })
}
