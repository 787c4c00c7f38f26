//! An HTTPS proxy that leads to nobody but the test: it takes `CONNECT` for the names that it has certificates for.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;

use super::Shared;

/// A `CONNECT` with its headers is shorter.
const MAX_HEAD_BYTES: usize = 4096;

type Opened = (TlsStream<TcpStream>, SocketAddr);

/// Tunnels that end here, as connections to be served.
#[derive(Debug)]
pub(super) struct Tunnels {
    pub(super) address: SocketAddr,
    opened: mpsc::Receiver<Opened>,
    accepting: JoinHandle<()>,
}

impl Tunnels {
    /// Listens; with the CA of the names' certificate, as PEM.
    pub(super) async fn open(names: &'static [&'static str], shared: Shared) -> Result<(Self, String)> {
        let (acceptor, ca) = certified(names)?;
        let socket = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = socket.local_addr()?;
        let (sender, opened) = mpsc::channel(16);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, peer)) = socket.accept().await {
                let (acceptor, shared, sender) = (acceptor.clone(), shared.clone(), sender.clone());
                tokio::spawn(async move {
                    match through(stream, names, &acceptor).await {
                        // Nobody takes it any more at the end.
                        Ok(stream) => drop(sender.send((stream, peer)).await),
                        Err(error) => shared.violates(format!("a tunnel was not opened: {error:#}")),
                    }
                });
            }
        });
        let tunnels = Self {
            address,
            opened,
            accepting,
        };
        Ok((tunnels, ca))
    }
}

impl Drop for Tunnels {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Listener for Tunnels {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> Opened {
        match self.opened.recv().await {
            Some(opened) => opened,
            // Nobody listens any more.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

async fn through(mut stream: TcpStream, names: &[&str], acceptor: &TlsAcceptor) -> Result<TlsStream<TcpStream>> {
    let mut head = Vec::new();
    // Byte by byte: what comes after the head is TLS.
    while !head.ends_with(b"\r\n\r\n") {
        ensure!(head.len() < MAX_HEAD_BYTES, "its head does not end");
        head.push(stream.read_u8().await.context("its head is cut")?);
    }
    let head = String::from_utf8_lossy(&head);
    let line = head.lines().next().unwrap_or_default();
    let is_known = names.iter().any(|name| line == format!("CONNECT {name}:443 HTTP/1.1"));
    if !is_known {
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await?;
    }
    ensure!(is_known, "{line}");
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    acceptor.accept(stream).await.with_context(|| line.to_owned())
}

/// A certificate for the names by a CA that lives as long as this call, and that CA.
fn certified(names: &[&str]) -> Result<(TlsAcceptor, String)> {
    let ca_key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // By the same name as what it signs it would be taken for a self-signed one.
    params.distinguished_name.push(DnType::CommonName, "the test's CA");
    let ca = params.self_signed(&ca_key)?.pem();
    let issuer = Issuer::new(params, ca_key);
    let key = KeyPair::generate()?;
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let certificate = CertificateParams::new(names)?.signed_by(&key, &issuer)?;
    let private = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)?;
    Ok((TlsAcceptor::from(Arc::new(config)), ca))
}
