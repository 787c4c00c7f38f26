//! Starting and stopping: opens what is needed in the right order, and ends without breaking anything off.

mod endpoints;
mod listener;
pub mod logging;
mod options;
mod state;
mod stopping;
#[cfg(test)]
mod stories;
mod trace;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use thirdboot_store::{Clock, Limits};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub(crate) use options::Listening;
pub use options::{ServeOptions, UnknownPolicy};
pub(crate) use options::{Urls, host};
pub use stopping::Stopping;
#[cfg(test)]
pub(crate) use trace::layered;

use crate::cluster::{self, KubeNodes, Watched};
use crate::fleetlock::{self, LockBook, Nodes};
use crate::follow::Followers;
use crate::people::{People, SetUp};
use crate::platform;
use crate::reconciler::{self, Nudge};
use crate::templates::Workshop;
use crate::tls::Tls;
use crate::{App, Parts, Settings, api, boot, page};

/// A server that runs. Dropping it leaves its tasks running; [`Running::shutdown`] ends them.
#[derive(Debug)]
pub struct Running {
    boot_url: String,
    boot_tls_url: Option<String>,
    control_url: String,
    admin_token: String,
    is_token_new: bool,
    set_up_link: Option<String>,
    app: App,
    stop: watch::Sender<bool>,
    listeners: Vec<JoinHandle<()>>,
    reconciler: JoinHandle<()>,
    cluster_worker: JoinHandle<()>,
    locks: JoinHandle<()>,
    certificates: JoinHandle<()>,
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
    options.validate()?;
    // Opening a database is a large future, and everybody who starts a server would carry it.
    let opened = Box::pin(state::open(&options, clock)).await?;
    let boot_socket = listener::bind(options.boot_listen).await?;
    let boot_tls_socket = match options.tls.boot_tls_listen {
        Some(address) => Some(listener::bind(address).await?),
        None => None,
    };
    let control_socket = listener::bind(options.control_listen).await?;
    let listening = Listening {
        plain: boot_socket.local_addr()?,
        tls: boot_tls_socket.as_ref().map(TcpListener::local_addr).transpose()?,
    };
    let boot_url = url_of(listening.plain, false);
    let boot_tls_url = listening.tls.map(|address| url_of(address, true));
    let control_url = url_of(control_socket.local_addr()?, options.control_is_tls());
    let nudge = Nudge::default();
    let (admin_token, is_token_new) = (opened.admin_token.clone(), opened.is_token_new);
    let (settings, tls) = prepare(&options, &opened, listening)?;
    let (set_up, set_up_link) = SetUp::open(opened.store.as_ref(), &options.data_dir, &control_url).await?;
    let nodes: Arc<dyn Nodes> = Arc::new(KubeNodes::default());
    let app = put_together(&options, opened, settings, nudge.clone(), People::with(set_up), nodes);
    let (stop, stopped) = watch::channel(false);
    let due = reconciler::run(
        Arc::clone(&app.store),
        Limits::default(),
        options.reconcile_every,
        nudge,
    );
    let providers = platform::run(app.clone());
    let reconciler = tokio::spawn(async move {
        tokio::join!(due, providers);
    });
    let locks = tokio::spawn(fleetlock::worker::run(app.clone(), Arc::clone(&app.look_at_locks)));
    let boot_plane = trace::layered(boot::router(app.clone()), "boot", &app.metrics);
    let control_plane = trace::layered(page::control_plane(app.clone()), "control", &app.metrics);
    let cluster_worker = tokio::spawn(cluster::worker::run(app.clone()));
    let control_tls = options.control_is_tls().then(|| tls.config());
    let mut listeners = vec![
        tokio::spawn(listener::serve(boot_socket, boot_plane.clone(), None, stopped.clone())),
        tokio::spawn(listener::serve(
            control_socket,
            control_plane,
            control_tls,
            stopped.clone(),
        )),
    ];
    if let Some(socket) = boot_tls_socket {
        let serve = listener::serve(socket, boot_plane, Some(tls.config()), stopped);
        listeners.push(tokio::spawn(serve));
    }
    let certificates = tokio::spawn(Arc::new(tls).keep(Arc::clone(&app.store)));
    endpoints::write(&options.data_dir, &boot_url, boot_tls_url.as_deref(), &control_url)?;
    tracing::info!(
        boot = %boot_url,
        control = %control_url,
        scripts = %app.settings.boot_url,
        configs = %app.settings.config_url,
        "serving"
    );
    Ok(Running {
        boot_url,
        boot_tls_url,
        control_url,
        admin_token,
        is_token_new,
        set_up_link,
        app,
        stop,
        listeners,
        reconciler,
        cluster_worker,
        locks,
        certificates,
        data_dir: options.data_dir,
    })
}

fn put_together(
    options: &ServeOptions,
    opened: state::Opened,
    settings: Settings,
    nudge: Nudge,
    people: People,
    nodes: Arc<dyn Nodes>,
) -> App {
    App::new(Parts {
        followers: Followers::new(Arc::clone(&opened.store)),
        store: opened.store,
        secrets: opened.secrets,
        assets: opened.assets,
        metrics: opened.metrics,
        platforms: opened.platforms,
        census: api::LastCensus::default(),
        stopping: Stopping::default(),
        settings,
        nudge,
        locks: LockBook::default(),
        look_at_locks: Arc::default(),
        nodes,
        repeats: boot::Repeats::default(),
        documents: boot::OpenDocuments::default(),
        workshop: Workshop::default(),
        token_uses: api::TokenUses::default(),
        clusters: if options.blind_to_clusters {
            Watched::blind()
        } else {
            Watched::default()
        },
        look_at_clusters: tokio::sync::Notify::new(),
        people,
    })
}

/// Everything but sockets and the reconciler, and the admin's token.
#[cfg(test)]
pub(crate) async fn assemble(
    options: &ServeOptions,
    clock: Arc<Clock>,
    nodes: Arc<dyn Nodes>,
) -> anyhow::Result<(App, String)> {
    let opened = Box::pin(state::open(options, clock)).await?;
    let admin_token = opened.admin_token.clone();
    let nowhere = Listening {
        plain: ([127, 0, 0, 1], 1).into(),
        tls: options.tls.boot_tls_listen,
    };
    let (settings, _) = prepare(options, &opened, nowhere)?;
    let (set_up, _) = SetUp::open(opened.store.as_ref(), &options.data_dir, "http://control.test").await?;
    let app = put_together(options, opened, settings, Nudge::default(), People::with(set_up), nodes);
    Ok((app, admin_token))
}

/// What the settings come to, and the certificate that goes with them.
fn prepare(options: &ServeOptions, opened: &state::Opened, listening: Listening) -> anyhow::Result<(Settings, Tls)> {
    let urls = options.urls(listening)?;
    let names = options.tls_names(&urls)?;
    let tls = Tls::open(&options.tls, &options.data_dir, names, opened.store.now())?;
    let ca_pem = options.ca_pem(&urls.config, tls.own_ca_pem())?;
    Ok((options.settings(urls, ca_pem)?, tls))
}

fn url_of(address: SocketAddr, is_tls: bool) -> String {
    format!("{}://{address}", if is_tls { "https" } else { "http" })
}

impl Running {
    /// Base URL of the boot plane's listener.
    pub fn boot_url(&self) -> &str {
        &self.boot_url
    }

    /// Base URL of the boot plane's HTTPS listener.
    pub fn boot_tls_url(&self) -> Option<&str> {
        self.boot_tls_url.as_deref()
    }

    /// Base URL of the control plane's listener.
    pub fn control_url(&self) -> &str {
        &self.control_url
    }

    /// The admin's token of the first start; empty when it was taken away since.
    pub fn admin_token(&self) -> &str {
        &self.admin_token
    }

    /// Shows the person who started the server how to get in: the first admin's token, once, and the set-up link while
    /// there is one. A terminal is a person; a log, a pipe and a journal are not, and both stand in their files.
    fn show_ways_in(&self) {
        use std::io::IsTerminal as _;
        if !std::io::stderr().is_terminal() {
            return;
        }
        if self.is_token_new {
            let (file, token) = (self.data_dir.join("admin-token"), &self.admin_token);
            eprintln!("The first admin's token, also in {}:\n\n    {token}\n", file.display());
        }
        if let Some(link) = &self.set_up_link {
            let file = self.data_dir.join("set-up-link");
            eprintln!(
                "Nobody can sign in to the page yet. Be the first, by this link (also in {}):\n\n    {link}\n",
                file.display()
            );
        }
    }

    /// The link by which the first admin is made; none when somebody can sign in.
    pub fn set_up_link(&self) -> Option<&str> {
        self.set_up_link.as_deref()
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
        self.app.stopping.begin();
        self.app.assets.jobs().stop();
        self.stop.send_replace(true);
        // Whoever waits is answered now: a long poll would hold the end up.
        self.app.followers.close();
        for listener in self.listeners {
            listener.await.context("a listener fell over")?;
        }
        self.reconciler.abort();
        self.cluster_worker.abort();
        self.locks.abort();
        self.certificates.abort();
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
    running.show_ways_in();
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    running.shutdown().await
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    use super::*;

    fn options(folder: &std::path::Path) -> ServeOptions {
        ServeOptions::on_loopback(folder.join("data"), folder.join("assets"))
    }

    /// One request over a real socket.
    fn ask(base: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(base.strip_prefix("http://").unwrap()).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_server_says_where_it_listens_and_takes_that_back_when_it_stops() {
        let folder = tempfile::tempdir().unwrap();
        let running = start(options(folder.path())).await.unwrap();
        let file = folder.path().join("data/endpoints.json");
        let told: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        assert_eq!(
            (&told["boot"], &told["control"]),
            (&running.boot_url().into(), &running.control_url().into())
        );
        let answer = ask(running.boot_url(), "/boot.ipxe");
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains(running.boot_url()),
            "{answer}"
        );
        assert!(ask(running.control_url(), "/readyz").ends_with("ready\n"));
        running.shutdown().await.unwrap();
        assert!(!file.exists());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_server_starts_again_on_the_same_ports_and_folder() {
        let folder = tempfile::tempdir().unwrap();
        let mut options = options(folder.path());
        let first = start(options.clone()).await.unwrap();
        let address = |url: &str| url.strip_prefix("http://").unwrap().parse().unwrap();
        (options.boot_listen, options.control_listen) = (address(first.boot_url()), address(first.control_url()));
        let (url, token) = (first.boot_url().to_owned(), first.admin_token().to_owned());
        ask(&url, "/boot.ipxe");
        first.shutdown().await.unwrap();
        let second = start(options).await.unwrap();
        assert_eq!(
            (second.boot_url(), second.admin_token()),
            (url.as_str(), token.as_str())
        );
        second.shutdown().await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_start_that_cannot_listen_leaves_nothing_running() {
        let folder = tempfile::tempdir().unwrap();
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut options = options(folder.path());
        options.control_listen = taken.local_addr().unwrap();
        let error = start(options.clone()).await.unwrap_err().to_string();
        assert!(error.contains("cannot listen on"), "{error}");
        assert!(!folder.path().join("data/endpoints.json").exists());
        drop(taken);
        start(options).await.unwrap().shutdown().await.unwrap();
    }
}
