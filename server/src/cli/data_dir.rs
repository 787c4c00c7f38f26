//! Commands that work on a data folder itself, without a server.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use thirdboot_lifecycle::Deadlines;
use thirdboot_store::{Clock, Limits};
use thirdboot_store_sqlite::OpenOptions;

use super::Failure;

/// Which data folder.
#[derive(Debug, Clone, Args)]
pub(super) struct DataDir {
    /// The server's data folder.
    #[arg(long, env = "THIRDBOOT_DATA_DIR", value_name = "DIR", global = true)]
    data_dir: Option<PathBuf>,
}

impl DataDir {
    fn folder(&self) -> Result<PathBuf, Failure> {
        let folder = self.data_dir.clone().ok_or_else(|| {
            Failure::Usage("no data folder: expected --data-dir DIR or THIRDBOOT_DATA_DIR".to_owned())
        })?;
        if folder.is_dir() {
            Ok(folder)
        } else {
            Err(Failure::Usage(format!(
                "--data-dir {}: no such folder",
                folder.display()
            )))
        }
    }

    /// Where the store of that folder is, as the server opens it.
    pub(super) fn store(&self) -> Result<OpenOptions, Failure> {
        let folder = self.folder()?;
        Ok(OpenOptions {
            db_path: folder.join("thirdboot.db"),
            epoch_path: folder.join("epoch"),
            clock: Arc::new(Clock::default()),
            deadlines: Deadlines::default(),
            limits: Limits::default(),
        })
    }

    /// Where its master key is, unless the environment says it.
    pub(super) fn master_key(&self) -> Result<PathBuf, Failure> {
        Ok(self.folder()?.join("master.key"))
    }
}
