//! The server under test, without sockets.

use std::sync::Arc;

use axum::Router;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use thirdboot_lifecycle::RunNumber;
use thirdboot_render::BaseUrl;
use thirdboot_store::{AccessRole, Clock, HostId, HostState, Token};

use super::mirror;
use crate::fleetlock::{NoNodes, Nodes};
use crate::secrets::Purpose;
use crate::serve::{self, ServeOptions, UnknownPolicy};
use crate::{App, api, boot, page};

/// Both planes over a real store.
pub(crate) struct TestApp {
    pub(crate) app: App,
    pub(crate) clock: Arc<Clock>,
    pub(crate) token: String,
    pub(super) boot: Router,
    pub(super) control: Router,
    options: ServeOptions,
    folder: TempDir,
    nodes: Arc<dyn Nodes>,
}

impl TestApp {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With other options than usual.
    pub(crate) async fn with(change: impl FnOnce(&mut ServeOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        mirror::write(&folder.path().join("assets"));
        let mut options = ServeOptions::on_loopback(folder.path().join("data"), folder.path().join("assets"));
        options.boot_url = BaseUrl::parse("http://boot.test").ok();
        options.config_url = BaseUrl::parse("http://config.test").ok();
        options.unknown = UnknownPolicy::Hold;
        change(&mut options);
        let clock = Arc::new(Clock::manual(Timestamp::from_second(1_800_000_000).unwrap()));
        Self::on(options, clock, folder, Arc::new(NoNodes)).await
    }

    /// The same server, started again on its folder.
    pub(crate) async fn restarted(self) -> Self {
        self.app.store.close().await;
        let Self {
            clock,
            options,
            folder,
            nodes,
            ..
        } = self;
        Self::on(options, clock, folder, nodes).await
    }

    /// Stopped, its database set aside, and started again. Also returns where that is.
    pub(crate) async fn backed_up(self) -> (Self, std::path::PathBuf) {
        self.app.store.close().await;
        let backup = self.path("backup.db");
        std::fs::copy(self.options.data_dir.join("thirdboot.db"), &backup).unwrap();
        (self.restarted().await, backup)
    }

    /// Stopped, and started again on a database that was set aside.
    pub(crate) async fn restored(self, backup: &std::path::Path) -> Self {
        self.app.store.close().await;
        std::fs::copy(backup, self.options.data_dir.join("thirdboot.db")).unwrap();
        self.restarted().await
    }

    /// The same server with clusters that answer, or do not.
    pub(crate) async fn among(self, nodes: Arc<dyn Nodes>) -> Self {
        Self { nodes, ..self }.restarted().await
    }

    async fn on(options: ServeOptions, clock: Arc<Clock>, folder: TempDir, nodes: Arc<dyn Nodes>) -> Self {
        let made = serve::assemble(&options, Arc::clone(&clock), Arc::clone(&nodes)).await;
        let (app, token) = made.unwrap();
        Self {
            boot: serve::layered(boot::router(app.clone()), "boot", &app.metrics),
            control: serve::layered(page::control_plane(app.clone()), "control", &app.metrics),
            app,
            clock,
            token,
            options,
            folder,
            nodes,
        }
    }

    /// A path in the test's own folder.
    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Lets time pass.
    pub(crate) fn wait(&self, minutes: i64) {
        self.clock.jump(SignedDuration::from_mins(minutes));
    }

    /// A token of that role.
    pub(crate) async fn token_of(&self, name: &str, role: AccessRole) -> String {
        let text = api::new_token().unwrap();
        let token = Token {
            name: name.to_owned(),
            role,
            sha256: api::token_sha256(&text),
            created_at: self.app.store.now(),
        };
        self.app.store.add_token(token).await.unwrap();
        text
    }

    pub(crate) async fn state(&self, name: &str) -> HostState {
        self.app.store.host(&name.parse().unwrap()).await.unwrap().unwrap()
    }

    /// A secret of a host's run.
    pub(crate) fn secret(&self, purpose: Purpose, host: HostId, run: u32) -> String {
        self.app
            .secrets
            .derive(purpose, host, RunNumber(run), 0)
            .expose()
            .to_owned()
    }
}
