//! `thirdboot cluster kubeconfig`, `move-init` and `rotate-token`.

use std::path::PathBuf;

use clap::Args;
use thirdboot_api::control::{Kubeconfig, RotateTokenBody, RotationView};

use super::table;
use crate::cli::input::input;
use crate::cli::{Connection, Failure};

/// `thirdboot cluster kubeconfig`.
#[derive(Debug, Args)]
pub(super) struct KubeconfigOptions {
    /// The cluster's name.
    name: String,
    /// Hand in this file instead, as k3s wrote it on one of the cluster's servers; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    set: Option<PathBuf>,
}

impl KubeconfigOptions {
    pub(super) async fn run(self, connection: &Connection) -> Result<(), Failure> {
        let client = connection.client()?;
        let Some(file) = self.set else {
            let answer = client.kubeconfig(&self.name).await?;
            return connection.output.print(&answer, || answer.kubeconfig.clone());
        };
        let kubeconfig = input("--set", &file)?;
        let cluster = client.set_kubeconfig(&self.name, &Kubeconfig { kubeconfig }).await?;
        connection
            .output
            .print(&cluster, || table::cluster(&cluster, connection.output.columns()))
    }
}

/// `thirdboot cluster move-init`.
#[derive(Debug, Args)]
pub(super) struct MoveInitOptions {
    /// The cluster's name.
    name: String,
    /// The server that begins it.
    #[arg(long, value_name = "HOST")]
    to: String,
    /// The cluster's name, repeated: what was begun before is void.
    #[arg(long, value_name = "NAME")]
    confirm: String,
}

impl MoveInitOptions {
    pub(super) async fn run(self, connection: &Connection) -> Result<(), Failure> {
        if self.confirm != self.name {
            let why = format!(
                "--confirm {}: expected {}, what was begun before is void",
                self.confirm, self.name
            );
            return Err(Failure::Usage(why));
        }
        let cluster = connection.client()?.move_init(&self.name, &self.to).await?;
        connection
            .output
            .print(&cluster, || table::cluster(&cluster, connection.output.columns()))
    }
}

/// `thirdboot cluster rotate-token`.
#[derive(Debug, Args)]
pub(super) struct RotateOptions {
    /// The cluster's name.
    name: String,
    /// The servers take the new tokens now: hand them out.
    #[arg(long, conflicts_with = "abandon")]
    finish: bool,
    /// The servers keep the old tokens: forget the new ones.
    #[arg(long)]
    abandon: bool,
}

impl RotateOptions {
    pub(super) async fn run(self, connection: &Connection) -> Result<(), Failure> {
        let body = RotateTokenBody {
            finish: self.finish,
            abandon: self.abandon,
        };
        let answer = connection.client()?.rotate_token(&self.name, &body).await?;
        connection.output.print(&answer, || text(&self.name, &answer))
    }
}

fn text(name: &str, rotation: &RotationView) -> String {
    let mut text = String::new();
    for (what, token) in [
        ("old server token", &rotation.old_server_token),
        ("new server token", &rotation.new_server_token),
        ("new agent token", &rotation.new_agent_token),
    ] {
        if let Some(token) = token {
            text.extend([what, "  ", token, "\n"]);
        }
    }
    format!("{text}{name}: {}\n", rotation.next)
}
