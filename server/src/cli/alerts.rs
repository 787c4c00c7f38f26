//! `thirdboot alerts`: what is wrong with machines beside their runs.

use clap::Args;
use thirdboot_api::control::{AlertKind, HostAlerts};

use super::{Connection, EXIT_CODES, Failure, now, table};

/// Exit code with `--exit-code` when there are alerts.
const SOME: u8 = 5;

/// List machines with something wrong beside their runs.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct AlertsCommand {
    #[command(flatten)]
    connection: Connection,
    /// Only this kind: packages-missing, network-differs, not-back, rolled-back, identifiers-conflict, lock-held or at-provider.
    #[arg(long)]
    kind: Option<AlertKind>,
    /// End with exit code 5 when there are any.
    #[arg(long)]
    exit_code: bool,
}

impl AlertsCommand {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let found = self.connection.client()?.alerts(self.kind).await?;
        let output = &self.connection.output;
        output.print(&found, || shown(&found, output.columns()))?;
        if self.exit_code && !found.is_empty() {
            return Err(Failure::Quiet(SOME));
        }
        Ok(())
    }
}

fn shown(found: &[HostAlerts], columns: Option<u16>) -> String {
    if found.is_empty() {
        return "no alerts\n".to_owned();
    }
    let mut shown = table::table(&["HOST", "ALERT", "SINCE", "SAYS", "ADVICE"], columns);
    for host in found {
        for alert in &host.alerts {
            let since = table::age(alert.since, now());
            shown.add_row([&host.host, &alert.kind, &since, &alert.says, &alert.advice]);
        }
    }
    table::text(&shown)
}
