//! `thirdboot template …`: users' own Butane documents on top of the installed config.

mod save;
mod table;

use clap::{Args, Subcommand};

pub(super) use save::Selected;

use super::{Connection, EXIT_CODES, Failure, now};

/// Templates, over the API. What they may say stands in docs/templates.md; `thirdboot butane` checks a document without
/// a server, as long as nothing in it is a template.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct TemplateCommand {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List every template, in the order in which they are merged.
    List,
    /// Print a template's text.
    Show {
        /// Its name.
        name: String,
        /// A version of it; the last one if left out.
        #[arg(long, value_name = "NUMBER")]
        version: Option<u64>,
    },
    /// Save a file as a template: a new one, or a new version. It must render for every host that it is for.
    Save(save::SaveOptions),
    /// Say whether a file could be saved, and what is wrong with it.
    Validate(save::ValidateOptions),
    /// Take a template away. Its versions stay readable.
    Delete {
        /// Its name.
        name: String,
    },
    /// List the versions of a template, the newest first. To go back to one, save it again:
    /// `thirdboot template show NAME --version 1 | thirdboot template save NAME -`.
    Versions {
        /// Its name.
        name: String,
    },
    /// Show what changed between two versions.
    Diff {
        /// Its name.
        name: String,
        /// The older version; the one before the newer if left out.
        #[arg(long, value_name = "NUMBER")]
        from: Option<u64>,
        /// The newer version; the last one if left out.
        #[arg(long, value_name = "NUMBER")]
        to: Option<u64>,
    },
}

impl TemplateCommand {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let connection = &self.connection;
        match self.action {
            Action::List => {
                let page = connection.client()?.templates().await?;
                connection.output.print(&page.items, || {
                    table::templates(&page.items, now(), connection.output.columns())
                })
            }
            Action::Show { name, version } => {
                let client = connection.client()?;
                let template = match version {
                    Some(version) => client.template_version(&name, version).await?,
                    None => client.template(&name).await?,
                };
                connection
                    .output
                    .print(&template, || template.text.clone().unwrap_or_default())
            }
            Action::Save(options) => options.run(connection).await,
            Action::Validate(options) => options.run(connection).await,
            Action::Delete { name } => {
                let client = connection.client()?;
                let seen = client.template(&name).await?.version;
                let gone = client.delete_template(&name, seen).await?;
                connection.output.print(&gone, || {
                    format!("{name}: deleted; versions 1 to {seen} stay readable\n")
                })
            }
            Action::Versions { name } => {
                let page = connection.client()?.template_versions(&name).await?;
                connection.output.print(&page.items, || {
                    table::versions(&page.items, now(), connection.output.columns())
                })
            }
            Action::Diff { name, from, to } => {
                let diff = connection.client()?.template_diff(&name, from, to).await?;
                connection.output.print(&diff, || table::difference(&diff))
            }
        }
    }
}
