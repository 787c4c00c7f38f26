//! `thirdboot host import`: a whole inventory, looked at first, taken whole or not at all.

mod csv;
mod read;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use thirdboot_api::control::{ImportAction, ImportAnswer, ImportBody};
use thirdboot_api::{ClientError, FieldError, ProblemType};

use crate::cli::output::confirmed;
use crate::cli::{Connection, Failure, table};
use read::{Inventory, Mistake};

/// A form that an inventory can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A list of hosts as the API takes them, or `hosts:` with one.
    Yaml,
    /// The same in JSON.
    Json,
    /// A host a line, a field a column.
    Csv,
}

/// A file with hosts.
#[derive(Debug, Args)]
pub(super) struct ImportOptions {
    /// File with the hosts: YAML, JSON or CSV by its ending; `-` is standard input.
    ///
    /// YAML and JSON have a list of hosts, each as `thirdboot host add --file` takes it. CSV has a field a column, named
    /// as there: name, macs, role, cluster, labels.rack, install.disk, network.uplink.method … Lists are separated by ;
    /// and a cell that begins with [ or { is JSON.
    file: PathBuf,
    /// Form of the file, whatever its ending.
    #[arg(long)]
    format: Option<Format>,
    /// Say what would be done, and do nothing.
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

impl ImportOptions {
    pub(super) async fn run(self, connection: &Connection) -> Result<(), Failure> {
        let client = connection.client()?;
        let inventory = read::inventory(&self.file, self.format);
        let inventory = inventory.map_err(|mistakes| Failure::Usage(told(&mistakes)))?;
        let body = |dry_run| ImportBody {
            hosts: inventory.hosts.clone(),
            dry_run,
        };
        let plan = client.import(&body(true)).await;
        let plan = plan.map_err(|error| in_words(error, &inventory))?;
        let output = &connection.output;
        if self.dry_run {
            return output.print(&plan, || shown(&plan, output.columns()));
        }
        let changes = plan
            .hosts
            .iter()
            .filter(|host| host.action != ImportAction::Unchanged)
            .count();
        if changes > 0 && !self.yes {
            eprint!("{}", shown(&plan, output.columns()));
            if !confirmed(&format!("Do this to {changes} hosts?"))? {
                return Err(Failure::Usage("nothing was done".to_owned()));
            }
        }
        let done = client.import(&body(false)).await;
        let done = done.map_err(|error| in_words(error, &inventory))?;
        output.print(&done, || shown(&done, output.columns()))
    }
}

fn shown(answer: &ImportAnswer, columns: Option<u16>) -> String {
    let mut shown = table::table(&["HOST", "ACTION", "CHANGES"], columns);
    for host in answer
        .hosts
        .iter()
        .filter(|host| host.action != ImportAction::Unchanged)
    {
        shown.add_row([&host.name, host.action.as_str(), &host.changes.join(", ")]);
    }
    let count = |action| answer.hosts.iter().filter(|host| host.action == action).count();
    let (create, update) = (count(ImportAction::Create), count(ImportAction::Update));
    let unchanged = count(ImportAction::Unchanged);
    let rows = if create + update > 0 {
        table::text(&shown)
    } else {
        String::new()
    };
    let did = |done: &'static str, to_do: &'static str| if answer.dry_run { to_do } else { done };
    format!(
        "{rows}{create} {}, {update} {}, {unchanged} unchanged\n",
        did("created", "to create"),
        did("updated", "to update")
    )
}

/// All of them, a line each; returns what follows from them.
fn told(mistakes: &[Mistake]) -> String {
    for mistake in mistakes {
        eprintln!("thirdboot: {}: {}: {}", mistake.place, mistake.field, mistake.why);
    }
    match mistakes.len() {
        1 => "1 mistake: nothing was done".to_owned(),
        count => format!("{count} mistakes: nothing was done"),
    }
}

/// The server's errors by the places in the file: the file's mistakes, unless somebody else was faster since it was looked
/// at.
fn in_words(error: ClientError, inventory: &Inventory) -> Failure {
    let Some(problem) = error.problem() else {
        return error.into();
    };
    let is_malformed = problem.is(ProblemType::Malformed);
    let mut errors = problem.errors.clone();
    if errors.is_empty()
        && let Some(field) = &problem.field
    {
        let detail = problem.says().to_owned();
        errors.push(FieldError {
            field: field.clone(),
            detail,
        });
    }
    let placed = |error: FieldError| {
        let (at, field) = place(&error.field)?;
        Some(Mistake {
            place: inventory.places.get(at)?.clone(),
            field: field.to_owned(),
            why: error.detail,
        })
    };
    match errors.into_iter().map(placed).collect::<Option<Vec<_>>>() {
        Some(mistakes) if !mistakes.is_empty() => {
            let said = told(&mistakes);
            if is_malformed {
                Failure::Usage(said)
            } else {
                Failure::Other(anyhow::anyhow!(said))
            }
        }
        _ => error.into(),
    }
}

/// Which host, and which of its fields: `hosts[3].macs[0]`.
fn place(field: &str) -> Option<(usize, &str)> {
    let (at, field) = field.strip_prefix("hosts[")?.split_once(']')?;
    Some((at.parse().ok()?, field.strip_prefix('.').unwrap_or("host")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_host_and_a_field() {
        assert_eq!(place("hosts[3].macs[0]"), Some((3, "macs[0]")));
        assert_eq!(place("hosts[3]"), Some((3, "host")));
        assert_eq!(place("hosts"), None);
        assert_eq!(place("dry_run"), None);
    }
}
