//! `thirdboot db …`: backup, restore, migrate, check.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use thirdboot_store_sqlite::maintenance::{self, Checked, Restored};

use super::data_dir::DataDir;
use super::{Failure, Output};

/// The database as a file.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 done and sound, 1 refused, failed or not sound, 2 wrong usage.\n\
                  The master key is in no backup: keep a copy of it elsewhere. See docs/backup.md."
)]
pub struct DbCommand {
    #[command(flatten)]
    data_dir: DataDir,
    #[command(flatten)]
    output: Output,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Copy the database to a new file, of one moment, while the server runs.
    Backup {
        /// The new file.
        file: PathBuf,
    },
    /// Put a backup in the place of the database. Every open permit is taken back. The server must be stopped.
    Restore {
        /// The backup.
        file: PathBuf,
    },
    /// Bring the database to this version's schema, as the server's start does. The server must be stopped.
    Migrate,
    /// Look whether the database is sound: SQLite's own check, every row, and the epoch file. The server may run.
    Check,
}

impl DbCommand {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let store = self.data_dir.store()?;
        match self.action {
            Action::Backup { file } => {
                let done = maintenance::backup(&store.db_path, &file).await.map_err(failed)?;
                let answer = json!({"file": file, "hosts": done.hosts, "bytes": done.bytes});
                let say = || format!("{}: {} hosts, {} bytes\n", file.display(), done.hosts, done.bytes);
                self.output.print(&answer, say)
            }
            Action::Restore { file } => {
                let done = maintenance::restore(store, &file).await.map_err(failed)?;
                let answer = json!({
                    "file": file, "hosts": done.hosts, "voided_permits": done.voided_permits, "set_aside": done.set_aside,
                });
                self.output.print(&answer, || restored(&file, &done))
            }
            Action::Migrate => {
                let done = maintenance::migrate(&store.db_path).await.map_err(failed)?;
                let answer = json!({"applied": done.applied});
                self.output.print(&answer, || match done.applied.as_slice() {
                    [] => "the schema is this version's already\n".to_owned(),
                    applied => format!("applied: {}\n", numbers(applied)),
                })
            }
            Action::Check => {
                let checked = maintenance::check(&store).await.map_err(failed)?;
                let is_sound = checked.problems.is_empty();
                let answer = json!({
                    "sound": is_sound, "hosts": checked.hosts, "migrations": checked.schema.applied,
                    "problems": checked.problems, "notices": checked.notices,
                });
                self.output.print(&answer, || looked_at(&checked))?;
                if is_sound { Ok(()) } else { Err(Failure::Told) }
            }
        }
    }
}

fn restored(file: &Path, done: &Restored) -> String {
    let permits = match done.voided_permits {
        0 => "no permit was open in it: nothing could have been wiped by it".to_owned(),
        1 => "1 open permit was taken back: arm that host again".to_owned(),
        count => format!("{count} open permits were taken back: arm those hosts again"),
    };
    let mut text = format!("restored {} hosts from {}\n{permits}\n", done.hosts, file.display());
    if let Some(aside) = &done.set_aside {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "the database of before is {}", aside.display());
    }
    text
}

fn looked_at(checked: &Checked) -> String {
    let mut text = String::new();
    for notice in &checked.notices {
        let _ = writeln!(text, "note: {notice}");
    }
    for problem in &checked.problems {
        let _ = writeln!(text, "PROBLEM: {problem}");
    }
    let verdict = if checked.problems.is_empty() {
        "sound"
    } else {
        "NOT sound"
    };
    let migrations = numbers(&checked.schema.applied);
    let _ = writeln!(text, "{} hosts, migrations {migrations}: {verdict}", checked.hosts);
    text
}

fn failed(error: maintenance::MaintenanceError) -> Failure {
    Failure::Other(error.into())
}

fn numbers(migrations: &[i64]) -> String {
    let numbers: Vec<String> = migrations.iter().map(|number| format!("{number:04}")).collect();
    numbers.join(", ")
}
