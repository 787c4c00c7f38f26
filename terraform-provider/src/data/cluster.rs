//! `data.thirdboot_cluster`: how to reach a cluster that runs.

use thirdboot_api::ProblemType;
use thirdboot_terraform_plugin::{
    Attribute, Call, DataSource, Diagnostics, Object, Path, Schema, Type, Value, async_trait,
};

use super::kubeconfig::Access;
use crate::checks;
use crate::site::Site;
use crate::told::{missing, told};

/// The data source.
#[derive(Debug)]
pub(crate) struct ClusterSource(pub(crate) Site);

#[async_trait]
impl DataSource for ClusterSource {
    fn schema(&self) -> Schema {
        let secret = |name, description| Attribute::computed(name, Type::String, description).sensitive();
        Schema::new(
            "How to reach a cluster that was begun: let it depend on the `thirdboot_provision` of its first server. Needs an \
             admin's token.",
            vec![
                Attribute::required("name", Type::String, "Its name.").checked(checks::name),
                Attribute::computed("k3s_version", Type::String, "What its nodes run."),
                secret(
                    "kubeconfig",
                    "The file for kubectl. Whoever has it is the cluster's admin.",
                ),
                secret("endpoint", "URL of the Kubernetes API."),
                secret("ca_certificate", "The cluster's CA, in PEM."),
                secret("client_certificate", "The admin's certificate, in PEM."),
                secret("client_key", "The admin's key, in PEM."),
            ],
        )
    }

    async fn read(&self, _: &mut Call, config: &Object) -> Result<Object, Diagnostics> {
        let client = self.0.client()?;
        let name = config.get("name").and_then(Value::as_str).unwrap_or_default();
        let summary = format!("The cluster {name} cannot be looked at");
        let found = self.0.found(client.cluster(name).await, &summary).await?;
        let view = found.ok_or_else(|| missing(Path::attribute("name"), "cluster", name))?;
        if !view.has_kubeconfig {
            return Err(Diagnostics::error(
                Path::attribute("name"),
                format!("The cluster {name} has no kubeconfig yet"),
                "Its first server hands it in while it joins. Let this data source depend on the thirdboot_provision of that \
                 server.",
            ));
        }
        let kubeconfig = client.kubeconfig(name).await.map_err(|error| {
            let mut found = told(&error, None, &format!("The kubeconfig of {name} cannot be read"));
            if error.is(ProblemType::Forbidden) {
                for one in &mut found.0 {
                    one.path = Path::attribute("name");
                }
            }
            found
        })?;
        let access = Access::read(&kubeconfig.kubeconfig).map_err(|why| {
            Diagnostics::error(
                Path::attribute("name"),
                format!("The kubeconfig of {name} cannot be read"),
                why,
            )
        })?;
        let values: [(&str, Value); 7] = [
            ("name", name.into()),
            ("k3s_version", view.spec.k3s.version.into()),
            ("kubeconfig", kubeconfig.kubeconfig.into()),
            ("endpoint", access.endpoint.into()),
            ("ca_certificate", access.ca_certificate.into()),
            ("client_certificate", access.client_certificate.into()),
            ("client_key", access.client_key.into()),
        ];
        Ok(values.map(|(name, value)| (name.to_owned(), value)).into())
    }
}
