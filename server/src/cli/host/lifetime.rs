//! Hosts that go out of service and come back, and their boot secrets.

use clap::Args;
use serde_json::json;

use crate::cli::output::confirmed;
use crate::cli::{Connection, Failure};

/// Which host goes for good.
#[derive(Debug, Args)]
pub(super) struct DeleteOptions {
    /// The host's name.
    name: String,
    /// Only when its description is still this version: an `etag` that was read.
    #[arg(long, value_name = "ETAG")]
    if_match: Option<String>,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

impl DeleteOptions {
    pub(super) async fn run(self, connection: &Connection) -> Result<(), Failure> {
        let (client, name) = (connection.client()?, self.name);
        if !self.yes && !confirmed(&format!("{name}: its runs and its log are removed with it. Go on?"))? {
            return Err(Failure::Usage("nothing was done".to_owned()));
        }
        client.remove_host(&name, self.if_match.as_deref()).await?;
        connection
            .output
            .print(&json!({"deleted": name}), || format!("{name}: deleted\n"))
    }
}

pub(super) async fn retire(connection: &Connection, name: &str) -> Result<(), Failure> {
    let host = connection.client()?.retire(name).await?;
    connection.output.print(&host, || {
        format!("{name}: out of service; it boots its disk and cannot be armed\n")
    })
}

pub(super) async fn unretire(connection: &Connection, name: &str) -> Result<(), Failure> {
    let host = connection.client()?.unretire(name).await?;
    connection.output.print(&host, || format!("{name}: in service again\n"))
}

pub(super) async fn rotate_key(connection: &Connection, name: &str) -> Result<(), Failure> {
    let host = connection.client()?.rotate_host_key(name).await?;
    connection.output.print(&host, || {
        format!("{name}: its former boot URL is unknown from now on; the new one: `thirdboot host boot-url {name}`\n")
    })
}

pub(super) async fn boot_url(connection: &Connection, name: &str) -> Result<(), Failure> {
    let boot = connection.client()?.boot_url(name).await?;
    connection.output.print(&boot, || format!("{}\n", boot.url))
}
