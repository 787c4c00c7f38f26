//! Where a run stands, as a word on the wire.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a run stands. A newer server may know stages that this client does not: they are kept as they came.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[expect(
    missing_docs,
    reason = "each is the stage of that name; `Other` is one this client does not know"
)]
pub enum StageName {
    Armed,
    Netbooting,
    Live,
    Installing,
    Installed,
    FirstBoot,
    Layering,
    Layered,
    LayeredBoot,
    Networked,
    Joining,
    Ready,
    Failed,
    Cancelled,
    Other(String),
}

impl StageName {
    /// Every stage this client knows, in the order of the three boots, the two failed ends last.
    pub const KNOWN: [Self; 14] = [
        Self::Armed,
        Self::Netbooting,
        Self::Live,
        Self::Installing,
        Self::Installed,
        Self::FirstBoot,
        Self::Layering,
        Self::Layered,
        Self::LayeredBoot,
        Self::Networked,
        Self::Joining,
        Self::Ready,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Armed => "armed",
            Self::Netbooting => "netbooting",
            Self::Live => "live",
            Self::Installing => "installing",
            Self::Installed => "installed",
            Self::FirstBoot => "first-boot",
            Self::Layering => "layering",
            Self::Layered => "layered",
            Self::LayeredBoot => "layered-boot",
            Self::Networked => "networked",
            Self::Joining => "joining",
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Other(word) => word,
        }
    }

    /// Whether the run is over: ready, failed or cancelled. A stage this client does not know is taken as under way.
    #[must_use]
    pub fn is_end(&self) -> bool {
        matches!(self, Self::Ready | Self::Failed | Self::Cancelled)
    }

    /// Which of the three boots it belongs to; none before the first, after a failed end, and for an unknown stage.
    #[must_use]
    pub fn boot(&self) -> Option<u8> {
        match self {
            Self::Netbooting | Self::Live | Self::Installing | Self::Installed => Some(1),
            Self::FirstBoot | Self::Layering | Self::Layered => Some(2),
            Self::LayeredBoot | Self::Networked | Self::Joining | Self::Ready => Some(3),
            Self::Armed | Self::Failed | Self::Cancelled | Self::Other(_) => None,
        }
    }
}

impl utoipa::PartialSchema for StageName {
    /// Any word: a newer server may know more stages.
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some(
                "Where a run stands: one of the examples, in their order. Newer servers may know more.",
            ))
            .examples(Self::KNOWN.map(String::from))
            .build()
            .into()
    }
}

impl utoipa::ToSchema for StageName {}

impl From<String> for StageName {
    fn from(word: String) -> Self {
        Self::KNOWN
            .into_iter()
            .find(|stage| stage.as_str() == word)
            .unwrap_or(Self::Other(word))
    }
}

impl From<&str> for StageName {
    fn from(word: &str) -> Self {
        word.to_owned().into()
    }
}

impl From<StageName> for String {
    fn from(stage: StageName) -> Self {
        match stage {
            StageName::Other(word) => word,
            known => known.as_str().to_owned(),
        }
    }
}

impl fmt::Display for StageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_stage_goes_there_and_back() {
        for stage in StageName::KNOWN {
            let json = serde_json::to_string(&stage).unwrap();
            assert_eq!(serde_json::from_str::<StageName>(&json).unwrap(), stage);
        }
    }

    #[test]
    fn a_stage_of_a_newer_server_is_kept_as_it_came() {
        let stage: StageName = serde_json::from_str("\"defrosting\"").unwrap();
        assert_eq!(stage, StageName::Other("defrosting".into()));
        assert_eq!(serde_json::to_string(&stage).unwrap(), "\"defrosting\"");
        assert!(!stage.is_end());
    }
}
