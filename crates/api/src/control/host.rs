//! A host as an admin describes it, and as the server shows it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AlertView, Arch, DiagnosisView, DiskBoot, KnownBy, NetworkSpec, Platform, ProviderSpec, Role, RunView};

/// A host to be added: `POST /api/v1/hosts`. Only the name is needed; what is left out has its default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(examples(json!({
    "name": "node-1", "macs": ["52:54:00:aa:bb:01"], "role": "runner", "labels": {"rack": "7"},
    "install": {"console": ["ttyS1,115200n8"]},
    "network": {
        "bond": {"ports": ["52:54:00:aa:bb:01", "52:54:00:aa:bb:02"]},
        "vlans": [{"id": 1000, "addresses": ["10.0.0.2/24"]}]
    }
})))]
pub struct HostSpec {
    /// Unique in the fleet: an RFC 1123 label of at most 63 characters.
    pub name: String,
    /// MACs of its network cards, in any usual notation; a MAC belongs to one host only.
    pub macs: Vec<String>,
    /// SMBIOS serial; none means that the first live boot pins it.
    pub serial: Option<String>,
    /// SMBIOS UUID; none means that the first live boot pins it.
    pub uuid: Option<String>,
    /// Its processor's architecture.
    pub arch: Arch,
    /// Where it stands and how it is powered.
    pub platform: Platform,
    /// Which machine it is at its provider, where there is one to be asked.
    pub provider: Option<ProviderSpec>,
    /// What it becomes.
    pub role: Role,
    /// The cluster that a server or an agent joins.
    pub cluster: Option<String>,
    /// How a request is recognised as this host's.
    pub known_by: KnownBy,
    /// What the installed system brings up.
    pub network: NetworkSpec,
    /// How it is installed and booted.
    pub install: InstallSpec,
    /// OpenSSH public keys of the user `core`.
    pub ssh_keys: Vec<String>,
    /// A crypt(5) hash for the console login of `core`; never shown again.
    pub console_password_hash: Option<String>,
    /// NTP servers; none means those of the operating system.
    pub time_servers: Vec<String>,
    /// Packages to layer on the second boot.
    pub packages: Vec<String>,
    /// Free labels for people, filters and templates.
    pub labels: BTreeMap<String, String>,
}

/// `PATCH /api/v1/hosts/{name}`: a JSON merge patch (RFC 7396) of a [`HostSpec`]. What is left out stays, `null` resets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object)]
pub struct HostPatch(pub serde_json::Map<String, serde_json::Value>);

/// How a host is installed, and how its disk is booted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct InstallSpec {
    /// A path below `/dev/disk/by-id/` or `/dev/disk/by-path/`, a serial or a WWN; none means the only eligible disk.
    pub disk: Option<String>,
    /// How iPXE hands over to the disk.
    pub disk_boot: DiskBoot,
    /// Kernel consoles such as `ttyS1,115200n8`, the primary one last.
    pub console: Vec<String>,
    /// Further arguments for the kernels of the live and the installed system.
    pub kernel_arguments: Vec<String>,
    /// A pinned version of the operating system; none means the mirror's current one.
    pub version: Option<String>,
}

/// A host as the server shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "name": "node-1", "macs": ["52:54:00:aa:bb:01"], "role": "runner", "labels": {"rack": "7"}, "version": 4,
    "run": {"number": 1, "stage": "installing", "entered_at": "2026-09-01T12:03:00Z", "percent": 42, "attempt": 1, "attempts": 3}
})))]
pub struct HostView {
    /// Unique in the fleet.
    pub name: String,
    /// MACs of its network cards, lower case with colons.
    #[serde(default)]
    pub macs: Vec<String>,
    /// SMBIOS serial, stated or pinned.
    #[serde(default)]
    pub serial: Option<String>,
    /// SMBIOS UUID, stated or pinned.
    #[serde(default)]
    pub uuid: Option<String>,
    /// Its processor's architecture.
    #[serde(default)]
    pub arch: Arch,
    /// Where it stands and how it is powered.
    #[serde(default)]
    pub platform: Platform,
    /// Which machine it is at its provider.
    #[serde(default)]
    pub provider: Option<ProviderSpec>,
    /// What it becomes.
    #[serde(default)]
    pub role: Role,
    /// The cluster that a server or an agent joins.
    #[serde(default)]
    pub cluster: Option<String>,
    /// How a request is recognised as this host's.
    #[serde(default)]
    pub known_by: KnownBy,
    /// What the installed system brings up.
    #[serde(default)]
    pub network: NetworkSpec,
    /// How it is installed and booted.
    #[serde(default)]
    pub install: InstallSpec,
    /// OpenSSH public keys of the user `core`.
    #[serde(default)]
    pub ssh_keys: Vec<String>,
    /// Whether `core` can log in on the console; the hash itself is not shown.
    #[serde(default)]
    pub has_console_password: bool,
    /// NTP servers.
    #[serde(default)]
    pub time_servers: Vec<String>,
    /// Packages to layer on the second boot.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Free labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// The admin's brake, if on.
    #[serde(default)]
    pub hold: Option<HoldView>,
    /// Adopted from the unknown machines and not yet armed or released.
    #[serde(default)]
    pub adopted: bool,
    /// Out of service.
    #[serde(default)]
    pub retired: bool,
    /// Names this version of the description, for `If-Match`: what the machine does leaves it as it is.
    #[serde(default)]
    pub etag: String,
    /// Counts the changes of this host, the machine's own among them.
    #[serde(default)]
    pub version: u64,
    /// Its last run, ended or not.
    #[serde(default)]
    pub run: Option<RunView>,
    /// Why the run is stalled or failed.
    #[serde(default)]
    pub diagnosis: Option<DiagnosisView>,
    /// What is wrong with the machine beside its run.
    #[serde(default)]
    pub alerts: Vec<AlertView>,
    /// The operating system's version that was last seen running.
    #[serde(default)]
    pub os_version: Option<String>,
    /// When the machine last said what it is.
    #[serde(default)]
    pub observed_at: Option<Timestamp>,
}

/// `GET /api/v1/host-counts`: how many hosts there are of each kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({
    "total": 42, "stages": {"ready": 40, "installing": 1}, "never_armed": 1, "stalled": 1, "held": 0, "retired": 0
})))]
pub struct HostCountsView {
    /// All of them.
    pub total: u64,
    /// By the stage of the last run.
    pub stages: BTreeMap<String, u64>,
    /// Without any run.
    pub never_armed: u64,
    /// With a run past its stage's deadline.
    pub stalled: u64,
    /// With the brake on.
    pub held: u64,
    /// Out of service.
    pub retired: u64,
}

/// An admin's brake: the host's script polls and boots nothing until released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(examples(json!({"reason": "the fan is loud", "since": "2026-09-01T12:00:00Z"})))]
pub struct HoldView {
    /// Why, in the admin's words.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_enough_and_the_rest_has_its_default() {
        let spec: HostSpec = serde_json::from_str(r#"{"name":"agent-1"}"#).unwrap();
        insta::assert_json_snapshot!(spec);
    }

    #[test]
    fn unknown_fields_of_a_request_are_refused_at_every_level() {
        for (text, says) in [
            (r#"{"name":"a","mac":"x"}"#, "unknown field `mac`"),
            (r#"{"name":"a","install":{"disc":"x"}}"#, "unknown field `disc`"),
            (r#"{"name":"a","network":{"vlan":1}}"#, "unknown field `vlan`"),
            (r#"{"name":"a","role":"boss"}"#, "unknown variant `boss`"),
        ] {
            let error = serde_json::from_str::<HostSpec>(text).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn a_view_of_a_newer_server_is_read() {
        let view: HostView = serde_json::from_str(
            r#"{"name":"a","role":"server","moon":"full","run":{"number":2,"stage":"thawing","entered_at":"2026-09-01T12:00:00Z"}}"#,
        )
        .unwrap();
        let run = view.run.unwrap();
        assert_eq!(
            (run.number, run.stage.as_str(), view.role),
            (2, "thawing", Role::Server)
        );
    }
}
