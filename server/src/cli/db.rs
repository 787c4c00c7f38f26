//! `thirdboot db …`: backup, restore, migrate, check.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use thirdboot_store_sqlite::maintenance;

use super::Failure;
use super::data_dir::DataDir;

/// The database as a file.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 done and sound, 1 refused, failed or not sound, 2 wrong usage.\n\
                  The master key is in no backup: keep a copy of it elsewhere. See docs/backup.md."
)]
pub struct DbCommand {
    #[command(flatten)]
    data_dir: DataDir,
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
                println!("{}: {} hosts, {} bytes", file.display(), done.hosts, done.bytes);
                Ok(())
            }
            Action::Restore { file } => {
                let done = maintenance::restore(store, &file).await.map_err(failed)?;
                println!("restored {} hosts from {}", done.hosts, file.display());
                match done.voided_permits {
                    0 => println!("no permit was open in it: nothing could have been wiped by it"),
                    1 => println!("1 open permit was taken back: arm that host again"),
                    count => println!("{count} open permits were taken back: arm those hosts again"),
                }
                if let Some(aside) = done.set_aside {
                    println!("the database of before is {}", aside.display());
                }
                Ok(())
            }
            Action::Migrate => {
                let done = maintenance::migrate(&store.db_path).await.map_err(failed)?;
                match done.applied.as_slice() {
                    [] => println!("the schema is this version's already"),
                    applied => println!("applied: {}", numbers(applied)),
                }
                Ok(())
            }
            Action::Check => {
                let checked = maintenance::check(&store).await.map_err(failed)?;
                for notice in &checked.notices {
                    println!("note: {notice}");
                }
                for problem in &checked.problems {
                    println!("PROBLEM: {problem}");
                }
                println!(
                    "{} hosts, migrations {}: {}",
                    checked.hosts,
                    numbers(&checked.schema.applied),
                    if checked.problems.is_empty() {
                        "sound"
                    } else {
                        "NOT sound"
                    }
                );
                if checked.problems.is_empty() {
                    Ok(())
                } else {
                    Err(Failure::Told)
                }
            }
        }
    }
}

fn failed(error: maintenance::MaintenanceError) -> Failure {
    Failure::Other(error.into())
}

fn numbers(migrations: &[i64]) -> String {
    let numbers: Vec<String> = migrations.iter().map(|number| format!("{number:04}")).collect();
    numbers.join(", ")
}
