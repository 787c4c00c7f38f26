//! A machine at its provider.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AlertView;

/// Which machine a host is at its provider: only for platforms that have one to be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"device": "7a8b0000-0000-4000-8000-0000000000d1", "metadata": true})))]
pub struct ProviderSpec {
    /// The provider's id of the machine, a UUID; a machine is one host only.
    pub device: String,
    /// Whether the provider's metadata service answers the machine: Ignition and Afterburn are told of it then.
    #[serde(default)]
    pub metadata: bool,
}

/// What the provider says of a machine. It is shown and proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "at": "2026-09-01T12:00:00Z", "state": "active", "netboot": true, "vlans": [1000], "powered_run": 3, "trouble": null
})))]
pub struct AtProviderView {
    /// When this last changed.
    pub at: Timestamp,
    /// The provider's word for the machine's state.
    #[serde(default)]
    pub state: Option<String>,
    /// Whether the machine boots from the network every time.
    #[serde(default)]
    pub netboot: Option<bool>,
    /// VLANs that its bond carries.
    #[serde(default)]
    pub vlans: Vec<u16>,
    /// The last run whose power request the provider took.
    #[serde(default)]
    pub powered_run: Option<u32>,
    /// What is wrong between the server and the provider; its kind is a word such as `token-refused`.
    #[serde(default)]
    pub trouble: Option<AlertView>,
}
