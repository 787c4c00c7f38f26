//! Starting and stopping: opens what is needed in the right order, and ends without breaking anything off.

mod endpoints;
mod listener;
pub mod logging;
mod options;
mod state;
mod trace;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use thirdboot_store::{Clock, Limits};
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use options::{ServeOptions, UnknownPolicy};
#[cfg(test)]
pub(crate) use trace::layered;

use crate::reconciler::{self, Nudge};
use crate::{App, Parts, Settings, api, boot};

/// A server that runs. Dropping it leaves its tasks running; [`Running::shutdown`] ends them.
#[derive(Debug)]
pub struct Running {
    boot_url: String,
    control_url: String,
    admin_token: String,
    app: App,
    stop: watch::Sender<bool>,
    listeners: Vec<JoinHandle<()>>,
    reconciler: JoinHandle<()>,
    data_dir: std::path::PathBuf,
}

/// Starts a server on the system's clock.
///
/// # Errors
/// When a file, the store or a listener refuses; nothing keeps running then.
pub async fn start(options: ServeOptions) -> anyhow::Result<Running> {
    start_with_clock(options, Arc::new(Clock::default())).await
}

/// Starts a server on a clock that somebody else moves.
///
/// # Errors
/// As [`start`].
pub async fn start_with_clock(options: ServeOptions, clock: Arc<Clock>) -> anyhow::Result<Running> {
    let opened = state::open(&options, clock).await?;
    let boot_socket = listener::bind(options.boot_listen).await?;
    let control_socket = listener::bind(options.control_listen).await?;
    let boot_url = url_of(boot_socket.local_addr()?);
    let control_url = url_of(control_socket.local_addr()?);
    let nudge = Nudge::default();
    let admin_token = opened.admin_token.clone();
    let app = put_together(opened, options.settings(&boot_url)?, nudge.clone());
    let (stop, stopped) = watch::channel(false);
    let reconciler = tokio::spawn(reconciler::run(
        Arc::clone(&app.store),
        Limits::default(),
        options.reconcile_every,
        nudge,
    ));
    let listeners = vec![
        tokio::spawn(listener::serve(
            boot_socket,
            trace::layered(boot::router(app.clone()), "boot"),
            stopped.clone(),
        )),
        tokio::spawn(listener::serve(
            control_socket,
            trace::layered(api::router(app.clone()), "control"),
            stopped,
        )),
    ];
    endpoints::write(&options.data_dir, &boot_url, &control_url)?;
    tracing::info!(boot = %boot_url, control = %control_url, scripts = %app.settings.boot_url, "serving");
    Ok(Running {
        boot_url,
        control_url,
        admin_token,
        app,
        stop,
        listeners,
        reconciler,
        data_dir: options.data_dir,
    })
}

fn put_together(opened: state::Opened, settings: Settings, nudge: Nudge) -> App {
    App::new(Parts {
        store: opened.store,
        secrets: opened.secrets,
        assets: opened.assets,
        settings,
        nudge,
        repeats: boot::Repeats::default(),
        documents: boot::OpenDocuments::default(),
    })
}

/// Everything but sockets and the reconciler, and the admin's token.
#[cfg(test)]
pub(crate) async fn assemble(options: &ServeOptions, clock: Arc<Clock>) -> anyhow::Result<(App, String)> {
    let opened = state::open(options, clock).await?;
    let admin_token = opened.admin_token.clone();
    let settings = options.settings("http://127.0.0.1:1")?;
    Ok((put_together(opened, settings, Nudge::default()), admin_token))
}

fn url_of(address: SocketAddr) -> String {
    format!("http://{address}")
}

impl Running {
    /// Base URL of the boot plane's listener.
    pub fn boot_url(&self) -> &str {
        &self.boot_url
    }

    /// Base URL of the control plane's listener.
    pub fn control_url(&self) -> &str {
        &self.control_url
    }

    /// The admin's token of the first start; empty when it was taken away since.
    pub fn admin_token(&self) -> &str {
        &self.admin_token
    }

    /// What the handlers share: for benches and tests that fill the store behind HTTP's back.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Takes no new request, answers those under way, writes what is queued, closes.
    ///
    /// # Errors
    /// When something was not ended as it should.
    pub async fn shutdown(self) -> anyhow::Result<()> {
        endpoints::remove(&self.data_dir);
        self.stop.send_replace(true);
        for listener in self.listeners {
            listener.await.context("a listener fell over")?;
        }
        self.reconciler.abort();
        self.app.store.close().await;
        tracing::info!("stopped");
        Ok(())
    }
}

/// Runs a server until SIGTERM or Ctrl-C.
///
/// # Errors
/// When it cannot be started or ended.
pub async fn run(options: ServeOptions) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    // Before anything is opened: a signal during the start must not end it half-way.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let running = start(options).await?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    running.shutdown().await
}
