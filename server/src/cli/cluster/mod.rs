//! `thirdboot cluster …`.

mod describe;
mod secret;
mod table;

use clap::{Args, Subcommand};

use super::{Connection, EXIT_CODES, Failure};

/// Clusters, over the API.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct ClusterCommand {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Describe a cluster. The first of its servers that asks begins it.
    Add(Box<describe::AddOptions>),
    /// Show a cluster: who began it, its hosts, whose turn it is.
    Show {
        /// Its name.
        name: String,
    },
    /// List every cluster.
    List,
    /// Replace a cluster's description by the one in a file, as `show --json` prints it.
    Update(describe::UpdateOptions),
    /// Remove a cluster that no host belongs to. Its tokens and its kubeconfig are forgotten.
    Delete {
        /// Its name.
        name: String,
    },
    /// Print a cluster's kubeconfig, or hand in the one of a cluster that runs.
    Kubeconfig(secret::KubeconfigOptions),
    /// Give the right to begin a cluster to another of its servers. What was begun before is void.
    MoveInit(secret::MoveInitOptions),
    /// Change a cluster's tokens: begin, take the new ones on the servers, finish.
    RotateToken(secret::RotateOptions),
}

impl ClusterCommand {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let connection = &self.connection;
        match self.action {
            Action::Add(options) => options.run(connection).await,
            Action::Show { name } => {
                let cluster = connection.client()?.cluster(&name).await?;
                connection
                    .output
                    .print(&cluster, || table::cluster(&cluster, connection.output.columns()))
            }
            Action::List => {
                let clusters = connection.client()?.clusters().await?;
                connection
                    .output
                    .print(&clusters, || table::clusters(&clusters, connection.output.columns()))
            }
            Action::Update(options) => options.run(connection).await,
            Action::Delete { name } => {
                let client = connection.client()?;
                let etag = client.cluster(&name).await?.etag;
                client.delete_cluster(&name, &etag).await?;
                connection
                    .output
                    .print(&serde_json::json!({}), || format!("{name}: removed\n"))
            }
            Action::Kubeconfig(options) => options.run(connection).await,
            Action::MoveInit(options) => options.run(connection).await,
            Action::RotateToken(options) => options.run(connection).await,
        }
    }
}
