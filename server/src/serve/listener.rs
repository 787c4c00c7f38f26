//! A listener: HTTP/1.1 with limits on how slowly a client may speak and how many may speak at once.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;
use tower::ServiceExt as _;

use super::wire::Wire;
use crate::assets::Promises;
use crate::boot::{Peer, Transport};

/// Connections at once. A rack of machines needs a few each; further ones wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 8192;
/// How long a request's head may take; also how long an idle connection is kept.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a TLS handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);
/// How large a request's head may be.
const MAX_HEAD_BYTES: usize = 32 << 10;
/// How long requests under way may take after the end was asked for: a rootfs on a slow line is broken off, and
/// fetched again by the next boot.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause after the kernel refused a connection (out of file descriptors): the old ones end meanwhile.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Opens a socket.
pub(super) async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))
}

/// Serves until `stopped` says so, then until the requests under way are answered.
///
/// With a TLS config it speaks HTTPS and nothing else. Without one, files are sent by the kernel.
pub(super) async fn serve(
    socket: TcpListener,
    router: Router,
    tls: Option<Arc<ServerConfig>>,
    mut stopped: watch::Receiver<bool>,
) {
    let tls = tls.map(TlsAcceptor::from);
    let transport = if tls.is_some() {
        Transport::Tls
    } else {
        Transport::Plain
    };
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    // No `pipeline_flush`: hyper then copies a body into memory, all of it, before it sends any.
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&socket, &places) => accepted,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        let Some((stream, peer, place)) = accepted else {
            continue;
        };
        let promises = Promises::default();
        let carried = (transport == Transport::Plain).then(|| promises.clone());
        let service = router
            .clone()
            .map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
                let extensions = request.extensions_mut();
                extensions.insert(Peer(peer));
                extensions.insert(transport);
                if let Some(promises) = &carried {
                    extensions.insert(promises.clone());
                }
                request
            });
        let service = TowerToHyperService::new(service);
        let (http, watcher, tls) = (http.clone(), graceful.watcher(), tls.clone());
        tokio::spawn(async move {
            // A client that goes away or speaks no HTTP, or no TLS, is its own affair.
            let ended = match tls {
                None => {
                    let wire = Wire::new(stream, promises);
                    let connection = http.serve_connection(TokioIo::new(wire), service);
                    watcher.watch(connection).await.map_err(io::Error::other)
                }
                Some(tls) => match shake_hands(&tls, stream).await {
                    Ok(stream) => {
                        let connection = http.serve_connection(TokioIo::new(stream), service);
                        watcher.watch(connection).await.map_err(io::Error::other)
                    }
                    Err(error) => Err(error),
                },
            };
            if let Err(error) = ended {
                tracing::trace!(%error, "a connection ended");
            }
            drop(place);
        });
    }
    drop(socket);
    if tokio::time::timeout(SHUTDOWN_TIMEOUT, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("requests that took too long were broken off");
    }
}

/// In time, so that nobody keeps a place with half a handshake.
async fn shake_hands(tls: &TlsAcceptor, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await?
}

async fn accept(
    socket: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match socket.accept().await {
        Ok((stream, peer)) => {
            // Answers are small and written whole: waiting for more to send only delays them.
            let _ = stream.set_nodelay(true);
            Some((stream, peer, place))
        }
        Err(error) => {
            tracing::warn!(%error, "a connection cannot be accepted");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}
