//! A folder with a database, its epoch file, and a copy of the database.

#![expect(clippy::unwrap_used, reason = "a test panics where it cannot set itself up")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use thirdboot_store::contract::{Factory, Settings};
use thirdboot_store_sqlite::{OpenOptions, SqliteStore};

/// A folder with a database and its epoch file.
pub(crate) struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    /// On a file system in memory where there is one: what is asked here is order, not durability.
    pub(crate) fn fresh() -> Self {
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() {
            tempfile::tempdir_in(memory)
        } else {
            tempfile::tempdir()
        };
        Self {
            folder: folder.unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

#[async_trait]
impl Factory for Folder {
    type Store = SqliteStore;

    async fn open(&self, settings: Settings) -> (Arc<SqliteStore>, u64) {
        let options = OpenOptions {
            db_path: self.path("thirdboot.db"),
            epoch_path: self.path("epoch"),
            clock: settings.clock,
            deadlines: settings.deadlines,
            limits: settings.limits,
        };
        let (store, opened) = SqliteStore::open(options).await.unwrap();
        (store, opened.voided_permits)
    }

    async fn back_up(&self) {
        // Closed: everything is in the one file.
        assert!(!self.path("thirdboot.db-wal").exists());
        fs::copy(self.path("thirdboot.db"), self.path("backup")).unwrap();
    }

    async fn restore(&self) {
        fs::copy(self.path("backup"), self.path("thirdboot.db")).unwrap();
    }
}
