//! `thirdboot host arm`: the one command that lets a disk be wiped.

use clap::Args;
use thirdboot_api::control::{ArmBody, HostView, PowerAction};

use crate::cli::ttl::Ttl;
use crate::cli::{Connection, Failure};

/// What is allowed, and for how long.
#[derive(Debug, Args)]
pub(super) struct ArmOptions {
    /// The host's name.
    name: String,
    /// The host's name again: its disk will be wiped.
    #[arg(long, value_name = "NAME")]
    confirm: String,
    /// For how long the permit can be claimed: a number and s, m, h or d.
    #[arg(long, value_name = "TIME", default_value = "24h")]
    ttl: Ttl,
    /// The only disk that may be written: a path below /dev/disk/by-id/ or by-path/, a serial or a WWN.
    #[arg(long, value_name = "DISK")]
    disk: Option<String>,
    /// A disk whose contents may be destroyed although something is recognisable on it (repeat it).
    #[arg(long, value_name = "DISK")]
    wipe: Vec<String>,
    /// Boot the live system, report disks and network cards, write nothing.
    #[arg(long, conflicts_with_all = ["disk", "wipe"])]
    inspect: bool,
    /// Have the host's provider bring the machine to its network boot: reboot or reinstall.
    #[arg(long, value_name = "HOW")]
    power: Option<PowerAction>,
}

impl ArmOptions {
    pub(super) async fn run(self, connection: &Connection) -> Result<(), Failure> {
        if self.confirm != self.name {
            return Err(Failure::Usage(format!(
                "--confirm {}: expected the host's name, {}",
                self.confirm, self.name
            )));
        }
        let body = ArmBody {
            confirm: self.confirm,
            ttl_s: self.ttl.seconds,
            disk: self.disk,
            wipe: self.wipe,
            inspect: self.inspect,
            power: self.power,
        };
        let host = connection.client()?.arm(&self.name, &body).await?;
        connection.output.print(&host, || armed(&host))
    }
}

fn armed(host: &HostView) -> String {
    let Some(run) = &host.run else {
        return format!("{}: armed\n", host.name);
    };
    let until = run
        .permit_expires_at
        .map_or_else(String::new, |at| format!(" until {at}"));
    let what = if run.inspect {
        "to be inspected: its live system writes nothing"
    } else {
        "to be installed: its disk is wiped when its live system claims it"
    };
    format!("{}: run {} is armed{until}, {what}\n", host.name, run.number)
}
