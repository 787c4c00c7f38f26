//! Terraform's requests, answered: values are read by their schemas, the provider's code is asked, whatever goes wrong is
//! told as a diagnostic.

mod apply;
mod describe;
mod plan;
mod read;

use std::collections::BTreeMap;

use crate::stop::Stopper;
use crate::wire::{self, DynamicValue};
use crate::{Call, DataSource, Diagnostics, Malformed, Object, Path, Provider, Resource, Schema, Stop, Value};

/// A provider with its schemas at hand.
pub(crate) struct Service {
    provider: Box<dyn Provider>,
    schema: Schema,
    resources: BTreeMap<&'static str, Known<dyn Resource>>,
    data_sources: BTreeMap<&'static str, Known<dyn DataSource>>,
    stopper: Stopper,
}

struct Known<T: ?Sized> {
    schema: Schema,
    code: Box<T>,
}

impl Service {
    pub(crate) fn new(provider: impl Provider) -> Self {
        let resources = provider.resources().into_iter().map(|(name, code)| {
            let schema = code.schema();
            (name, Known { schema, code })
        });
        let data_sources = provider.data_sources().into_iter().map(|(name, code)| {
            let schema = code.schema();
            (name, Known { schema, code })
        });
        Self {
            resources: resources.collect(),
            data_sources: data_sources.collect(),
            schema: provider.schema(),
            provider: Box::new(provider),
            stopper: Stopper::new(),
        }
    }

    /// Tells whoever waits that Terraform's user wants to stop.
    pub(crate) fn stop(&self) {
        self.stopper.stop();
    }

    pub(crate) fn stop_provider(&self) -> wire::Stopped {
        self.stop();
        wire::Stopped { error: String::new() }
    }

    fn stop_watch(&self) -> Stop {
        self.stopper.watched()
    }

    fn call(&self, private: Vec<u8>) -> Call {
        Call::new(self.stop_watch(), private)
    }

    fn resource(&self, name: &str) -> Result<&Known<dyn Resource>, Diagnostics> {
        self.resources.get(name).ok_or_else(|| unknown("resource", name))
    }

    fn data_source(&self, name: &str) -> Result<&Known<dyn DataSource>, Diagnostics> {
        self.data_sources.get(name).ok_or_else(|| unknown("data source", name))
    }
}

fn unknown(kind: &str, name: &str) -> Diagnostics {
    let summary = format!("No such {kind}");
    Diagnostics::error(Path::root(), summary, format!("This provider has no {kind} {name:?}."))
}

/// A value as Terraform sent it; none where it is null.
fn read(sent: Option<&DynamicValue>, schema: &Schema) -> Result<Option<Object>, Diagnostics> {
    let value = match sent {
        Some(sent) if !sent.msgpack.is_empty() => Value::from_msgpack(&sent.msgpack, &schema.ty).map_err(unreadable)?,
        Some(sent) if !sent.json.is_empty() => Value::from_stored_json(&sent.json, &schema.ty).map_err(unreadable)?,
        None | Some(_) => Value::Null,
    };
    match value {
        Value::Object(fields) => Ok(Some(fields)),
        _ => Ok(None),
    }
}

/// A value that must be there.
fn read_some(sent: Option<&DynamicValue>, schema: &Schema, what: &str) -> Result<Object, Diagnostics> {
    read(sent, schema)?.ok_or_else(|| {
        Diagnostics::error(
            Path::root(),
            "Terraform sent an incomplete request",
            format!("It has no {what}."),
        )
    })
}

fn written(state: Option<Object>, schema: &Schema) -> DynamicValue {
    let value = state.map_or(Value::Null, Value::Object);
    DynamicValue {
        msgpack: value.to_msgpack(&schema.ty),
        json: Vec::new(),
    }
}

fn unreadable(error: Malformed) -> Diagnostics {
    Diagnostics::error(error.path, "The value cannot be read", error.why)
}
