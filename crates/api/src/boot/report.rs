//! `POST /v1/report`: what a host says of itself.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::StageName;
use crate::names::words;

/// The most bytes a report may have.
pub const MAX_REPORT_BYTES: usize = 1 << 20;

/// The most bytes its `log` may have.
pub const MAX_LOG_BYTES: usize = 64 << 10;

/// A report. (`run`, `boot_id`, `seq`) names it: the same again is answered as the first time and recorded once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportBody {
    /// The run, counted per host from 1.
    pub run: u32,
    /// The kernel's id of the boot it was made in.
    pub boot_id: String,
    /// Counted by the host, per boot.
    pub seq: u64,
    /// By the host's own clock, which may be wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What happened.
    pub event: ReportEvent,
    /// 0 to 100, with `installing`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// In the host's own words, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The tail of a log, with a failure; at most [`MAX_LOG_BYTES`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// What the event's name calls for; further facts are kept.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub facts: Map<String, Value>,
}

words! {
    /// What a host can report.
    ReportEvent, "event" {
        /// The live system runs.
        Live = "live",
        /// The installer's progress.
        Installing = "installing",
        /// The installer is done. Facts: image, version, `disk_serial`, `config_sha256`.
        Installed = "installed",
        /// The install, or the check before it, failed.
        InstallFailed = "install-failed",
        /// The installed system runs. Facts: `os_version`, deployment.
        FirstBoot = "first-boot",
        /// Packages are being layered.
        Layering = "layering",
        /// The layered deployment is staged. Facts: deployment.
        Layered = "layered",
        /// Layering failed.
        LayerFailed = "layer-failed",
        /// Another boot after `layered`. Facts: `os_version`, deployment.
        LayeredBoot = "layered-boot",
        /// The network as the kernel has it. Facts: bond, ports, vlans, addresses, mtu, peer.
        Network = "network",
        /// The join began.
        Joining = "joining",
        /// The node is Ready, or podman answers.
        Ready = "ready",
        /// The join failed.
        JoinFailed = "join-failed",
        /// Any boot after ready. Facts: as `layered-boot` and `network`.
        Booted = "booted",
        /// Anything else worth knowing.
        Note = "note",
    }
}

/// 200: recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageAnswer {
    /// The run's stage after it.
    pub stage: StageName,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"{"run": 3, "boot_id": "b-1", "seq": 7, "at": "2026-09-01T12:00:00Z", "event": "installing",
        "percent": 42, "message": "m", "log": "l", "facts": {"x": [1]}}"#;

    #[test]
    fn the_protocols_sample_is_read_and_written_again() {
        let report: ReportBody = serde_json::from_str(SAMPLE).unwrap();
        assert_eq!((report.event, report.percent), (ReportEvent::Installing, Some(42)));
        let again: ReportBody = serde_json::from_str(&serde_json::to_string(&report).unwrap()).unwrap();
        assert_eq!(again, report);
    }

    #[test]
    fn the_shortest_report_is_enough() {
        let report: ReportBody = serde_json::from_str(r#"{"run":1,"boot_id":"b","seq":1,"event":"ready"}"#).unwrap();
        assert!(report.facts.is_empty() && report.at.is_none());
    }

    #[test]
    fn unknown_fields_and_events_are_refused() {
        for (known, unknown, says) in [
            ("\"seq\": 7", "\"seq\": 7, \"x\": 1", "unknown field `x`"),
            ("\"installing\"", "\"melting\"", "unknown variant `melting`"),
            ("42", "-1", "invalid value"),
        ] {
            let error = serde_json::from_str::<ReportBody>(&SAMPLE.replace(known, unknown)).unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
        }
    }
}
