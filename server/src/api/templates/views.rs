//! Templates as the API shows them.

use thirdboot_api::control::{CheckedView, FaultView, SelectSpec, TemplateView};
use thirdboot_lifecycle::HostName;
use thirdboot_render::Fault;
use thirdboot_store::{Selection, StoredTemplate};

use crate::problem::Failure;
use crate::templates::Checked;

pub(super) fn select(selection: &Selection) -> SelectSpec {
    let roles = serde_json::to_value(&selection.roles)
        .and_then(serde_json::from_value)
        .unwrap_or_default();
    SelectSpec {
        roles,
        labels: selection.labels.clone(),
        hosts: selection.hosts.iter().map(ToString::to_string).collect(),
    }
}

pub(super) fn view(stored: StoredTemplate, with_text: bool) -> TemplateView {
    let draft = stored.draft;
    TemplateView {
        select: select(&draft.selection),
        name: draft.name,
        version: stored.version,
        text: with_text.then_some(draft.text),
        order: draft.order,
        note: draft.note,
        saved_at: stored.saved_at,
        saved_by: draft.by,
        deleted: stored.is_deleted,
        checked: None,
    }
}

pub(super) fn checked_view(checked: &Checked) -> CheckedView {
    CheckedView {
        valid: checked.is_valid(),
        hosts: checked.hosts,
        rendered: checked.rendered,
        sample: checked.is_sample,
        faults: checked
            .faults
            .iter()
            .map(|(host, fault)| fault_view(host.as_ref(), fault))
            .collect(),
    }
}

fn fault_view(host: Option<&HostName>, fault: &Fault) -> FaultView {
    let number = |n: usize| (n > 0).then(|| u64::try_from(n).unwrap_or(u64::MAX));
    FaultView {
        template: fault.template.clone(),
        host: host.map(ToString::to_string),
        line: number(fault.line),
        column: number(fault.column),
        field: (!fault.field.is_empty()).then(|| fault.field.clone()),
        what: fault.what.clone(),
    }
}

pub(super) fn invalid(checked: &Checked) -> Failure {
    let lines: Vec<String> = checked
        .faults
        .iter()
        .map(|(host, fault)| fault_view(host.as_ref(), fault).to_string())
        .collect();
    Failure::field("text", lines.join("\n"))
}
