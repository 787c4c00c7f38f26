//! `thirdboot_template`: a Butane document on top of what hosts are installed with.

use thirdboot_api::control::{CheckedView, DEFAULT_TEMPLATE_ORDER, Role, TemplateSpec, TemplateView};
use thirdboot_api::{ClientError, ProblemType};
use thirdboot_terraform_plugin::{
    Attribute, Call, Change, Diagnostics, Object, Path, Resource, Schema, Type, Value, async_trait, reconcile, settle,
};

use crate::checks;
use crate::site::Site;
use crate::told::told;

/// What a template's fault says where a host lacks what the template speaks of.
const UNDEFINED: &str = "undefined value";

/// The resource.
#[derive(Debug)]
pub(crate) struct Template(pub(crate) Site);

fn schema() -> Schema {
    let select = vec![
        Attribute::optional("roles", Type::String.set(), "Hosts of one of these roles.").one_of(Role::ALL),
        Attribute::optional("labels", Type::String.map(), "Hosts that have all of these labels."),
        Attribute::optional("hosts", Type::String.set(), "These hosts, by name.").checked(checks::name),
    ];
    Schema::new(
        "A Butane document whose strings are rendered over a host's facts (docs/templates.md), on top of what the host is \
         installed with. It is checked against the fleet while Terraform plans. Hosts that are provisioned from then on get \
         it; machines that are installed keep what they have.",
        vec![
            Attribute::required("name", Type::String, "Unique: 1 to 63 of a-z, 0-9 and -.")
                .checked(checks::name)
                .replaces(),
            Attribute::required(
                "text",
                Type::String,
                "The Butane document (variant fcos). No place for secrets.",
            ),
            Attribute::optional(
                "select",
                Type::Object(select),
                "Which hosts it is for: everything that is said must hold. Every host when left out.",
            ),
            Attribute::optional(
                "order",
                Type::Number,
                "Lower numbers are merged first, those of one number by their names; what a later one says wins.",
            )
            .default(Value::from(u64::try_from(DEFAULT_TEMPLATE_ORDER).unwrap_or_default())),
            Attribute::optional("note", Type::String, "Why it is saved, for people: one line."),
            Attribute::computed("id", Type::String, "Its name.").keeps(),
            Attribute::computed("version", Type::Number, "Counts what was saved under this name."),
        ],
    )
}

#[async_trait]
impl Resource for Template {
    fn schema(&self) -> Schema {
        schema()
    }

    async fn plan(&self, call: &mut Call, change: &mut Change) -> Result<(), Diagnostics> {
        change.planned.insert("id".to_owned(), change.planned["name"].clone());
        let is_same = |name: &str| {
            change
                .prior
                .as_ref()
                .is_some_and(|prior| prior[name] == change.planned[name])
        };
        let is_to_check = ["name", "text", "select"]
            .iter()
            .all(|name| change.planned[*name].is_wholly_known())
            && !(is_same("text") && is_same("select"));
        let Some(client) = self.0.client_if_known().filter(|_| is_to_check) else {
            return Ok(());
        };
        let name = name_of(&change.planned);
        let summary = format!("The template {name} cannot be saved");
        match client.validate_template(name, &spec(&change.planned)?).await {
            Ok(checked) => faults(call, &checked, &summary),
            Err(error) if error.is(ProblemType::Malformed) => Err(told(&error, Some(&schema()), &summary)),
            // A server that is down, a token that may not ask, a host that the same apply makes: the save will tell.
            Err(error) => {
                call.warn(
                    Path::attribute("text"),
                    format!("The template {name} was not checked"),
                    format!("It is checked when it is saved. {error}"),
                );
                Ok(())
            }
        }
    }

    async fn create(&self, _: &mut Call, change: &Change) -> Result<Object, Diagnostics> {
        let name = name_of(&change.planned);
        let spec = spec(&change.planned)?;
        let saved = self.0.client()?.save_template(name, &spec, None).await;
        let view = saved.map_err(|error| {
            let mut found = told(&error, Some(&schema()), &format!("The template {name} cannot be saved"));
            if error.is(ProblemType::Changed) {
                found = Diagnostics::error(
                    Path::attribute("name"),
                    format!("There is a template {name} already"),
                    format!("If it is the one that is meant here, import it: terraform import thirdboot_template.<label> {name}"),
                );
            }
            found
        })?;
        Ok(settle(&change.planned, &seen(&view)?))
    }

    async fn read(&self, _: &mut Call, state: &Object) -> Result<Option<Object>, Diagnostics> {
        let name = name_of(state);
        let answer = self.0.client()?.template(name).await;
        let view = self
            .0
            .found(answer, &format!("The template {name} cannot be looked at"))
            .await?;
        view.map(|view| Ok(reconcile(&schema(), state, seen(&view)?)))
            .transpose()
    }

    async fn update(&self, _: &mut Call, prior: &Object, change: &Change) -> Result<Object, Diagnostics> {
        let name = name_of(prior);
        let (spec, version) = (spec(&change.planned)?, prior["version"].as_u64());
        let saved = self.0.client()?.save_template(name, &spec, version).await;
        let saved =
            saved.map_err(|error| told(&error, Some(&schema()), &format!("The template {name} cannot be saved")))?;
        Ok(settle(&change.planned, &seen(&saved)?))
    }

    async fn delete(&self, _: &mut Call, state: &Object) -> Result<(), Diagnostics> {
        let name = name_of(state);
        let version = state["version"].as_u64().unwrap_or_default();
        let gone: Result<_, ClientError> = self.0.client()?.delete_template(name, version).await;
        self.0
            .found(gone, &format!("The template {name} cannot be taken away"))
            .await
            .map(drop)
    }

    async fn import(&self, _: &mut Call, id: &str) -> Result<Object, Diagnostics> {
        Ok(Object::from([("name".to_owned(), id.trim().into())]))
    }
}

/// What is wrong ends the plan, as it would end the save. What a host lacks today is a warning: the same apply may give it a
/// label.
fn faults(call: &mut Call, checked: &CheckedView, summary: &str) -> Result<(), Diagnostics> {
    let mut found = Diagnostics::default();
    for fault in &checked.faults {
        match &fault.host {
            Some(host) if !checked.sample && fault.what.contains(UNDEFINED) => call.warn(
                Path::attribute("text"),
                format!("It does not render for {host} as that host is now"),
                fault.to_string(),
            ),
            _ => found.add_error(Path::attribute("text"), summary, fault.to_string()),
        }
    }
    found.into_result().map(drop)
}

fn name_of(state: &Object) -> &str {
    state.get("name").and_then(Value::as_str).unwrap_or_default()
}

fn spec(planned: &Object) -> Result<TemplateSpec, Diagnostics> {
    let said = ["text", "select", "order", "note"].map(|name| (name.to_owned(), planned[name].clone()));
    serde_json::from_value(Value::Object(said.into()).to_json()).map_err(|error| {
        // A number beyond the API's is the one thing that the schema cannot refuse.
        Diagnostics::error(
            Path::attribute("order"),
            "The template cannot be saved",
            error.to_string(),
        )
    })
}

fn seen(view: &TemplateView) -> Result<Object, Diagnostics> {
    let unreadable = |why: String| Diagnostics::error(Path::root(), "The server's answer cannot be read", why);
    let json = serde_json::to_value(view).map_err(|error| unreadable(error.to_string()))?;
    let value = Value::from_json(&json, &schema().ty).map_err(|error| unreadable(error.to_string()))?;
    let mut seen = value.as_object().cloned().unwrap_or_default();
    seen.insert("id".to_owned(), view.name.as_str().into());
    Ok(seen)
}
