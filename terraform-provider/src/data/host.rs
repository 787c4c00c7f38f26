//! `data.thirdboot_host`: a host by its name.

use thirdboot_terraform_plugin::{
    Attribute, Call, DataSource, Diagnostics, Object, Path, Schema, Type, Value, async_trait,
};

use super::shown;
use crate::checks;
use crate::site::Site;
use crate::told::missing;

/// The data source.
#[derive(Debug)]
pub(crate) struct HostSource(pub(crate) Site);

#[async_trait]
impl DataSource for HostSource {
    fn schema(&self) -> Schema {
        let name = Attribute::required("name", Type::String, "Its name.").checked(checks::name);
        let attributes = std::iter::once(name).chain(shown::attributes());
        Schema::new(
            "A host as it is now, and where its last run stands.",
            attributes.collect(),
        )
    }

    async fn read(&self, _: &mut Call, config: &Object) -> Result<Object, Diagnostics> {
        let name = config.get("name").and_then(Value::as_str).unwrap_or_default();
        let answer = self.0.client()?.host(name).await;
        let found = self
            .0
            .found(answer, &format!("The host {name} cannot be looked at"))
            .await?;
        let view = found.ok_or_else(|| missing(Path::attribute("name"), "host", name))?;
        Ok(shown::values(view))
    }
}
