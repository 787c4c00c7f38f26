//! `thirdboot audit`: who did what, and who read which secret.

use clap::Args;
use thirdboot_api::AuditQuery;
use thirdboot_api::control::AuditView;

use super::since::Since;
use super::{Connection, EXIT_CODES, Failure, table};

/// Lines that are shown when nobody says how many.
const LATEST: u32 = 100;

/// Show every change, refused or not, and every read of a secret, the latest first. Needs the role admin.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct AuditCommand {
    #[command(flatten)]
    connection: Connection,
    /// Only what was done with this token.
    #[arg(long, value_name = "TOKEN")]
    by: Option<String>,
    /// Only this operation, by its `operationId` in the OpenAPI document, such as `arm_host`.
    #[arg(long, value_name = "OPERATION")]
    action: Option<String>,
    /// Only what was done to this: a path below /api/v1/, such as hosts/node-1/arm.
    #[arg(long, value_name = "PATH")]
    target: Option<String>,
    /// Not older than this: a time (RFC 3339), or how long ago, such as 90s, 45m, 24h or 7d.
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    /// Older than this: a time, or how long ago.
    #[arg(long, value_name = "TIME")]
    until: Option<Since>,
    /// At most so many lines.
    #[arg(long, value_name = "ROWS", default_value_t = LATEST, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

impl AuditCommand {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let query = AuditQuery {
            by: self.by,
            action: self.action,
            target: self.target,
            since: self.since.map(Since::time),
            until: self.until.map(Since::time),
        };
        let most = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let lines = self.connection.client()?.audit(&query, most).await?;
        let output = &self.connection.output;
        output.print(&lines, || shown(&lines, output.is_wide(), output.columns()))
    }
}

fn shown(lines: &[AuditView], is_wide: bool, columns: Option<u16>) -> String {
    if lines.is_empty() {
        return "nothing was done\n".to_owned();
    }
    let mut header = vec!["TIME", "BY", "ACTION", "TARGET", "STATUS"];
    if is_wide {
        header.splice(0..0, ["ID"]);
        header.extend(["ROLE", "FROM"]);
    }
    let mut shown = table::table(&header, columns);
    for line in lines {
        let mut row = vec![
            line.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            line.by.clone(),
            line.action.clone(),
            line.target.clone(),
            line.status.to_string(),
        ];
        if is_wide {
            row.insert(0, line.id.to_string());
            row.extend([line.role.to_string(), line.from.clone()]);
        }
        shown.add_row(table::one_line(row.into()));
    }
    table::text(&shown)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_says_who_did_what_to_what_and_how_it_ended() {
        let lines: Vec<AuditView> = serde_json::from_value(json!([
            {"id": 41, "at": "2026-09-01T12:00:00Z", "by": "ci", "role": "operator", "from": "192.0.2.7",
             "action": "arm_host", "target": "hosts/node-1/arm", "status": 403}
        ]))
        .unwrap();
        insta::assert_snapshot!(shown(&lines, true, None));
        assert_eq!(shown(&[], false, None), "nothing was done\n");
    }
}
