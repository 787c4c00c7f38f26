//! `thirdboot unknown`: machines that asked for a script and match no host.

use clap::{Args, Subcommand};
use serde_json::json;
use thirdboot_api::control::{AdoptBody, KnownBy, Role, UnknownMachineView};

use super::host::label;
use super::{Connection, EXIT_CODES, Failure, now, table};

/// Machines that asked for a script and match no host.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct UnknownCommand {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List them, the last seen first.
    List,
    /// Make a host of one, with the identifiers it presented. It is held until it is armed or released.
    Adopt(Adopt),
    /// Take one off the list, until it asks again.
    Dismiss {
        /// Its number in the list.
        id: u64,
    },
}

#[derive(Debug, Args)]
struct Adopt {
    /// Its number in the list.
    id: u64,
    /// The host's name: an RFC 1123 label, unique in the fleet.
    name: String,
    /// What it becomes: server, agent or runner.
    #[arg(long, default_value_t)]
    role: Role,
    /// The cluster that a server or an agent joins.
    #[arg(long)]
    cluster: Option<String>,
    /// How its requests are recognised: by its own boot URL (key), or by MAC, serial and UUID (address).
    #[arg(long, default_value_t)]
    known_by: KnownBy,
    /// OpenSSH public key of the user core (repeat it).
    #[arg(long = "ssh-key", value_name = "KEY")]
    ssh_keys: Vec<String>,
    /// Label (repeat it).
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = label)]
    labels: Vec<(String, String)>,
}

impl UnknownCommand {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let (client, output) = (self.connection.client()?, &self.connection.output);
        match self.action {
            Action::List => {
                let machines = client.unknown_machines().await?.items;
                output.print(&machines, || shown(&machines, output.columns()))
            }
            Action::Adopt(adopt) => {
                let (id, body) = (adopt.id, adopt.body());
                let host = client.adopt(id, &body).await?;
                output.print(&host, || {
                    let name = &host.name;
                    format!("{name}: adopted, and held until `thirdboot host arm {name}` or `thirdboot host release {name}`\n")
                })
            }
            Action::Dismiss { id } => {
                client.dismiss(id).await?;
                output.print(&json!({"dismissed": id}), || {
                    format!("{id}: dismissed, until it asks again\n")
                })
            }
        }
    }
}

impl Adopt {
    fn body(self) -> AdoptBody {
        AdoptBody {
            name: self.name,
            role: self.role,
            cluster: self.cluster,
            known_by: self.known_by,
            ssh_keys: self.ssh_keys,
            labels: self.labels.into_iter().collect(),
            ..AdoptBody::default()
        }
    }
}

fn shown(machines: &[UnknownMachineView], columns: Option<u16>) -> String {
    if machines.is_empty() {
        return "no unknown machines\n".to_owned();
    }
    let mut shown = table::table(
        &["ID", "MACS", "SERIAL", "PRODUCT", "FROM", "SEEN", "TIMES", "WHY"],
        columns,
    );
    for machine in machines {
        let said = |name: &str| machine.said.get(name).map_or("", String::as_str);
        let product = format!("{} {}", said("manufacturer"), said("product"));
        shown.add_row(vec![
            machine.id.to_string(),
            machine.macs.join(" "),
            machine.serial.clone().unwrap_or_default(),
            product.trim().to_owned(),
            machine.source.clone(),
            format!("{} ago", table::age(machine.last_seen, now())),
            machine.count.to_string(),
            machine.why.clone().unwrap_or_default(),
        ]);
    }
    table::text(&shown)
}
