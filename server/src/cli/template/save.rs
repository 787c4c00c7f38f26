//! `thirdboot template save` and `validate`: a file, and which hosts it is for.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use thirdboot_api::ProblemType;
use thirdboot_api::control::{CheckedView, DEFAULT_TEMPLATE_ORDER, Role, SelectSpec, TemplateSpec, TemplateView};

use crate::cli::input::input;
use crate::cli::{Connection, Failure};

/// Which hosts a template is for, and its place.
#[derive(Debug, Clone, Args)]
pub(crate) struct Selected {
    /// Only for hosts of this role (repeat it for several).
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<Role>,
    /// Only for hosts with this label (repeat it: all must hold).
    #[arg(long = "label", value_name = "KEY=VALUE", value_parser = crate::cli::host::label)]
    labels: Vec<(String, String)>,
    /// Only for this host (repeat it for several).
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// For every host, whatever it was for before.
    #[arg(long, conflicts_with_all = ["roles", "labels", "hosts"])]
    every_host: bool,
    /// Templates of lower numbers are merged first; 100 if left out.
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    order: Option<i32>,
}

impl Selected {
    /// For every host.
    pub(crate) fn of_every_host(order: Option<i32>) -> Self {
        Self {
            roles: Vec::new(),
            labels: Vec::new(),
            hosts: Vec::new(),
            every_host: true,
            order,
        }
    }

    /// With `before`, where nothing else is said.
    pub(crate) fn spec(self, text: String, note: Option<String>, before: Option<&TemplateView>) -> TemplateSpec {
        let is_said = self.every_host || !(self.roles.is_empty() && self.labels.is_empty() && self.hosts.is_empty());
        let said = SelectSpec {
            roles: self.roles,
            labels: self.labels.into_iter().collect::<BTreeMap<_, _>>(),
            hosts: self.hosts,
        };
        let order = self.order.or(before.map(|before| before.order));
        TemplateSpec {
            text,
            select: before.filter(|_| !is_said).map_or(said, |before| before.select.clone()),
            order: order.unwrap_or(DEFAULT_TEMPLATE_ORDER),
            note,
        }
    }
}

/// A template to be saved.
#[derive(Debug, Args)]
pub(super) struct SaveOptions {
    /// The template's name: 1 to 63 of a-z 0-9 -.
    name: String,
    /// The Butane document; `-` is standard input.
    file: PathBuf,
    /// Which hosts. A new version keeps what the last one says where nothing is said here.
    #[command(flatten)]
    selected: Selected,
    /// Why, for whoever reads the list of versions.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Save only on top of this version; 0 means that it must be new. The last one if left out.
    #[arg(long, value_name = "NUMBER")]
    on_top_of: Option<u64>,
}

impl SaveOptions {
    pub(super) async fn run(self, connection: &Connection) -> Result<(), Failure> {
        let text = input("FILE", &self.file)?;
        let client = connection.client()?;
        let before = last(connection, &self.name).await?;
        let seen = match self.on_top_of {
            Some(version) => Some(version).filter(|version| *version > 0),
            None => before.as_ref().map(|before| before.version),
        };
        let spec = self.selected.spec(text, self.note, before.as_ref());
        let saved = client.save_template(&self.name, &spec, seen).await?;
        connection.output.print(&saved, || {
            let checked = saved.checked.as_ref().map(found).unwrap_or_default();
            format!("{}: version {} is saved; {checked}\n", saved.name, saved.version)
        })
    }
}

/// A template to be checked.
#[derive(Debug, Args)]
pub(super) struct ValidateOptions {
    /// The name that it would be saved under.
    name: String,
    /// The Butane document; `-` is standard input.
    file: PathBuf,
    /// Which hosts. What the last version says where nothing is said here.
    #[command(flatten)]
    selected: Selected,
}

impl ValidateOptions {
    pub(super) async fn run(self, connection: &Connection) -> Result<(), Failure> {
        let text = input("FILE", &self.file)?;
        let before = last(connection, &self.name).await?;
        let spec = self.selected.spec(text, None, before.as_ref());
        let checked = connection.client()?.validate_template(&self.name, &spec).await?;
        connection.output.print(&checked, || {
            if checked.valid {
                return format!("{}: {}\n", self.name, found(&checked));
            }
            let faults: Vec<String> = checked.faults.iter().map(ToString::to_string).collect();
            faults.join("\n") + "\n"
        })?;
        if checked.valid { Ok(()) } else { Err(Failure::Told) }
    }
}

/// The template as it is, if it is there.
async fn last(connection: &Connection, name: &str) -> Result<Option<TemplateView>, Failure> {
    match connection.client()?.template(name).await {
        Ok(template) => Ok(Some(template)),
        Err(error) if error.is(ProblemType::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn found(checked: &CheckedView) -> String {
    if checked.sample {
        return "no host is selected yet: it renders for made-up ones".to_owned();
    }
    let (hosts, rendered) = (checked.hosts, checked.rendered);
    format!("it renders for every selected host ({hosts}, of which {rendered} differ for it)")
}
