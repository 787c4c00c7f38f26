//! What there is, and whether a configuration can be.

use super::{Service, read, read_some};
use crate::guard::{guarded, guarded_now};
use crate::wire;
use crate::{Diagnostics, Object, Path, Schema, Type, Value};

impl Service {
    pub(crate) fn metadata(&self) -> wire::Metadata {
        let named = |name: &&str| wire::NamedType {
            type_name: (*name).to_owned(),
        };
        wire::Metadata {
            server_capabilities: Some(capabilities()),
            data_sources: self.data_sources.keys().map(named).collect(),
            resources: self.resources.keys().map(named).collect(),
        }
    }

    pub(crate) fn provider_schema(&self) -> wire::ProviderSchema {
        let resources = self.resources.iter();
        let data_sources = self.data_sources.iter();
        wire::ProviderSchema {
            provider: Some(self.schema.to_wire()),
            resource_schemas: resources
                .map(|(name, known)| ((*name).to_owned(), known.schema.to_wire()))
                .collect(),
            data_source_schemas: data_sources
                .map(|(name, known)| ((*name).to_owned(), known.schema.to_wire()))
                .collect(),
            diagnostics: Vec::new(),
            server_capabilities: Some(capabilities()),
        }
    }

    pub(crate) fn validate_provider(&self, request: &wire::ValidateProvider) -> wire::ProviderValidated {
        let found = read(request.config.as_ref(), &self.schema).map_or_else(
            |unreadable| unreadable,
            |config| self.schema.check(&config.unwrap_or_default()),
        );
        wire::ProviderValidated {
            diagnostics: found.into_wire(),
        }
    }

    pub(crate) fn validate_resource(&self, request: &wire::Validate) -> wire::Told {
        let can_write_only = request
            .client_capabilities
            .is_some_and(|client| client.write_only_attributes_allowed);
        let found = self.resource(&request.type_name).and_then(|known| {
            let config = read_some(request.config.as_ref(), &known.schema, "configuration")?;
            let mut found = known.schema.check(&config);
            if !can_write_only {
                found.append(write_only_set(&known.schema, &config));
            }
            guarded_now(|| {
                known.code.validate(&config, &mut found);
                Ok(found)
            })
        });
        told(found)
    }

    pub(crate) fn validate_data_source(&self, request: &wire::Validate) -> wire::Told {
        let found = self.data_source(&request.type_name).and_then(|known| {
            let config = read_some(request.config.as_ref(), &known.schema, "configuration")?;
            let mut found = known.schema.check(&config);
            guarded_now(|| {
                known.code.validate(&config, &mut found);
                Ok(found)
            })
        });
        told(found)
    }

    pub(crate) async fn configure(&self, request: wire::Configure) -> wire::Told {
        let config = match read(request.config.as_ref(), &self.schema) {
            Ok(config) => config.unwrap_or_default(),
            Err(unreadable) => return told(Err(unreadable)),
        };
        let mut call = self.call(Vec::new());
        let done = guarded(self.provider.configure(&mut call, config)).await;
        let mut found = call.warnings;
        found.append(done.err().unwrap_or_default());
        told(Ok(found))
    }
}

fn capabilities() -> wire::ServerCapabilities {
    wire::ServerCapabilities {
        plan_destroy: false,
        get_provider_schema_optional: true,
    }
}

fn told(found: Result<Diagnostics, Diagnostics>) -> wire::Told {
    wire::Told {
        diagnostics: found.unwrap_or_else(|error| error).into_wire(),
    }
}

/// A Terraform before 1.11 would keep what is write-only in its state.
fn write_only_set(schema: &Schema, config: &Object) -> Diagnostics {
    let mut found = Diagnostics::default();
    for attribute in schema.attributes() {
        let is_set = config.get(attribute.name).is_some_and(|value| !value.is_null());
        if attribute.write_only && is_set {
            found.add_error(
                Path::attribute(attribute.name),
                "This Terraform keeps no secret",
                "A write-only argument needs Terraform 1.11 or newer: an older one would keep it in its state.",
            );
        }
    }
    found
}

impl Type {
    /// An object of this type with nothing in it.
    pub(crate) fn empty_object(&self) -> Object {
        match Value::Object(Object::new()).normalised(self) {
            Value::Object(fields) => fields,
            _ => Object::new(),
        }
    }
}
