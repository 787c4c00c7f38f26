//! What a person can do to a host.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::PowerAction;

/// A permit's time in seconds, when none is given: a day.
pub const DEFAULT_TTL_S: u64 = 24 * 60 * 60;

/// `POST /api/v1/hosts/{name}/arm`: gives the right to wipe and install, or to inspect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"confirm": "node-1", "ttl_s": 3600, "disk": "S6PUNX0T", "wipe": ["/dev/disk/by-id/nvme-old"]})))]
pub struct ArmBody {
    /// The host's name, repeated.
    pub confirm: String,
    /// For how many seconds the permit can be claimed: a minute to a week.
    #[serde(default = "default_ttl_s")]
    #[schema(minimum = 60, maximum = 604_800)]
    pub ttl_s: u64,
    /// The only disk that may be written, by path, serial or WWN; none means what the host's settings say.
    #[serde(default)]
    pub disk: Option<String>,
    /// Disks whose contents may be destroyed although something is recognisable on them.
    #[serde(default)]
    pub wipe: Vec<String>,
    /// Boots live, reports disks and cards, writes nothing.
    #[serde(default)]
    pub inspect: bool,
    /// Has the host's provider bring the machine to its network boot; none means that a person does. Only for platforms
    /// that can be asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power: Option<PowerAction>,
}

fn default_ttl_s() -> u64 {
    DEFAULT_TTL_S
}

impl ArmBody {
    /// Arms `name` for a day, for its configured or only disk.
    #[must_use]
    pub fn confirming(name: impl Into<String>) -> Self {
        Self {
            confirm: name.into(),
            ttl_s: DEFAULT_TTL_S,
            disk: None,
            wipe: Vec::new(),
            inspect: false,
            power: None,
        }
    }
}

/// `POST /api/v1/hosts/{name}/hold`: puts the brake on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"reason": "the fan is loud"})))]
pub struct HoldBody {
    /// Why, for whoever meets the held machine.
    pub reason: String,
}

/// The body of an action that needs nothing: `{}`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({})))]
pub struct Empty {}

/// `GET /api/v1/hosts/{name}/boot-url`: what a provider is given as iPXE URL. Carries the host's boot secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"url": "http://boot.example.net:8080/ipxe/tb_boot_EXAMPLE"})))]
pub struct BootUrl {
    /// The URL.
    pub url: String,
}

impl std::fmt::Debug for BootUrl {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BootUrl").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arming_takes_the_name_twice_and_little_else() {
        let body: ArmBody = serde_json::from_str(r#"{"confirm":"a"}"#).unwrap();
        assert_eq!(body, ArmBody::confirming("a"));
        let error = serde_json::from_str::<ArmBody>(r#"{"confirm":"a","wipe_all":true}"#).unwrap_err();
        assert!(error.to_string().contains("unknown field `wipe_all`"), "{error}");
        assert!(serde_json::from_str::<ArmBody>("{}").is_err());
        assert!(serde_json::from_str::<Empty>(r#"{"force":true}"#).is_err());
    }
}
