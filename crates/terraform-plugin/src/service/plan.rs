//! Planning a change.

use super::{Service, read, written};
use crate::guard::guarded;
use crate::plan::{replacing, with_defaults, with_unknowns};
use crate::wire;
use crate::{Change, Diagnostics, Object, Path};

impl Service {
    pub(crate) async fn plan(&self, request: wire::Plan) -> wire::Planned {
        let (proposed, private) = (request.proposed_new_state.clone(), request.prior_private.clone());
        match self.planned(request).await {
            Ok(planned) => planned,
            Err(failed) => wire::Planned {
                state: proposed,
                requires_replace: Vec::new(),
                private,
                diagnostics: failed.into_wire(),
            },
        }
    }

    async fn planned(&self, request: wire::Plan) -> Result<wire::Planned, Diagnostics> {
        let known = self.resource(&request.type_name)?;
        let (schema, attributes) = (&known.schema, known.schema.attributes());
        let prior = read(request.prior_state.as_ref(), schema)?;
        let config = read(request.config.as_ref(), schema)?;
        let Some(proposed) = read(request.proposed_new_state.as_ref(), schema)? else {
            // A removal is as it is.
            return Ok(wire::Planned {
                state: request.proposed_new_state,
                private: request.prior_private,
                ..wire::Planned::default()
            });
        };
        let config = config.unwrap_or_default();
        let planned = with_defaults(attributes, &config, proposed);
        let planned = with_unknowns(attributes, &config, prior.as_ref(), planned);
        let mut change = Change { prior, config, planned };
        let mut call = self.call(request.prior_private);
        let done = guarded(known.code.plan(&mut call, &mut change)).await;
        let mut found = call.warnings;
        found.append(done.err().unwrap_or_default());
        let paths = match &change.prior {
            Some(prior) => replacing(attributes, prior, &change.planned),
            None => Vec::new(),
        };
        Ok(wire::Planned {
            state: Some(written(Some(change.planned), schema)),
            requires_replace: paths.iter().map(Into::into).collect(),
            private: call.private,
            diagnostics: found.into_wire(),
        })
    }

    /// A state that another version of the provider wrote, in the form of this one.
    pub(crate) fn upgrade(&self, request: &wire::Upgrade) -> wire::Upgraded {
        let upgraded = self.resource(&request.type_name).and_then(|known| {
            let newest = known.schema.version;
            if request.version > newest {
                let detail = format!(
                    "It is of version {}, and this provider knows versions up to {newest}: use a newer provider.",
                    request.version
                );
                return Err(Diagnostics::error(
                    Path::root(),
                    "The state is of a newer provider",
                    detail,
                ));
            }
            let sent = request.raw_state.as_ref().map(|raw| wire::DynamicValue {
                msgpack: Vec::new(),
                json: raw.json.clone(),
            });
            let state: Option<Object> = read(sent.as_ref(), &known.schema)?;
            Ok(written(state, &known.schema))
        });
        match upgraded {
            Ok(state) => wire::Upgraded {
                upgraded_state: Some(state),
                diagnostics: Vec::new(),
            },
            Err(failed) => wire::Upgraded {
                upgraded_state: None,
                diagnostics: failed.into_wire(),
            },
        }
    }
}
