//! The API's errors as Terraform shows them: at the attribute that is at fault, with what was expected and what to do.

use thirdboot_api::{ClientError, Problem, ProblemType};
use thirdboot_terraform_plugin::{Diagnostics, Path, Schema};

/// Fields of the API that have another name here.
const OTHER_NAMES: [(&str, &str); 4] = [
    ("provider", "at_provider"),
    ("provider.device", "at_provider.device"),
    ("console_password_hash", "console_password_hash_wo"),
    ("ttl_s", "permit_ttl"),
];

/// What the API says, at the attributes of this schema.
pub(crate) fn told(error: &ClientError, schema: Option<&Schema>, summary: &str) -> Diagnostics {
    let Some(problem) = error.problem() else {
        return Diagnostics::error(Path::root(), summary, without_answer(error));
    };
    let mut found = Diagnostics::default();
    for fault in &problem.errors {
        let (path, field) = place(schema, Some(&fault.field));
        found.add_error(path, summary, format!("{field}{}", fault.detail));
    }
    if problem.errors.is_empty() {
        let (path, field) = place(schema, problem.field.as_deref());
        found.add_error(path, summary, format!("{field}{}{}", said(problem), advice(problem)));
    }
    found
}

/// The attribute, or the field's name for the text where there is none.
fn place(schema: Option<&Schema>, field: Option<&str>) -> (Path, String) {
    let Some(field) = field.filter(|field| !field.is_empty()) else {
        return (Path::root(), String::new());
    };
    let other = OTHER_NAMES.iter().find(|(name, _)| *name == field);
    let name = other.map_or(field, |(_, here)| here);
    match schema.and_then(|schema| schema.locate(name)) {
        // What the path leaves out is told.
        Some(path) if path.to_string().len() >= name.len() => (path, String::new()),
        Some(path) => (path, format!("{field}: ")),
        None => (Path::root(), format!("{field}: ")),
    }
}

fn said(problem: &Problem) -> String {
    let without_field = Problem {
        field: None,
        ..problem.clone()
    };
    match &problem.stage {
        Some(stage) => format!("{without_field} (its run is {stage})"),
        None => without_field.to_string(),
    }
}

fn advice(problem: &Problem) -> &'static str {
    let kinds = [
        (
            ProblemType::Unauthorized,
            "\n\nThe server does not know this token: look at the provider's `token`, or at THIRDBOOT_TOKEN.",
        ),
        (
            ProblemType::Forbidden,
            "\n\nThe token's role does not reach: hosts need an operator's, clusters, templates and tokens an admin's.",
        ),
        (
            ProblemType::PreconditionFailed,
            "\n\nSomebody changed it since the plan was made. Nothing was overwritten: plan again.",
        ),
        (
            ProblemType::Changed,
            "\n\nSomebody changed it since the plan was made. Nothing was overwritten: plan again.",
        ),
    ];
    let of_kind = kinds.into_iter().find(|(kind, _)| problem.is(*kind));
    of_kind.map_or("", |(_, advice)| advice)
}

fn without_answer(error: &ClientError) -> String {
    let advice = match error {
        ClientError::Unreachable { .. } => {
            "Nothing is known of what it would have answered, so that the state stays as it was. Is the server running, and \
             is the provider's `endpoint` that of its control plane?"
        }
        ClientError::Unexpected { .. } | ClientError::Unreadable { .. } => {
            "This is no answer of Thirdboot's API: the provider's `endpoint` must be that of its control plane. The state \
             stays as it was."
        }
        _ => "",
    };
    format!("{error}\n\n{advice}").trim_end().to_owned()
}

/// A thing that must be there is not.
pub(crate) fn missing(path: Path, what: &str, name: &str) -> Diagnostics {
    Diagnostics::error(
        path,
        format!("There is no {what} {name}"),
        format!("The server has no {what} of this name."),
    )
}

/// Added with a name that is taken: what a user most likely wants.
pub(crate) fn with_import_advice(
    mut found: Diagnostics,
    error: &ClientError,
    resource: &str,
    name: &str,
) -> Diagnostics {
    let is_name = error
        .problem()
        .is_some_and(|problem| problem.field.as_deref() == Some("name"));
    if error.is(ProblemType::AlreadyTaken) && is_name {
        for diagnostic in &mut found.0 {
            let advice = format!(
                "\n\nIf it is the one that is meant here, import it: terraform import {resource}.<label> {name}"
            );
            diagnostic.detail.push_str(&advice);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use thirdboot_terraform_plugin::{Attribute, Type};

    use super::*;

    fn shown(problem: Problem) -> String {
        let schema = Schema::new(
            "x",
            vec![
                Attribute::optional("macs", Type::String.list(), "x"),
                Attribute::optional("console_password_hash_wo", Type::String, "x"),
            ],
        );
        let found = told(&ClientError::Problem(Box::new(problem)), Some(&schema), "It cannot be");
        let lines = found
            .0
            .iter()
            .map(|one| format!("[{}] {}: {}", one.path, one.summary, one.detail));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_problem_lands_on_the_attribute_it_names() {
        let problem = Problem::new(ProblemType::Malformed, "\"zz\" is no MAC").at("macs[1]");
        assert_eq!(shown(problem.clone()), "[macs[1]] It cannot be: \"zz\" is no MAC");
        assert_eq!(
            shown(problem.clone().at("console_password_hash")),
            "[console_password_hash_wo] It cannot be: \"zz\" is no MAC"
        );
        assert_eq!(
            shown(problem.at("moon.phase")),
            "[] It cannot be: moon.phase: \"zz\" is no MAC"
        );
    }

    #[test]
    fn every_field_at_fault_is_told() {
        let mut problem = Problem::new(ProblemType::Malformed, "two things");
        problem.errors = ["macs[0]", "macs[1]"]
            .map(|field| thirdboot_api::FieldError {
                field: field.to_owned(),
                detail: "no".to_owned(),
            })
            .to_vec();
        assert_eq!(shown(problem), "[macs[0]] It cannot be: no\n[macs[1]] It cannot be: no");
    }

    #[test]
    fn a_refused_token_says_where_it_comes_from() {
        let text = shown(Problem::new(ProblemType::Unauthorized, "unknown"));
        assert!(text.contains("THIRDBOOT_TOKEN"), "{text}");
    }
}
