//! What became of a description, and what to say when somebody else changed it meanwhile.

use std::fmt::Write as _;

use serde_json::Value;
use thirdboot_api::control::{EventView, HostSpec, HostView};
use thirdboot_api::{Client, ClientError, EventQuery, ProblemType};

use crate::cli::{Connection, Failure, now, table};

/// The event that a changed description leaves in the log.
const UPDATED: &str = "updated";

/// A host as it would be described, by what the server shows.
pub(super) fn described(view: &HostView) -> Result<HostSpec, Failure> {
    let fields = |value: Result<Value, serde_json::Error>| value.map_err(anyhow::Error::from);
    let (shown, mut spec) = (
        fields(serde_json::to_value(view))?,
        fields(serde_json::to_value(HostSpec::default()))?,
    );
    for (name, field) in spec.as_object_mut().into_iter().flatten() {
        if let Some(value) = shown.get(name) {
            *field = value.clone();
        }
    }
    Ok(serde_json::from_value(spec).map_err(anyhow::Error::from)?)
}

/// The fields in which two descriptions differ.
fn differing(before: &HostView, after: &HostView) -> Result<Vec<String>, Failure> {
    let fields = |view: &HostView| -> Result<Value, Failure> {
        let mut fields = serde_json::to_value(described(view)?).map_err(anyhow::Error::from)?;
        // It is never shown; whether there is one is.
        fields["console_password_hash"] = view.has_console_password.into();
        Ok(fields)
    };
    let (before, after) = (fields(before)?, fields(after)?);
    let names = after.as_object().into_iter().flat_map(serde_json::Map::keys);
    Ok(names.filter(|name| before[*name] != after[*name]).cloned().collect())
}

/// Says what is different now.
pub(super) fn print(connection: &Connection, before: &HostView, after: &HostView) -> Result<(), Failure> {
    let (name, changes) = (&after.name, differing(before, after)?);
    connection.output.print(after, || match changes.as_slice() {
        [] => format!("{name}: nothing changed\n"),
        changes => format!("{name}: changed {}\n", changes.join(", ")),
    })
}

/// A refusal; where somebody else was faster, with what changed and who changed the description last.
pub(super) async fn refused(client: &Client, before: &HostView, seen: &str, error: ClientError) -> Failure {
    if !error.is(ProblemType::PreconditionFailed) {
        return error.into();
    }
    let Ok(present) = client.host(&before.name).await else {
        return error.into();
    };
    let mut said = format!("{}: it was changed meanwhile", before.name);
    let changes = differing(before, &present).unwrap_or_default();
    // What another version than the one read here had is not known.
    if seen == before.etag && !changes.is_empty() {
        said.push_str(": ");
        said.push_str(&changes.join(", "));
    }
    if let Some(last) = last_update(client, &before.name).await {
        let ago = table::age(last.at, now());
        // Writing to a string cannot fail.
        let _ = write!(said, "; last updated by {} {ago} ago", last.by);
    }
    Failure::Other(anyhow::anyhow!("{said}. Its etag is {} now", present.etag))
}

/// The log's last word on the description; none when it cannot be read.
async fn last_update(client: &Client, name: &str) -> Option<EventView> {
    let mut query = EventQuery {
        host: Some(name.to_owned()),
        kinds: vec![UPDATED.to_owned()],
        refused: Some(false),
        ..EventQuery::default()
    };
    let mut last = None;
    loop {
        let page = client.search_events(&query).await.ok()?;
        last = page.items.into_iter().next_back().or(last);
        query.after = Some(page.searched_to);
        if page.next_cursor.is_none() {
            return last;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn view(more: &Value) -> HostView {
        let mut view = json!({"name": "a1", "macs": ["52:54:00:00:00:01"], "role": "runner", "cluster": "lab", "version": 7,
            "labels": {"rack": "r1", "row": "2"}, "install": {"disk": "D1"}, "run": null, "packages": ["htop"]});
        view.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(view).unwrap()
    }

    #[test]
    fn a_description_is_the_same_through_an_editor() {
        let spec = described(&view(&json!({}))).unwrap();
        assert_eq!(
            (spec.cluster.as_deref(), spec.install.disk.as_deref()),
            (Some("lab"), Some("D1"))
        );
        let text = serde_saphyr::to_string(&spec).unwrap();
        assert_eq!(serde_saphyr::from_str::<HostSpec>(&text).unwrap(), spec);
    }

    #[test]
    fn what_the_machine_does_is_no_difference() {
        let after = view(&json!({"version": 9, "os_version": "43.1", "packages": [], "has_console_password": true}));
        let differs = differing(&view(&json!({})), &after).unwrap();
        assert_eq!(differs, ["console_password_hash", "packages"]);
    }
}
