//! The provider: its block, and what it has.

use std::collections::BTreeMap;

use thirdboot_api::{Client, Token};
use thirdboot_terraform_plugin::{
    Attribute, Call, DataSource, Diagnostics, Object, Path, Provider, Resource, Schema, Type, Value, async_trait,
};

use crate::cluster::Cluster;
use crate::data::{ClusterSource, HostSource, HostsSource};
use crate::host::Host;
use crate::provision::Provision;
use crate::site::Site;
use crate::template::Template;
use crate::token::TokenResource;

/// Where a server listens that was told nothing else.
const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:8081";

/// Thirdboot for Terraform.
#[derive(Debug, Default)]
pub struct Thirdboot {
    site: Site,
}

#[async_trait]
impl Provider for Thirdboot {
    fn schema(&self) -> Schema {
        Schema::new(
            "Describes bare-metal hosts to Thirdboot, and waits until they are really ready.",
            vec![
                Attribute::optional(
                    "endpoint",
                    Type::String,
                    "Base URL of the server's control plane. Else the variable `THIRDBOOT_ENDPOINT`, else \
                     `http://127.0.0.1:8081`.",
                ),
                Attribute::optional(
                    "token",
                    Type::String,
                    "API token. Else the variable `THIRDBOOT_TOKEN`, else the file that `THIRDBOOT_TOKEN_FILE` names.",
                )
                .sensitive(),
                Attribute::optional(
                    "ca_file",
                    Type::String,
                    "File with the CA (PEM) that vouches for an https endpoint, and no other. Else the variable \
                     `THIRDBOOT_CA`, else what the operating system trusts.",
                ),
            ],
        )
    }

    fn resources(&self) -> BTreeMap<&'static str, Box<dyn Resource>> {
        let site = || self.site.clone();
        BTreeMap::from([
            ("thirdboot_cluster", Box::new(Cluster(site())) as Box<dyn Resource>),
            ("thirdboot_host", Box::new(Host(site()))),
            ("thirdboot_provision", Box::new(Provision(site()))),
            ("thirdboot_template", Box::new(Template(site()))),
            ("thirdboot_token", Box::new(TokenResource(site()))),
        ])
    }

    fn data_sources(&self) -> BTreeMap<&'static str, Box<dyn DataSource>> {
        let site = || self.site.clone();
        BTreeMap::from([
            (
                "thirdboot_cluster",
                Box::new(ClusterSource(site())) as Box<dyn DataSource>,
            ),
            ("thirdboot_host", Box::new(HostSource(site()))),
            ("thirdboot_hosts", Box::new(HostsSource(site()))),
        ])
    }

    async fn configure(&self, _: &mut Call, config: Object) -> Result<(), Diagnostics> {
        // What comes from other resources may be known after the apply only: whoever needs it says so.
        if config.values().any(Value::is_unknown) {
            return Ok(());
        }
        // What is no text is not passed over as if it were not set: the file or the server of that name is not found.
        let given = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        let environment = |name: &str| given(name).filter(|value| !value.trim().is_empty());
        self.site.is(connect(&config, &environment)?);
        Ok(())
    }
}

fn connect(config: &Object, environment: &dyn Fn(&str) -> Option<String>) -> Result<Client, Diagnostics> {
    let set = |name: &str, variable: &str| {
        let said = config.get(name).and_then(Value::as_str).map(str::to_owned);
        said.or_else(|| environment(variable))
    };
    let endpoint = set("endpoint", "THIRDBOOT_ENDPOINT").unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned());
    let token = match set("token", "THIRDBOOT_TOKEN") {
        Some(token) => token,
        None => token_of_file(environment)?,
    };
    let bad =
        |attribute: &str, why: String| Diagnostics::error(Path::attribute(attribute), "The server cannot be used", why);
    let client = match set("ca_file", "THIRDBOOT_CA") {
        None => Client::new(&endpoint, Token::new(&token)),
        Some(file) => {
            let pem =
                std::fs::read(&file).map_err(|error| bad("ca_file", format!("{file} cannot be read: {error}")))?;
            Client::trusting(&endpoint, Token::new(&token), &pem)
        }
    };
    client.map_err(|error| match error {
        thirdboot_api::ClientError::BadUrl { .. } => bad("endpoint", error.to_string()),
        error => bad("ca_file", error.to_string()),
    })
}

fn token_of_file(environment: &dyn Fn(&str) -> Option<String>) -> Result<String, Diagnostics> {
    let none = |why: String| Diagnostics::error(Path::attribute("token"), "There is no API token", why);
    let file = environment("THIRDBOOT_TOKEN_FILE").ok_or_else(|| {
        none("Set `token`, or one of the variables THIRDBOOT_TOKEN and THIRDBOOT_TOKEN_FILE.".to_owned())
    })?;
    let token = std::fs::read_to_string(&file).map_err(|error| {
        none(format!(
            "{file}, which THIRDBOOT_TOKEN_FILE names, cannot be read: {error}"
        ))
    })?;
    match token.trim() {
        "" => Err(none(format!("{file}, which THIRDBOOT_TOKEN_FILE names, is empty."))),
        token => Ok(token.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(config: &[(&str, &str)], variables: &[(&str, &str)]) -> String {
        let config = config.iter().map(|(name, value)| ((*name).to_owned(), (*value).into()));
        let environment = |name: &str| {
            let set = variables.iter().find(|(set, _)| *set == name);
            set.map(|(_, value)| (*value).to_owned())
        };
        match connect(&config.collect(), &environment) {
            Ok(_) => "taken".to_owned(),
            Err(found) => format!("{}: {}", found.0[0].path, found.0[0].detail),
        }
    }

    #[test]
    fn a_block_goes_before_the_environment_and_its_faults_are_told_where_they_are() {
        assert_eq!(refused(&[("token", "t")], &[]), "taken");
        assert_eq!(refused(&[], &[("THIRDBOOT_TOKEN", "t")]), "taken");
        assert!(refused(&[], &[]).starts_with("token: Set `token`"));
        assert!(refused(&[], &[("THIRDBOOT_TOKEN_FILE", "/nowhere")]).contains("/nowhere"));
        assert!(refused(&[("token", "t"), ("endpoint", "localhost:8081")], &[]).starts_with("endpoint: "));
        assert!(refused(&[("token", "t"), ("ca_file", "/nowhere")], &[]).starts_with("ca_file: /nowhere"));
        let valid = [("THIRDBOOT_TOKEN", "t"), ("THIRDBOOT_ENDPOINT", "nonsense")];
        assert_eq!(refused(&[("endpoint", "http://127.0.0.1:1")], &valid), "taken");
    }

    #[test]
    fn terraform_can_load_every_schema() {
        let provider = Thirdboot::default();
        let resources = provider.resources().into_iter().map(|(name, one)| (name, one.schema()));
        let sources = provider
            .data_sources()
            .into_iter()
            .map(|(name, one)| (name, one.schema()));
        for (name, schema) in resources.chain(sources).chain([("thirdboot", provider.schema())]) {
            assert_eq!(schema.faults(), Vec::<String>::new(), "{name}");
        }
    }
}
