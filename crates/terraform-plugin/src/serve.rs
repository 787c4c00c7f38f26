//! The provider as a process that Terraform started.

use std::io::Write as _;
use std::os::unix::process::parent_id;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::Provider;
use crate::dispatch::answer;
use crate::handshake::{Handshake, line};
use crate::service::Service;
use crate::tls;

/// How often it is looked whether Terraform is still there: one that was killed says nothing.
const LOOK_FOR_PARENT_EVERY: Duration = Duration::from_secs(2);
/// The answer to the request to shut down is out by then.
const LAST_ANSWERS_LIMIT: Duration = Duration::from_secs(1);

/// Why a provider cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A person started it.
    #[error(
        "this is a provider for Terraform, which starts it by itself: name it in a configuration (docs/terraform), \
         and run terraform"
    )]
    NotTerraform,
    /// Terraform speaks other versions of the protocol.
    #[error(
        "this provider needs a Terraform that speaks version 6 of the plugin protocol (1.0 or newer); this one speaks {0}"
    )]
    Version(String),
    /// Terraform did not say who it is.
    #[error("PLUGIN_CLIENT_CERT is not set: whoever started this does not speak TLS, and nobody else is let in")]
    NoClientCertificate,
    /// Terraform's certificate cannot be read.
    #[error("PLUGIN_CLIENT_CERT holds no certificate: {0}")]
    BadClientCertificate(String),
    /// No certificate can be made.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// No socket, no standard output, or no signals.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Serves the provider to the Terraform that started this process, until it says that it is done or is gone.
///
/// # Errors
/// When Terraform did not start it, or no socket can be had.
pub async fn serve(provider: impl Provider) -> Result<(), ServeError> {
    let handshake = Handshake::read(|name| std::env::var(name).ok())?;
    let serving = Serving::new(handshake, provider).await?;
    // Terraform ends its providers by itself: a Ctrl-C in its terminal is a wish to stop, no more.
    let mut interrupts = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    let interrupted = serving.service.clone();
    tokio::spawn(async move {
        while interrupts.recv().await.is_some() {
            interrupted.stop();
        }
    });
    let mut output = std::io::stdout();
    writeln!(output, "{}", serving.line)?;
    output.flush()?;
    tokio::select! {
        () = serving.run() => {}
        () = orphaned() => {}
    }
    Ok(())
}

/// A provider behind its listener.
pub(crate) struct Serving {
    /// What tells Terraform where to connect.
    pub(crate) line: String,
    service: Arc<Service>,
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Serving {
    pub(crate) async fn new(handshake: Handshake, provider: impl Provider) -> Result<Self, ServeError> {
        let (config, certificate) = tls::pinned(handshake.client)?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        Ok(Self {
            line: line(listener.local_addr()?, &certificate),
            service: Arc::new(Service::new(provider)),
            listener,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }

    /// Takes connections until go-plugin's controller asks to shut down.
    pub(crate) async fn run(self) {
        let done = watch::Sender::new(false);
        let mut is_done = done.subscribe();
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                _ = is_done.wait_for(|is_done| *is_done) => break,
                accepted = self.listener.accept() => if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(stream, self.acceptor.clone(), self.service.clone(), done.clone()));
                },
            }
        }
        // What was asked is answered first.
        let _ = tokio::time::timeout(LAST_ANSWERS_LIMIT, connections.join_all()).await;
    }
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, service: Arc<Service>, done: watch::Sender<bool>) {
    let stream = match acceptor.accept(stream).await {
        Ok(stream) => stream,
        Err(error) => {
            // Terraform puts what is written here into its own log.
            eprintln!("[WARN] a client was refused: {error}");
            return;
        }
    };
    let mut is_done = done.subscribe();
    let answered = service_fn(move |request| answer(service.clone(), done.clone(), request));
    let connection = http2::Builder::new(TokioExecutor::new())
        .adaptive_window(true)
        .serve_connection(TokioIo::new(stream), answered);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = is_done.wait_for(|is_done| *is_done) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// Waits until the process that started this one is gone.
async fn orphaned() {
    let parent = parent_id();
    while parent_id() == parent {
        tokio::time::sleep(LOOK_FOR_PARENT_EVERY).await;
    }
}
