//! A template as it stands in its form.

use thirdboot_api::control::{DEFAULT_TEMPLATE_ORDER, Role, SelectSpec, TemplateSpec, TemplateView};

use super::super::form::{Fields, words};
use crate::problem::Failure;

/// What a new template begins with.
const EXAMPLE: &str = "variant: fcos
version: 1.5.0
storage:
  files:
    - path: /etc/motd
      contents:
        inline: \"This is {{ host.name }}\\n\"
";

/// A template as it stands in its form.
pub(super) struct Draft {
    pub(super) name: String,
    /// The version that was seen; 0 for a new one.
    pub(super) version: u64,
    pub(super) text: String,
    roles: Vec<String>,
    pub(super) labels: String,
    pub(super) hosts: String,
    pub(super) order: String,
    pub(super) note: String,
}

impl Draft {
    pub(super) fn new() -> Self {
        Self {
            name: String::new(),
            version: 0,
            text: EXAMPLE.to_owned(),
            roles: Vec::new(),
            labels: String::new(),
            hosts: String::new(),
            order: DEFAULT_TEMPLATE_ORDER.to_string(),
            note: String::new(),
        }
    }

    pub(super) fn of(template: &TemplateView) -> Self {
        let labels = template
            .select
            .labels
            .iter()
            .map(|(key, value)| format!("{key}={value}"));
        Self {
            name: template.name.clone(),
            version: template.version,
            text: template.text.clone().unwrap_or_default(),
            roles: template
                .select
                .roles
                .iter()
                .map(|role| role.as_str().to_owned())
                .collect(),
            labels: labels.collect::<Vec<_>>().join(" "),
            hosts: template.select.hosts.join(" "),
            order: template.order.to_string(),
            note: String::new(),
        }
    }

    /// As somebody typed it.
    pub(super) fn typed(name: &str, fields: &Fields) -> Self {
        Self {
            name: name.to_owned(),
            version: fields.get("version").parse().unwrap_or(0),
            // Browsers send the ends of lines of the web's first days.
            text: fields.raw("text").replace("\r\n", "\n"),
            roles: fields.all("role").into_iter().map(ToOwned::to_owned).collect(),
            labels: fields.get("labels").to_owned(),
            hosts: fields.get("hosts").to_owned(),
            order: fields.get("order").to_owned(),
            note: fields.get("note").to_owned(),
        }
    }

    pub(super) fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|one| one == role)
    }

    /// In the API's words.
    pub(super) fn spec(&self) -> Result<TemplateSpec, Failure> {
        if self.name.is_empty() {
            return Err(Failure::field(
                "name",
                "expected a name: 1 to 63 of a-z 0-9 -".to_owned(),
            ));
        }
        let roles = self.roles.iter().map(|role| role.parse::<Role>());
        let roles = roles
            .collect::<Result<_, _>>()
            .map_err(|error| Failure::field("select.roles", error.to_string()))?;
        let labels = words(&self.labels).into_iter().map(|word| match word.split_once('=') {
            Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
            None => Err(Failure::field(
                "select.labels",
                format!("{word:?} is no label: expected key=value"),
            )),
        });
        let order = self
            .order
            .parse()
            .map_err(|_| Failure::field("order", "expected a number".to_owned()))?;
        Ok(TemplateSpec {
            text: self.text.clone(),
            select: SelectSpec {
                roles,
                labels: labels.collect::<Result<_, _>>()?,
                hosts: words(&self.hosts),
            },
            order,
            note: Some(self.note.clone()).filter(|note| !note.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_labels_are_told_apart_by_commas_too() {
        let draft = Draft {
            name: "motd".to_owned(),
            hosts: "web-01,web-02, web-03\nweb-04".to_owned(),
            labels: "rack=7, site=b".to_owned(),
            ..Draft::new()
        };
        let select = draft.spec().unwrap().select;
        assert_eq!(select.hosts, ["web-01", "web-02", "web-03", "web-04"]);
        assert_eq!(select.labels.len(), 2);
    }
}
