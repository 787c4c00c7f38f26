//! Those who watch while a fleet boots: each holds a connection of the control plane open and is told nothing, since
//! nothing happens to its host.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Seconds that a long poll waits: longer than what is measured meanwhile.
const WAIT_S: u32 = 55;

/// Open long polls and streams, one of each a host.
pub(crate) struct Watchers(Vec<TcpStream>);

impl Watchers {
    /// Opens them, and returns when every one of them is served.
    pub(crate) async fn open(control: &str, data_dir: &Path, hosts: &[String]) -> anyhow::Result<Self> {
        let token = std::fs::read_to_string(data_dir.join("admin-token"))?;
        let mut streams = Vec::new();
        for host in hosts {
            let polled = format!("/api/v1/hosts/{host}/wait?for=ready&timeout={WAIT_S}");
            streams.push(ask(control, &token, &polled).await?);
            let mut streamed = ask(control, &token, &format!("/api/v1/hosts/{host}/events/stream")).await?;
            let mut head = [0; 12];
            streamed.read_exact(&mut head).await?;
            ensure!(head == *b"HTTP/1.1 200", "a stream is not served");
            streams.push(streamed);
        }
        // The polls show nothing until they end: what came before them has passed by then.
        tokio::time::sleep(Duration::from_millis(500)).await;
        Ok(Self(streams))
    }

    /// How many are still open: a watcher that was let go measures nothing.
    pub(crate) fn count_open(&self) -> anyhow::Result<usize> {
        let mut open = 0;
        for stream in &self.0 {
            let mut byte = [0];
            match stream.try_read(&mut byte) {
                Ok(0) => {}
                // Heads and heartbeats of streams.
                Ok(_) => open += 1,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => open += 1,
                Err(error) => return Err(error).context("a watcher"),
            }
        }
        Ok(open)
    }
}

async fn ask(control: &str, token: &str, path: &str) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(control).await?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {}\r\n\r\n",
        token.trim()
    );
    stream.write_all(request.as_bytes()).await?;
    Ok(stream)
}
