//! A closed loop: each connection asks, waits for the whole answer, and asks again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::fleet::Reporter;

/// What the load is doing.
const WARMING: u8 = 0;
const MEASURING: u8 = 1;
const OVER: u8 = 2;

/// Makes the next request of a connection.
type Next = Box<dyn FnMut() -> Vec<u8> + Send>;

/// A load on one server.
pub(crate) struct Load {
    address: String,
    connections: Vec<Next>,
}

/// What a load measured.
pub(crate) struct Measured {
    /// Requests answered a second.
    pub(crate) per_second: f64,
    /// 99 of 100 were answered within this.
    pub(crate) p99: Duration,
    /// Requests that were answered at all, in the warm-up, too.
    pub(crate) answered: u32,
}

impl Load {
    /// GETs of these paths in turn.
    pub(crate) fn get(address: &str, paths: &[String], connections: usize) -> Self {
        let requests: Arc<Vec<Vec<u8>>> = Arc::new(paths.iter().map(|path| get(path)).collect());
        let next = |at: usize| -> Next {
            let (requests, mut at) = (Arc::clone(&requests), at);
            Box::new(move || {
                at += 1;
                requests[at % requests.len()].clone()
            })
        };
        Self {
            address: address.to_owned(),
            connections: (0..connections).map(next).collect(),
        }
    }

    /// One request again and again on one connection.
    pub(crate) fn again(address: &str, request: Vec<u8>) -> Self {
        Self {
            address: address.to_owned(),
            connections: vec![Box::new(move || request.clone())],
        }
    }

    /// One connection a host, each reporting its progress again and again.
    /// Numbers begin after `seq`: the same number again would be answered without a commit.
    pub(crate) fn reports(address: &str, reporters: &[Reporter], seq: u64) -> Self {
        let next = |reporter: &Reporter| -> Next {
            let (reporter, mut seq) = (reporter.clone(), seq);
            Box::new(move || {
                seq += 1;
                reporter.request(seq)
            })
        };
        Self {
            address: address.to_owned(),
            connections: reporters.iter().map(next).collect(),
        }
    }

    /// Runs it, and measures after the warm-up.
    pub(crate) async fn run(self, warm_up: Duration, measure: Duration) -> anyhow::Result<Measured> {
        let phase = Arc::new(AtomicU8::new(WARMING));
        let tasks: Vec<_> = self
            .connections
            .into_iter()
            .map(|next| tokio::spawn(ask_on(self.address.clone(), next, Arc::clone(&phase))))
            .collect();
        tokio::time::sleep(warm_up).await;
        phase.store(MEASURING, Ordering::Relaxed);
        let begin = Instant::now();
        tokio::time::sleep(measure).await;
        phase.store(OVER, Ordering::Relaxed);
        let took = begin.elapsed();
        let (mut times, mut answered) = (Vec::new(), 0);
        for task in tasks {
            let (measured, all) = task.await??;
            times.extend(measured);
            answered += all;
        }
        times.sort_unstable();
        let count = u32::try_from(times.len()).context("too many to count")?;
        Ok(Measured {
            per_second: f64::from(count) / took.as_secs_f64(),
            p99: times.get(times.len() * 99 / 100).copied().unwrap_or_default(),
            answered,
        })
    }
}

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n").into_bytes()
}

async fn ask_on(address: String, mut next: Next, phase: Arc<AtomicU8>) -> anyhow::Result<(Vec<Duration>, u32)> {
    let mut stream = TcpStream::connect(&address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = BytesMut::with_capacity(64 << 10);
    let (mut times, mut answered) = (Vec::new(), 0);
    loop {
        let request = next();
        let begin = Instant::now();
        stream.write_all(&request).await?;
        answer(&mut stream, &mut buffer).await?;
        answered += 1;
        match phase.load(Ordering::Relaxed) {
            WARMING => {}
            MEASURING => times.push(begin.elapsed()),
            _ => return Ok((times, answered)),
        }
    }
}

/// One whole answer of 200, by its length.
async fn answer(stream: &mut TcpStream, buffer: &mut BytesMut) -> anyhow::Result<Bytes> {
    loop {
        if let Some(head) = buffer.windows(4).position(|end| end == b"\r\n\r\n") {
            let text = std::str::from_utf8(&buffer[..head])?;
            ensure!(text.starts_with("HTTP/1.1 200"), "{text}");
            let length = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .context("no length")?;
            let whole = head + 4 + length.parse::<usize>()?;
            while buffer.len() < whole {
                ensure!(stream.read_buf(buffer).await? > 0, "broken off");
            }
            let mut answer = buffer.split_to(whole);
            return Ok(answer.split_off(head + 4).freeze());
        }
        ensure!(stream.read_buf(buffer).await? > 0, "broken off");
    }
}

/// One answer's bytes.
pub(crate) async fn once(address: &str, path: &str) -> anyhow::Result<Bytes> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(&get(path)).await?;
    answer(&mut stream, &mut BytesMut::new()).await
}
