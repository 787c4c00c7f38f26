//! `data.thirdboot_hosts`: hosts by their labels.

use thirdboot_api::HostQuery;
use thirdboot_api::control::Role;
use thirdboot_terraform_plugin::{Attribute, Call, DataSource, Diagnostics, Object, Schema, Type, Value, async_trait};

use super::shown;
use crate::checks;
use crate::site::Site;
use crate::told::told;

/// The data source.
#[derive(Debug)]
pub(crate) struct HostsSource(pub(crate) Site);

#[async_trait]
impl DataSource for HostsSource {
    fn schema(&self) -> Schema {
        let name = Attribute::computed("name", Type::String, "Its name.");
        let host = std::iter::once(name).chain(shown::attributes()).collect();
        Schema::new(
            "Every host that has all of these labels, this role and this cluster, by name.",
            vec![
                Attribute::optional("labels", Type::String.map(), "Labels that the hosts have."),
                Attribute::optional("role", Type::String, "What they become.").one_of(Role::ALL),
                Attribute::optional("cluster", Type::String, "Which cluster they join.").checked(checks::name),
                Attribute::computed("hosts", Type::Object(host).list(), "The hosts, by name."),
            ],
        )
    }

    async fn read(&self, _: &mut Call, config: &Object) -> Result<Object, Diagnostics> {
        let text = |name: &str| config.get(name).and_then(Value::as_str);
        let labels = config.get("labels").and_then(Value::as_object).into_iter().flatten();
        let query = HostQuery {
            role: text("role").and_then(|role| role.parse().ok()),
            cluster: text("cluster").map(str::to_owned),
            labels: labels
                .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)))
                .collect(),
            ..HostQuery::default()
        };
        let hosts = self.0.client()?.all_hosts(&query, None).await;
        let hosts = hosts.map_err(|error| told(&error, Some(&self.schema()), "The hosts cannot be listed"))?;
        let hosts = hosts.into_iter().map(|view| Value::Object(shown::values(view)));
        let mut found = config.clone();
        found.insert("hosts".to_owned(), Value::List(hosts.collect()));
        Ok(found)
    }
}
