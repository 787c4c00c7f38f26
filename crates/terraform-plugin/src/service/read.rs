//! Looking: at resources, at data sources, and at what is imported.

use super::{Service, read, read_some, written};
use crate::guard::guarded;
use crate::wire;
use crate::{Diagnostics, Value};

impl Service {
    pub(crate) async fn read(&self, request: wire::Read) -> wire::ReadDone {
        let (before, private) = (request.current_state.clone(), request.private.clone());
        match self.looked_at(request).await {
            Ok(done) => done,
            // Whatever went wrong, the resource may still be there.
            Err(failed) => wire::ReadDone {
                new_state: before,
                diagnostics: failed.into_wire(),
                private,
            },
        }
    }

    async fn looked_at(&self, request: wire::Read) -> Result<wire::ReadDone, Diagnostics> {
        let known = self.resource(&request.type_name)?;
        let Some(state) = read(request.current_state.as_ref(), &known.schema)? else {
            return Ok(wire::ReadDone {
                new_state: request.current_state,
                private: request.private,
                diagnostics: Vec::new(),
            });
        };
        let mut call = self.call(request.private);
        let done = guarded(known.code.read(&mut call, &state)).await;
        let mut found = call.warnings;
        let now = match done {
            Ok(now) => now,
            Err(failed) => {
                found.append(failed);
                Some(state)
            }
        };
        Ok(wire::ReadDone {
            new_state: Some(written(now, &known.schema)),
            diagnostics: found.into_wire(),
            private: call.private,
        })
    }

    pub(crate) async fn import(&self, request: wire::Import) -> wire::Imported {
        let known = match self.resource(&request.type_name) {
            Ok(known) => known,
            Err(failed) => {
                return wire::Imported {
                    imported_resources: Vec::new(),
                    diagnostics: failed.into_wire(),
                };
            }
        };
        let mut call = self.call(Vec::new());
        let done = guarded(known.code.import(&mut call, &request.id)).await;
        let mut found = call.warnings;
        let imported = match done {
            Ok(mut state) => {
                let empty = known.schema.ty.empty_object();
                for (name, value) in empty {
                    state.entry(name).or_insert(value);
                }
                vec![wire::ImportedResource {
                    type_name: request.type_name,
                    state: Some(written(Some(state), &known.schema)),
                    private: call.private,
                }]
            }
            Err(failed) => {
                found.append(failed);
                Vec::new()
            }
        };
        wire::Imported {
            imported_resources: imported,
            diagnostics: found.into_wire(),
        }
    }

    pub(crate) async fn read_source(&self, request: wire::ReadSource) -> wire::SourceRead {
        let read = async {
            let known = self.data_source(&request.type_name)?;
            let config = read_some(request.config.as_ref(), &known.schema, "configuration")?;
            let mut call = self.call(Vec::new());
            let done = guarded(known.code.read(&mut call, &config)).await;
            Ok((known, call.warnings, done))
        };
        let (state, found) = match read.await {
            Ok((known, found, Ok(state))) => (Some(written(Some(state), &known.schema)), found),
            Ok((known, mut found, Err(failed))) => {
                found.append(failed);
                let nothing = Value::Null.to_msgpack(&known.schema.ty);
                (
                    Some(wire::DynamicValue {
                        msgpack: nothing,
                        json: Vec::new(),
                    }),
                    found,
                )
            }
            Err::<_, Diagnostics>(failed) => (None, failed),
        };
        wire::SourceRead {
            state,
            diagnostics: found.into_wire(),
        }
    }
}
