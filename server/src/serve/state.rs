//! The data folder: master key, store, and the first admin's token.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use thirdboot_store::{AccessRole, Clock, Limits, Store, Token, Watch};
use thirdboot_store_sqlite::{OpenOptions, SqliteStore};

use super::ServeOptions;
use crate::api::{new_token, token_sha256};
use crate::assets::{Assets, Upstream};
use crate::metrics::Metrics;
use crate::platform::Platforms;
use crate::recent::Recent;
use crate::secrets::{Keys, MASTER_KEY_VARIABLE, Secrets, is_private, write_private};

/// Name of the token that the first start makes.
const FIRST_TOKEN: &str = "admin";

/// What was opened.
pub(super) struct Opened {
    pub(super) store: Arc<dyn Store>,
    pub(super) secrets: Secrets,
    pub(super) assets: Assets,
    pub(super) metrics: Arc<Metrics>,
    pub(super) platforms: Platforms,
    pub(super) admin_token: String,
    /// Whether this start made it.
    pub(super) is_token_new: bool,
}

pub(super) async fn open(options: &ServeOptions, clock: Arc<Clock>) -> anyhow::Result<Opened> {
    let upstream = Upstream::new(&options.streams_url, options.assets_keyring.as_deref())?;
    let platforms = Platforms::new(&options.platforms)?;
    let folder = &options.data_dir;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| folder.display().to_string())?;
    let db_path = folder.join("thirdboot.db");
    let keys = Keys::load_or_make(
        std::env::var(MASTER_KEY_VARIABLE).ok().as_deref(),
        &folder.join("master.key"),
        !db_path.exists(),
    )?;
    let metrics = Arc::<Metrics>::default();
    let watch: Arc<dyn Watch> = Arc::<Metrics>::clone(&metrics);
    let (store, opened) = SqliteStore::open_watched(
        OpenOptions {
            db_path,
            epoch_path: folder.join("epoch"),
            clock,
            deadlines: options.deadlines.clone(),
            limits: Limits::default(),
        },
        watch,
    )
    .await
    .context("the database cannot be opened")?;
    if opened.voided_permits > 0 {
        tracing::warn!(
            permits = opened.voided_permits,
            "this database is an older copy or a foreign one: its open permits were taken back, arm again what is to be installed"
        );
    }
    let store: Arc<dyn Store> = Arc::new(Recent::new(store));
    let (admin_token, is_token_new) = first_token(store.as_ref(), &folder.join("admin-token")).await?;
    let assets = options.assets_dir.clone().unwrap_or_else(|| folder.join("assets"));
    Ok(Opened {
        store,
        secrets: Secrets::with(&keys),
        assets: Assets::new(assets, upstream, Arc::clone(&metrics)),
        metrics,
        platforms,
        admin_token,
        is_token_new,
    })
}

/// The file is written before the store knows the token: a start that is cut off between the two is completed by the
/// next one.
async fn first_token(store: &dyn Store, file: &Path) -> anyhow::Result<(String, bool)> {
    let at = || file.display().to_string();
    let known = match fs::read_to_string(file) {
        Ok(text) => {
            let mode = fs::metadata(file).with_context(at)?.permissions().mode() & 0o777;
            ensure!(
                is_private(mode),
                "{} can be read by others (mode {mode:o}): chmod 600 it",
                at()
            );
            Some(text.trim().to_owned())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(at),
    };
    if store.has_tokens().await? {
        return Ok((known.unwrap_or_default(), false));
    }
    let token = if let Some(token) = known {
        token
    } else {
        let token = new_token()?;
        write_private(file, format!("{token}\n").as_bytes())?;
        token
    };
    store
        .add_token(Token {
            name: FIRST_TOKEN.to_owned(),
            role: AccessRole::Admin,
            sha256: token_sha256(&token),
            created_at: store.now(),
        })
        .await?;
    tracing::info!(file = %at(), "the first admin's token was written");
    Ok((token, true))
}
