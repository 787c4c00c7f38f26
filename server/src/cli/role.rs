//! `thirdboot role …`: what every host of a role has beside its own.

use clap::{Args, Subcommand};
use thirdboot_api::control::{Role, RoleSpec, RoleView};

use super::table::{table, text};
use super::{Connection, EXIT_CODES, Failure};

/// What hosts of a role have, over the API.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct RoleCommand {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List every role with its packages.
    List,
    /// Show a role.
    Show {
        /// server, agent or runner.
        role: Role,
    },
    /// Replace a role's packages. Hosts get them when they are armed the next time.
    Set {
        /// server, agent or runner.
        role: Role,
        /// Package to layer on the second boot (repeat it): the whole list.
        #[arg(long = "package", value_name = "PACKAGE", required_unless_present = "none")]
        packages: Vec<String>,
        /// No package at all.
        #[arg(long, conflicts_with = "packages")]
        none: bool,
    },
}

impl RoleCommand {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let connection = &self.connection;
        let role = match self.action {
            Action::List => {
                let all = connection.client()?.roles().await?.items;
                return connection
                    .output
                    .print(&all, || list(&all, connection.output.columns()));
            }
            Action::Show { role } => connection.client()?.role(role).await?,
            Action::Set { role, packages, .. } => connection.client()?.put_role(role, &RoleSpec { packages }).await?,
        };
        let output = &connection.output;
        output.print(&role, || list(std::slice::from_ref(&role), output.columns()))
    }
}

fn list(roles: &[RoleView], columns: Option<u16>) -> String {
    let mut table = table(&["ROLE", "PACKAGES"], columns);
    for role in roles {
        table.add_row([role.role.to_string(), role.packages.join(" ")]);
    }
    text(&table)
}
