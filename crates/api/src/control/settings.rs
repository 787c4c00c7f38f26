//! When silence is too long: `/api/v1/settings/deadlines`.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

/// A stage's two deadlines, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StageDeadline {
    /// Without a sign of life for this long, the run is marked as stalled.
    pub stall_s: u32,
    /// After this long in the stage a stalled run fails; null means never.
    pub give_up_s: Option<u32>,
}

/// Limits beside the stages of runs, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AlertLimitsView {
    /// Between a reboot's local-disk script and the report of the booted system.
    pub not_back_s: u32,
    /// How long a reboot lock may be held.
    pub lock_held_s: u32,
    /// How long after its last sign a conflict of identifiers is still told.
    pub conflict_s: u32,
}

/// What is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"stages": {"live": {"stall_s": 600, "give_up_s": 3600}}, "alerts": {"not_back_s": 900, "lock_held_s": 3600, "conflict_s": 86400}, "set": ["live"]})))]
pub struct DeadlinesView {
    /// By stage.
    pub stages: BTreeMap<String, StageDeadline>,
    /// Of machines beside their runs.
    pub alerts: AlertLimitsView,
    /// The stages that an admin set; the others have their defaults.
    #[serde(default)]
    pub set: Vec<String>,
    /// Whether an admin set the limits of alerts.
    #[serde(default)]
    pub alerts_set: bool,
}

/// `PATCH /api/v1/settings/deadlines`: what is left out stays, null brings the default back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"stages": {"live": {"stall_s": 1200, "give_up_s": 7200}, "installing": null}, "alerts": {"not_back_s": 1800}})))]
#[serde(default, deny_unknown_fields)]
pub struct DeadlinesPatch {
    /// By stage.
    #[schema(schema_with = deadlines_or_null)]
    pub stages: BTreeMap<String, Option<StageDeadline>>,
    /// Limits beside the stages.
    #[serde(skip_serializing_if = "Change::is_none")]
    #[schema(value_type = Option<AlertLimitsPatch>)]
    pub alerts: Change<AlertLimitsPatch>,
}

/// What the derived schema cannot say: a value of the map may be null.
fn deadlines_or_null() -> utoipa::openapi::schema::Object {
    use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Ref, Schema, Type};
    let either = OneOfBuilder::new()
        .item(ObjectBuilder::new().schema_type(Type::Null))
        .item(Ref::from_schema_name("StageDeadline"));
    ObjectBuilder::new()
        .description(Some("By stage."))
        .additional_properties(Some(Schema::OneOf(either.build())))
        .build()
}

/// Limits that change; what is left out stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AlertLimitsPatch {
    /// Between a reboot's local-disk script and the report of the booted system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_back_s: Option<u32>,
    /// How long a reboot lock may be held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock_held_s: Option<u32>,
    /// How long after its last sign a conflict of identifiers is still told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflict_s: Option<u32>,
}

/// A change that can be none, and on the wire `null` for "the default again".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// Left out: it stays.
    #[default]
    None,
    /// `null`: the default again.
    Reset,
    /// This.
    To(T),
}

impl<T> Change<T> {
    fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

impl<T: Serialize> Serialize for Change<T> {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None | Self::Reset => into.serialize_none(),
            Self::To(value) => into.serialize_some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let given = Option::deserialize(from)?;
        Ok(given.map_or(Self::Reset, Self::To))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_not_nothing() {
        let nothing: DeadlinesPatch = serde_json::from_str("{}").unwrap();
        assert_eq!(nothing, DeadlinesPatch::default());
        let back: DeadlinesPatch = serde_json::from_str(r#"{"stages":{"live":null},"alerts":null}"#).unwrap();
        assert_eq!((back.stages["live"], back.alerts), (None, Change::Reset));
        assert_eq!(
            serde_json::to_string(&back).unwrap(),
            r#"{"stages":{"live":null},"alerts":null}"#
        );
        let error = serde_json::from_str::<DeadlinesPatch>(r#"{"stages":{"live":{"stall":3}}}"#).unwrap_err();
        assert!(error.to_string().contains("unknown field `stall`"), "{error}");
    }
}
