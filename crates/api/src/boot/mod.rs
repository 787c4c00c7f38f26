//! What hosts say and hear on the boot plane, as docs/boot-protocol.md has it. Identifiers are text here: the server
//! checks them, and a host that sends a malformed one gets 422 with the field's name.

mod claim;
mod join;
mod report;

pub use claim::{ClaimBody, DiskBody, DmiBody, GrantAnswer, PreviousBody};
pub use join::{ClusterBody, Download, JoinAnswer, JoinBody, JoinKind};
pub use report::{MAX_LOG_BYTES, MAX_REPORT_BYTES, ReportBody, ReportEvent, StageAnswer};
