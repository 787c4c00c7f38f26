//! Making, changing and removing.

use super::{Known, Service, read, written};
use crate::guard::guarded;
use crate::wire;
use crate::{Call, Change, Diagnostics, Object, Resource, Schema, Value};

impl Service {
    pub(crate) async fn apply(&self, request: wire::Apply) -> wire::Applied {
        let (prior, private) = (request.prior_state.clone(), request.planned_private.clone());
        match self.applied(request).await {
            Ok(applied) => applied,
            Err(failed) => wire::Applied {
                new_state: prior,
                private,
                diagnostics: failed.into_wire(),
            },
        }
    }

    async fn applied(&self, request: wire::Apply) -> Result<wire::Applied, Diagnostics> {
        let known = self.resource(&request.type_name)?;
        let schema = &known.schema;
        let prior = read(request.prior_state.as_ref(), schema)?;
        let planned = read(request.planned_state.as_ref(), schema)?;
        let config = read(request.config.as_ref(), schema)?.unwrap_or_default();
        let mut call = self.call(request.planned_private);
        let done = match planned {
            Some(planned) => {
                let change = Change {
                    prior: prior.clone(),
                    config,
                    planned,
                };
                changed(known, &mut call, &change).await.map(Some)
            }
            None => match &prior {
                Some(prior) => guarded(known.code.delete(&mut call, prior)).await.map(|()| None),
                None => Ok(None),
            },
        };
        let mut found = call.warnings;
        let state = match done {
            Ok(state) => state,
            Err(failed) => {
                found.append(failed);
                call.kept.or(prior)
            }
        };
        Ok(wire::Applied {
            new_state: Some(written(state.map(|state| kept(state, schema)), schema)),
            private: call.private,
            diagnostics: found.into_wire(),
        })
    }
}

async fn changed(known: &Known<dyn Resource>, call: &mut Call, change: &Change) -> Result<Object, Diagnostics> {
    match &change.prior {
        Some(prior) => guarded(known.code.update(call, prior, change)).await,
        None => guarded(known.code.create(call, change)).await,
    }
}

/// What may stand in a state: nothing unknown, nothing write-only.
fn kept(mut state: Object, schema: &Schema) -> Object {
    for attribute in schema.attributes() {
        if attribute.write_only {
            state.insert(attribute.name.to_owned(), Value::Null);
        }
    }
    for value in state.values_mut() {
        without_unknowns(value);
    }
    state
}

fn without_unknowns(value: &mut Value) {
    match value {
        Value::Unknown => *value = Value::Null,
        Value::List(items) => items.iter_mut().for_each(without_unknowns),
        Value::Object(fields) => fields.values_mut().for_each(without_unknowns),
        _ => {}
    }
}
